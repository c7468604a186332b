import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HoldfastError } from "../../src/core/error.ts";
import { errorFields, type Fields, jsonLog, type LogLevel, silentLog } from "../../src/observe/log.ts";

function captured(level: LogLevel = "info") {
  const lines: string[] = [];
  const log = jsonLog(level, { write: (line: string) => void lines.push(line) });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
}

describe("the allow-list", () => {
  test("what is named is written, whatever else is given is dropped", () => {
    const { log, lines, parsed } = captured();
    const fields = {
      subject: "ab12",
      key: "records/ab",
      email: "jane@example.com",
      id: "4711",
      name: "Jane",
      token: "x",
    };
    log.info("something", fields as Fields);
    log.with({ run: "r1", owner: { email: "jane@example.com" } } as Fields).warn("else", fields as Fields);
    assert.deepEqual(
      parsed().map(({ time: _, ...line }) => line),
      [
        { level: "info", subject: "ab12", key: "records/ab", msg: "something" },
        { level: "warn", run: "r1", subject: "ab12", key: "records/ab", msg: "else" },
      ],
    );
    assert.ok(!lines.join().includes("jane"));
  });

  test("a field cannot be forged by what its value holds", () => {
    const { log, lines, parsed } = captured();
    log.error("failed", { key: 'a"},{"level":"fatal\n{"level":"fatal"}' });
    assert.equal(lines.length, 1);
    assert.equal(lines[0]!.split("\n").length, 2);
    assert.equal(parsed()[0].level, "error");
  });

  test("no host, no pid; time as RFC 3339", () => {
    const { log, parsed } = captured();
    log.info("x");
    assert.deepEqual(Object.keys(parsed()[0]).sort(), ["level", "msg", "time"]);
    assert.match(parsed()[0].time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
});

test("below its level nothing is written, and the silent one writes nothing at all", () => {
  const { log, lines } = captured("warn");
  log.debug("x");
  log.info("x");
  log.with({ run: "r" }).info("x");
  assert.deepEqual(lines, []);
  log.error("x");
  assert.equal(lines.length, 1);
  silentLog.with({ run: "r" }).error("x");
});

describe("errors", () => {
  test("ours: code, words and hint, and never the cause", () => {
    const error = new HoldfastError("vault-denied", "the store refused", {
      cause: new Error("jane@example.com"),
      hint: "Grant it.",
    });
    assert.deepEqual(errorFields(error), { code: "vault-denied", error: "the store refused", hint: "Grant it." });
    assert.deepEqual(errorFields(new HoldfastError("state", "x")), { code: "state", error: "x" });
  });

  test("others': kind and place, not their words", () => {
    const fields = errorFields(new TypeError("cannot read jane@example.com\n    at jane of undefined"));
    assert.equal(fields.code, "internal");
    assert.equal(fields.error, "TypeError");
    assert.match(fields.stack!, /log\.test\.ts/);
    assert.ok(!JSON.stringify(fields).includes("example.com"));
    for (const thrown of ["jane@example.com", { email: "jane@example.com" }, null, undefined, 7]) {
      assert.ok(!JSON.stringify(errorFields(thrown)).includes("jane"));
      assert.equal(errorFields(thrown).code, "internal");
    }
  });
});
