import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { createConsole } from "../../src/observe/console.ts";

/** A console whose stderr is no terminal, and what it wrote. */
function piped(format: "text" | "json", quiet = false) {
  let text = "";
  const stderr = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  const console = createConsole({ json: false, quiet, format, stderr: stderr as never });
  const written = (): string => {
    const before = text;
    text = "";
    return before;
  };
  return { console, written };
}

test("long work without a terminal has a log line every 30 s, and fewer as it takes longer", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const { console, written } = piped("text");
  const progress = console.progress("acme-bank: sampled");
  t.mock.timers.tick(60_000);
  assert.equal(written(), "", "nothing has begun");
  progress.update(0);
  t.mock.timers.tick(29_999);
  assert.equal(written(), "");
  t.mock.timers.tick(1);
  assert.match(written(), /^\d\d:\d\d:\d\d info {2}acme-bank: sampled, 0, .*1 min 30 s so far\n$/);
  progress.update(5, 25);
  t.mock.timers.tick(30_000);
  assert.match(written(), / acme-bank: sampled, 20 %, 5 of 25, /);
  for (let second = 0; second < 24 * 3600; second++) t.mock.timers.tick(1_000);
  const lines = written().split("\n").length - 1;
  assert.ok(lines > 30 && lines < 80, `${lines} lines in a day`);
  progress.end();
  t.mock.timers.tick(3_600_000 * 24);
  assert.equal(written(), "");
});

test("as JSON it has the figures; --quiet has no such line", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const [loud, quiet] = [piped("json"), piped("json", true)];
  for (const { console } of [loud, quiet]) console.progress("acme-bank: sampled").update(5, 25);
  t.mock.timers.tick(30_000);
  const { msg, count, total, durationMs } = JSON.parse(loud.written()) as Record<string, unknown>;
  assert.match(String(msg), /^acme-bank: sampled, 20 %, 5 of 25, /);
  assert.deepEqual([count, total, durationMs], [5, 25, 30_000]);
  assert.equal(quiet.written(), "");
});
