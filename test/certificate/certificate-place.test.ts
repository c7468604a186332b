import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { certify } from "../../jobs/certificate.ts";
import { exportClients } from "../../jobs/export.ts";
import { purge } from "../../jobs/purge.ts";
import { checkCertificate } from "../../src/certificate/certificate-check.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { fillUp, smallDisk } from "../faults/disk.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { destroyedKeys } from "./certificate-forms.ts";

const SHORT = { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };

async function failure(work: Promise<unknown>): Promise<HoldfastError> {
  const error = await work.then(
    () => assert.fail("it should have failed"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HoldfastError, String(error));
  return error;
}

describe("the place of a certificate", () => {
  let sandbox: Sandbox;
  let place: Workplace;
  before(async () => {
    sandbox = await startSandbox({ identities: 2, plainImages: true });
    place = await makeWorkplace(sandbox, { client: { retention: SHORT } });
    await exportClients(await session(place), {});
    await delay(2_100);
  });
  after(async () => {
    await place[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });

  async function costsNothing(out: string, code: string, what: RegExp): Promise<void> {
    const entries = (await place.entries()).length;
    const error = await failure(purge(await session(place), out));
    assert.deepEqual(
      [error.code, what.test(error.message), error.message.split("\n").at(-1)],
      [code, true, "nothing was destroyed"],
    );
    assert.match(error.hint ?? "", /[Cc]hoose (a|another) path/);
    assert.equal((await place.entries()).length, entries, "the log was written");
  }

  test("no such folder, something that is there, a file in its way: refused before anything is destroyed", async () => {
    await costsNothing(place.path("nowhere/destroyed"), "usage", /nowhere\/destroyed cannot be written \(ENOENT\)/);
    assert.ok(!existsSync(place.path("nowhere")), "a mistyped path is no wish for folders");
    await writeFile(place.path("file"), "");
    await costsNothing(place.path("file"), "usage", /already exists/);
    await costsNothing(place.path("file/destroyed"), "usage", /ENOTDIR/);
    await mkdir(place.path("folder"));
    await costsNothing(place.path("folder"), "usage", /already exists/);
  });

  test("a disk that may not be written", async (t) => {
    const disk = place.path("read-only");
    await mkdir(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", disk], { stdio: "ignore" });
    } catch {
      return t.skip("mounting is not allowed here");
    }
    try {
      await costsNothing(join(disk, "destroyed"), "state", /EROFS/);
    } finally {
      execFileSync("umount", ["-l", disk]);
    }
  });

  test("a disk without room, and one with too little for a certificate of so many", async (t) => {
    using disk = smallDisk(place.path("full"), 200);
    if (disk === null) return t.skip("mounting is not allowed here");
    disk.fill();
    await costsNothing(place.path("full/destroyed"), "state", /ENOSPC/);
    assert.deepEqual(await readdir(place.path("full")), ["filler"]);
    disk.makeRoom();
    // Half the people were sealed by a run that no one remembers: the log speaks of each a hundred times.
    const catalog = place.path("state/acme-bank/catalog.sqlite");
    const { DatabaseSync } = await import("node:sqlite");
    const db = new DatabaseSync(catalog);
    const rows = "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)";
    db.exec(`INSERT INTO mention ${rows} SELECT person, i FROM subject, n`);
    const entries = (await place.entries("purge.begun")).length;
    const error = await failure(purge(await session(place), place.path("full/destroyed")));
    db.exec("DELETE FROM mention WHERE entry >= 1000");
    db.close();
    assert.equal(error.code, "state");
    assert.match(error.message, /certificate will have about 4\d\d kB, and \d+ kB are free/);
    assert.match(error.hint!, /Nothing was destroyed/);
    assert.equal((await place.entries("purge.begun")).length, entries);
  });

  test("no room after all: what is gone is said, with its run and the command that makes the certificate", async () => {
    const out = place.path("destroyed");
    const error = await (async () => {
      using disk = fillUp(/entries\.jsonl$/);
      const failed = await failure(purge(await session(place), out));
      assert.ok(disk.met > 0);
      return failed;
    })();
    assert.equal(error.code, "state");
    const purged = await place.entries("record.purged");
    const run = purged[0]!.run;
    assert.equal(purged.length, 2);
    const [first] = error.message.split("\n");
    assert.equal(first, `what the purge ${run} removed is gone, and its certificate could not be made`);
    assert.match(error.message, /entries\.jsonl cannot be written \(ENOSPC\)/);
    assert.ok(
      error.hint!.endsWith(`Then run: holdfast retention certificate --client acme-bank --run ${run} --out <folder>`),
      String(error.hint),
    );
    assert.ok(!existsSync(out));
    assert.deepEqual(
      (await readdir(place.folder)).filter((name) => name.includes("partial")),
      [],
    );
    await certify(await session(place), [run], out);
    await checkCertificate(out);
    const keys = purged.flatMap(({ objects }) => objects.map(({ key }) => key));
    assert.deepEqual((await destroyedKeys(out)).sort(), keys.sort());
  });

  test("a certificate that could not be made is made by the next purge, though nothing is left to purge", async () => {
    const { run } = (await place.entries("record.purged"))[0]!;
    // As the purge above left it.
    await writeFile(place.path("state/acme-bank/uncertified.json"), JSON.stringify({ runs: [run] }));
    const done = await purge(await session(place), place.path("again"));
    assert.deepEqual([done.subjects, done.certificate], [0, place.path("again")]);
    assert.deepEqual((await checkCertificate(place.path("again"))).runs, [run]);
    const then = await purge(await session(place), place.path("nothing"));
    assert.deepEqual([then.subjects, then.certificate, existsSync(place.path("nothing"))], [0, null, false]);
    await rm(place.path("again"), { recursive: true });
  });
});
