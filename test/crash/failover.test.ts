import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { VerifyReport } from "../../src/verify/verify.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { withoutCeph } from "../servers/s3.ts";

const HOOK = join(import.meta.dirname, "hook.ts");

/** The same config on another machine, with its own state directory. */
async function onMachine(place: Workplace, name: string): Promise<void> {
  place.config.state = `./state-${name}`;
  await place.configure();
}

/** The exact bytes in this machine's journal. */
async function journaled(place: Workplace, name: string): Promise<string[]> {
  const folder = place.path(`state-${name}`, CLIENT, "journal");
  const segments = await Promise.all((await readdir(folder)).map((segment) => readFile(join(folder, segment), "utf8")));
  const lines = segments.join("").split("\n").slice(0, -1);
  return lines.map((line) => line.replace(/^\d+ [0-9a-f]{64} /, ""));
}

async function logged(place: Workplace): Promise<string[]> {
  const { log, head } = await place.log();
  return Array.fromAsync(log.entries(0, head.size), ({ bytes }) => Buffer.from(bytes).toString());
}

for (const vault of ["directory", "ceph"] as const) {
  // Before the log's pieces are written, and with all pieces but no checkpoint.
  for (const moment of ["tile/entries", "checkpoint"]) {
    const skip = vault === "ceph" ? withoutCeph : false;
    test(`machine a dies before its ${moment}, b takes over, a comes back: ${vault}`, { skip }, async () => {
      await using sandbox = await startSandbox({ identities: 4, seed: 5, plainImages: true });
      await using place = await makeWorkplace(sandbox, { vault, init: false });
      await onMachine(place, "a");
      assert.equal((await place.holdfast("init")).code, 0);
      await place.export();
      // The standby has read the log and found no problem.
      await onMachine(place, "b");
      assert.equal((await place.export()).unchanged, 4);

      await onMachine(place, "a");
      await place.export();
      sandbox.change(2);
      const node = ["--import", HOOK];
      const name = `before ${vault === "ceph" ? "PUT" : "link"} ${moment}`;
      const killed = await place.holdfast("export", [], { node, env: { HOLDFAST_CRASH_BEFORE: name } });
      assert.equal(killed.signal, "SIGKILL", killed.stderr);
      const waiting = await journaled(place, "a");
      assert.ok(waiting.some((line) => line.includes('"record.stored"')));

      await onMachine(place, "b");
      assert.equal((await place.export()).changed, 2);
      const before = await logged(place);
      assert.ok(waiting.every((line) => !before.includes(line)));

      await onMachine(place, "a");
      const [seen] = await place.expect<VerifyReport>(0, "verify", "--read-data", "100");
      assert.deepEqual([seen!.problems, seen!.waiting], [0, waiting.length]);
      const summary = await place.export();
      assert.deepEqual([summary.unchanged, summary.changed, summary.failed], [4, 0, 0]);
      const after = await logged(place);
      assert.deepEqual(after.slice(0, before.length), before);
      for (const line of waiting) assert.equal(after.filter((each) => each === line).length, 1, line);
      assert.deepEqual(await journaled(place, "a"), []);
      for (const machine of ["a", "b"]) {
        await onMachine(place, machine);
        const [report] = await place.expect<VerifyReport>(0, "verify", "--read-data", "100");
        assert.deepEqual([report!.problems, report!.waiting], [0, 0]);
      }
      assert.equal((await place.export()).unchanged, 4);
    });
  }
}
