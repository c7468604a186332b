import assert from "node:assert/strict";
import { chmod, cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

let sandbox: Sandbox;
before(async () => {
  sandbox = await startSandbox({ identities: 2, files: false });
});
after(() => sandbox.close());

/** Failures of `doctor`. */
async function failures(place: Workplace): Promise<string[]> {
  const { stdout } = await place.holdfast("doctor");
  return stdout.split("\n").filter((line) => line.includes("FAILURE"));
}

/** The newest version of the file of a key, to write to. */
async function newest(place: Workplace, key: string): Promise<string> {
  const folder = place.path("vault", CLIENT, ".versions", key);
  const names = (await readdir(folder)).filter((name) => /^\d+$/.test(name)).sort();
  const path = join(folder, names.at(-1)!);
  await chmod(path, 0o600);
  return path;
}

describe("the audit log's newest checkpoint", () => {
  test("where it is whole, doctor has no failure", async () => {
    await using place = await makeWorkplace(sandbox);
    await place.export();
    assert.deepEqual(await failures(place), []);
  });

  test("where it is damaged, doctor fails as every run does, and both name the vault, the key and verify", async () => {
    await using place = await makeWorkplace(sandbox);
    await place.export();
    await writeFile(await newest(place, "audit/checkpoint"), "damaged\n");
    const found = await failures(place);
    assert.equal(found.length, 1, found.join("\n"));
    const named = new RegExp(`${CLIENT}/audit/checkpoint: the note has no signatures`);
    assert.match(found[0]!, named);
    const { code, stderr } = await place.here("export");
    assert.equal(code, 4, stderr);
    assert.match(stderr, named);
    assert.match(stderr, /Run `holdfast verify`/);
  });

  test("where it is older than what this machine saw, doctor fails", async () => {
    await using place = await makeWorkplace(sandbox);
    const parts = ["audit", ".versions/audit"];
    for (const part of parts)
      await cp(place.path("vault", CLIENT, part), place.path("before", part), { recursive: true });
    await place.export();
    for (const part of parts) {
      await rm(place.path("vault", CLIENT, part), { recursive: true });
      await cp(place.path("before", part), place.path("vault", CLIENT, part), { recursive: true });
    }
    assert.match((await failures(place)).join("\n"), /is not the one this machine knows/);
  });

  test("an entry bundle that was cut short is named with its vault and key", async () => {
    await using place = await makeWorkplace(sandbox);
    await place.export();
    const { head } = await place.log();
    const path = await newest(place, `audit/tile/entries/000.p/${head.size}`);
    await writeFile(path, (await readFile(path)).subarray(0, -3));
    await rm(place.path("state", CLIENT, "catalog.sqlite"));
    const { stderr } = await place.here("status");
    const exported = await place.here("export");
    assert.match(stderr + exported.stderr, /audit\/tile\/entries\/000\.p\/\d+: the entry bundle is truncated/);
    assert.match(stderr + exported.stderr, /Run `holdfast verify`/);
  });
});
