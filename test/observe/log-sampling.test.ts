import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonLog } from "../../src/observe/log.ts";
import { sampled } from "../../src/observe/log-sampling.ts";

function captured() {
  const lines: Record<string, unknown>[] = [];
  const log = sampled(jsonLog("debug", { write: (line: string) => void lines.push(JSON.parse(line)) }));
  return { log, lines };
}

test("of a flood the first twenty, then one in a hundred, and how many there were", () => {
  const { log, lines } = captured();
  for (let record = 1; record <= 1234; record++)
    log.error("record failed", { subject: String(record), stage: "source", code: "source-unavailable" });
  assert.equal(lines.length, 20 + 12);
  assert.deepEqual(
    lines.slice(19, 22).map(({ subject, count }) => [subject, count]),
    [
      ["20", undefined],
      ["100", 100],
      ["200", 200],
    ],
  );
  log.summarize();
  const { time: _, ...last } = lines.at(-1)!;
  assert.deepEqual(last, {
    ...{ level: "error", msg: "record failed: total number" },
    ...{ code: "source-unavailable", stage: "source", count: 1234 },
  });
});

test("each code is a flood of its own, and what is no flood is left as it is", () => {
  const { log, lines } = captured();
  for (const code of ["source-response", "vault-rejected"])
    for (let record = 0; record < 20; record++) log.error("record failed", { code });
  for (let record = 0; record < 50; record++) {
    log.info("run started");
    log.debug("record settled", { outcome: "new" });
  }
  log.summarize();
  assert.equal(lines.length, 40 + 100);
  assert.ok(lines.every(({ count }) => count === undefined));
});

test("whatever comes, the count at the end is what came, and no kind is silent", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2000 }), (codes) => {
      const { log, lines } = captured();
      for (const code of codes) log.warn("failed", { code: `code-${code}` });
      log.summarize();
      for (const code of new Set(codes)) {
        const came = codes.filter((one) => one === code).length;
        const written = lines.filter((line) => line.code === `code-${code}`);
        assert.equal(written.length, came <= 20 ? came : 21 + Math.floor(came / 100));
        if (came > 20) assert.equal(written.at(-1)!.count, came);
      }
    }),
    { numRuns: 50 },
  );
});
