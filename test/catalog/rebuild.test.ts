import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Catalog } from "../../src/catalog/catalog.ts";
import { namesIn } from "../crash/moments.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

const PEOPLE = 6;
const HOOK = join(import.meta.dirname, "../crash/hook.ts");
const stateOf = (place: Workplace): string => place.path("state", CLIENT);

async function exported(sandbox: Sandbox): Promise<Workplace> {
  const place = await makeWorkplace(sandbox);
  assert.equal((await place.export()).new, PEOPLE);
  return place;
}

/** What a reader finds: the people of a whole catalog, or nothing. */
async function found(place: Workplace): Promise<{ people: number; size: number } | undefined> {
  const catalog = Catalog.peek(join(stateOf(place), "catalog.sqlite"), (await place.client()).log.origin);
  if (catalog === undefined) return undefined;
  const is = { people: catalog.totals.counts().subjects, size: catalog.size };
  catalog.close();
  return is;
}

test("a rebuild killed at any step leaves the former catalog, none, or the new one; the next run has all of it", async () => {
  await using sandbox = await startSandbox({ identities: PEOPLE, plainImages: true });
  await using place = await exported(sandbox);
  const whole = await found(place);
  const file = place.path("moments");
  const traced = await place.holdfast("rebuild", [], {
    node: ["--import", HOOK],
    env: { HOLDFAST_CRASH_TRACE: file },
  });
  assert.equal(traced.code, 0, traced.stderr);
  const moments = namesIn(readFileSync(file, "utf8"));
  for (const step of [
    "before commit of the catalog",
    "after rm other",
    "before rename catalog",
    "after rename catalog",
  ])
    assert.ok(moments.includes(step), `${step}: ${moments}`);
  const left: (typeof whole)[] = [];
  for (let at = 1; at <= moments.length; at++) {
    const ended = await place.holdfast("rebuild", [], {
      node: ["--import", HOOK],
      env: { HOLDFAST_CRASH_AT: String(at) },
    });
    assert.equal(ended.signal, "SIGKILL", `${at}: ${moments[at - 1]}`);
    const is = await found(place);
    left.push(is);
    if (is !== undefined) assert.deepEqual(is, whole, `${at}: ${moments[at - 1]}`);
    assert.equal((await place.export()).unchanged, PEOPLE);
    const now = await found(place);
    assert.equal(now?.people, PEOPLE);
    whole!.size = now.size;
  }
  assert.ok(left.some((is) => is === undefined) && left.some((is) => is !== undefined));
});

test("what killed rebuilds left is deleted by a later one, but not what another one is writing", async () => {
  await using sandbox = await startSandbox({ identities: PEOPLE, files: false });
  await using place = await exported(sandbox);
  const [old, young] = ["catalog.sqlite.0123abcd.new", "catalog.sqlite.4567cdef.new"].map((n) =>
    join(stateOf(place), n),
  );
  for (const path of [old!, young!]) await writeFile(path, "half a catalog");
  const yesterday = Date.now() / 1000 - 86_400;
  await utimes(old!, yesterday, yesterday);
  await place.expect(0, "rebuild");
  assert.deepEqual([existsSync(old!), existsSync(young!)], [false, true]);
  const names = (await readdir(stateOf(place))).filter((name) => name.endsWith(".new"));
  assert.deepEqual(names, ["catalog.sqlite.4567cdef.new"]);
});

test("what another process had written last to the former catalog is not applied to the new one", async () => {
  await using sandbox = await startSandbox({ identities: PEOPLE, files: false });
  await using place = await exported(sandbox);
  const path = join(stateOf(place), "catalog.sqlite");
  const whole = await found(place);
  const other = new DatabaseSync(path);
  try {
    // In the write-ahead log alone, as long as this connection is open.
    other.exec("PRAGMA wal_autocheckpoint = 0; DELETE FROM version; UPDATE log SET size = 1");
    assert.ok(existsSync(`${path}-wal`));
    await place.expect(0, "rebuild");
    assert.deepEqual(await found(place), whole);
    assert.equal((await place.export()).unchanged, PEOPLE);
  } finally {
    other.close();
  }
  assert.equal((await found(place))?.people, PEOPLE);
});

test("a rebuild that fails leaves the former catalog, and no file", async () => {
  await using sandbox = await startSandbox({ identities: PEOPLE, files: false });
  await using place = await exported(sandbox);
  const whole = await found(place);
  for (const part of ["audit", ".versions/audit"])
    await rm(place.path("vault", CLIENT, part, "tile/entries"), { recursive: true });
  const ended = await place.here("rebuild");
  assert.match(ended.stderr, /the audit log is incomplete/);
  assert.deepEqual(await found(place), whole);
  assert.deepEqual(
    (await readdir(stateOf(place))).filter((name) => name.includes(".new")),
    [],
  );
});

test("a catalog of an earlier version is rebuilt from the log", async () => {
  await using sandbox = await startSandbox({ identities: PEOPLE, plainImages: true });
  await using place = await exported(sandbox);
  const path = join(stateOf(place), "catalog.sqlite");
  const { origin } = (await place.client()).log;
  await rm(stateOf(place), { recursive: true });
  await mkdir(stateOf(place), { recursive: true });
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE log (only INTEGER PRIMARY KEY, schema INTEGER, origin TEXT, size INTEGER, leaf BLOB, clean INTEGER);
    INSERT INTO log VALUES (0, 14, '${origin}', 7, x'00', 1);
    CREATE TABLE subject (subject TEXT PRIMARY KEY, version TEXT) WITHOUT ROWID`);
  db.close();
  const summary = await place.export();
  assert.deepEqual([summary.new, summary.unchanged], [0, PEOPLE]);
  assert.equal((await found(place))?.people, PEOPLE);
});
