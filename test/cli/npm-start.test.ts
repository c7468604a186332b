import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { runToEnd, startLine } from "./program.ts";

/** Runs it from another folder. */
const npm = (...args: string[]): string[] => ["npm", "--silent", "--prefix", process.cwd(), "start", "--", ...args];

test("npm start: relative paths are relative to the current folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-elsewhere-"));
  try {
    const { code, stderr } = await runToEnd(npm("verify", "--config", "mine.yaml"), { cwd: folder });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /config file not found: mine\.yaml/);
    await using sandbox = await startSandbox({ identities: 1, files: false });
    await using place = await makeWorkplace(sandbox);
    const ended = await runToEnd(npm("verify", "--config", "holdfast.yaml"), { cwd: place.folder });
    assert.equal(ended.code, 0, ended.stderr);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("npm start: SIGTERM for npm ends the daemon in order, and leaves no process", { timeout: 180_000 }, async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox);
  place.config.schedule = { cron: "0 3 1 1 *" };
  await place.configure();
  const daemon = startLine(npm("export", "--schedule", "--config", place.file), { cwd: place.folder });
  const first = await daemon.logged(({ level }) => level === "info");
  assert.ok(first);
  const alive = (): string => execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
  assert.ok(alive().includes(`export --schedule --config ${place.file}`));
  daemon.kill("SIGTERM");
  await daemon.ended;
  assert.ok(!alive().includes(place.file), alive());
});
