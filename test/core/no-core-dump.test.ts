import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { commandLine } from "../cli/program.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

/** This test needs a kernel that writes core dumps into the working directory. */
const pattern = process.platform === "linux" ? (await readFile("/proc/sys/kernel/core_pattern", "utf8")).trim() : "";
const skip = /^core(\.%p)?$/.test(pattern) ? false : `core dumps go elsewhere here (${pattern || process.platform})`;

test("a core dump of a run holds neither keys nor records", { skip }, async () => {
  // Longer than the registers, which are in every dump and hold recently copied data.
  const apiKey = `canary-${"7f3d9b1c".repeat(40)}`;
  await using sandbox = await startSandbox({ identities: 5, files: false, apiKey });
  await using place = await makeWorkplace(sandbox);
  const folder = await mkdtemp(join(tmpdir(), "holdfast-core-"));
  const dumped = async (program: readonly string[]): Promise<{ size: number; found: string[] }> => {
    const asked = Promise.withResolvers<void>();
    let requests = 0;
    sandbox.intercept(() => {
      requests += 1;
      // By now the key and some answers are in its memory. Other requests get no answer.
      if (requests > 4) asked.resolve();
      return requests > 4;
    });
    const run = 'ulimit -c unlimited && exec "$@"';
    const child = spawn("bash", ["-c", run, "bash", ...program], { cwd: folder, stdio: "ignore" });
    const ended = new Promise((resolve) => child.once("exit", (_, signal) => resolve(signal)));
    await Promise.race([asked.promise, ended]);
    child.kill("SIGABRT");
    assert.equal(await ended, "SIGABRT");
    const [name] = (await readdir(folder)).filter((each) => each.startsWith("core"));
    assert.ok(name, "no core dump was written");
    const bytes = await readFile(join(folder, name));
    await rm(join(folder, name));
    const canaries = [sandbox.apiKey, sandbox.identity(0).owner!.email!, sandbox.identity(0).id];
    return { size: bytes.length, found: canaries.filter((canary) => bytes.includes(canary)) };
  };
  try {
    // Disables the protection, to prove that the test finds secrets.
    const undo = `data:text/javascript,import fs from "node:fs"; import { syncBuiltinESMExports } from "node:module"; fs.writeFileSync = () => {}; syncBuiltinESMExports();`;
    const args = ["export", "--config", place.file];
    const open = await dumped(commandLine(args, ["--import", undo]));
    assert.ok(open.found.includes(sandbox.apiKey), `found ${open.found} in ${open.size} bytes`);
    const closed = await dumped(commandLine(args));
    assert.deepEqual(closed.found, []);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
