import assert from "node:assert/strict";
import { chmod, chown, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

const UNPRIVILEGED = 65_534;
/** Root can write anywhere, so the program first drops its privileges. */
const unprivileged =
  process.getuid?.() === 0
    ? [
        "--import",
        `data:text/javascript,process.setgroups([]);process.setgid(${UNPRIVILEGED});process.setuid(${UNPRIVILEGED})`,
      ]
    : [];

async function giveAway(path: string): Promise<void> {
  if (process.getuid?.() === 0) await chown(path, UNPRIVILEGED, UNPRIVILEGED);
  if (!(await stat(path)).isDirectory()) return;
  for (const name of await readdir(path)) await giveAway(join(path, name));
}

async function refuses(place: Workplace, folder: string, code: string): Promise<void> {
  await chmod(folder, 0o555);
  const ended = await place.holdfast("export", ["--json"], { node: unprivileged });
  await chmod(folder, 0o755);
  assert.equal(ended.code, 1, ended.stderr);
  assert.equal(ended.log.at(-1)!.code, code);
  const next = await place.holdfast("export", ["--json"], { node: unprivileged });
  assert.equal(next.code, 0, next.stderr);
  await place.expect(0, "verify", "--read-data", "100");
}

test("a state directory, a journal and a vault without write permission", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  await giveAway(place.folder);
  await refuses(place, place.path("state", CLIENT), "state");
  sandbox.change(1);
  await refuses(place, place.path("state", CLIENT, "journal"), "state");
  sandbox.change(1);
  await refuses(place, place.path("vault", CLIENT, ".versions", "lease.json"), "vault-denied");
});
