import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startSandbox } from "../sandbox/server.ts";
import { makeWorkplace, type Section, type Workplace } from "./workplace.ts";

/** What a dry run shares with all other jobs of this machine, and what SQLite leaves beside a file that was read. */
const SHARED = /^limits\.sqlite|\.sqlite-(shm|wal)$/;

/** Every other file of vault and state, and what is in it. */
function written(place: Workplace): ReadonlySet<string> {
  return new Set(
    ["vault", "state"].flatMap((folder) =>
      readdirSync(place.path(folder), { recursive: true, withFileTypes: true })
        .filter((each) => !each.isDirectory() && !SHARED.test(each.name))
        .map((each) => {
          const path = join(each.parentPath, each.name);
          const bytes = each.isSymbolicLink() ? readlinkSync(path) : readFileSync(path);
          return `${path} ${createHash("sha256").update(bytes).digest("hex")}`;
        }),
    ),
  );
}

async function dryRun(place: Workplace, ...args: string[]): Promise<Section> {
  return planned(0, place, ...args);
}

async function planned(code: number, place: Workplace, ...args: string[]): Promise<Section> {
  const before = written(place);
  const ended = await place.holdfast("export", ["--dry-run", "--json", ...args]);
  assert.equal(ended.code, code, ended.stderr);
  assert.deepEqual([...written(place).symmetricDifference(before)], []);
  const { command, plan } = ended.json as { command: string; plan: Section[] };
  assert.equal(command, "export");
  return plan[0]!;
}

const counted = ({ examined, new: fresh, changed, unchanged, toFetch }: Section) => [
  examined,
  fresh,
  changed,
  unchanged,
  toFetch,
];

describe("export --dry-run", () => {
  test("of a mistyped id ends with 2, as the export does", async () => {
    await using sandbox = await startSandbox({ identities: 2, files: false });
    await using place = await makeWorkplace(sandbox);
    const ended = await place.here("export", ["--dry-run", "--identity", "nosuch"]);
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, /the provider has no such identity/);
    const both = await place.here("export", ["--dry-run", "--identity", "nosuch", "--identity", sandbox.ids()[0]!]);
    assert.equal(both.code, 2, both.stderr);
    assert.match(both.stderr, /the others would be exported/);
  });

  test("says what the export then does, and writes nothing", async () => {
    await using sandbox = await startSandbox({ identities: 8, plainImages: true });
    await using place = await makeWorkplace(sandbox);
    const first = await dryRun(place);
    assert.deepEqual(counted(first), [8, 8, 0, 0, 8]);
    const done = await place.export();
    assert.equal(done.new, 8);
    assert.equal(first.files, done.files + done.withheld);
    assert.ok(
      Math.abs(Number(first.requests) - done.requests) <= 2,
      `${first.requests}, and ${done.requests} in truth`,
    );

    assert.deepEqual(counted(await dryRun(place)), [8, 0, 0, 8, 0]);
    sandbox.change([1, 3]);
    sandbox.add(1);
    assert.deepEqual(counted(await dryRun(place)), [9, 1, 2, 6, 3]);
    const { new: fresh, changed, unchanged } = await place.export();
    assert.deepEqual([fresh, changed, unchanged], [1, 2, 6]);
  });

  test("with named identities it asks only for these, and one that the provider lacks is code 2, as in the real run", async () => {
    await using sandbox = await startSandbox({ identities: 4, files: false });
    await using place = await makeWorkplace(sandbox);
    const ids = sandbox.ids();
    await place.export("--identity", ids[0]!, "--identity", ids[1]!);
    sandbox.change([1]);
    const named = ids.slice(0, 3).flatMap((id) => ["--identity", id]);
    const of = await planned(2, place, ...named, "--identity", "00000000-0000-4000-8000-000000000000");
    assert.deepEqual([...counted(of), of.gone], [4, 1, 1, 1, 2, 1]);
    const again = await dryRun(place, "--identity", ids[0]!, "--again");
    assert.deepEqual([again.again, again.toFetch], [1, 1]);
  });

  test("takes no lease: it runs beside an export", async () => {
    await using sandbox = await startSandbox({ identities: 2, files: false });
    await using place = await makeWorkplace(sandbox);
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<ServerResponse>();
    let first = true;
    sandbox.intercept((request, response) => {
      if (!first || !/\/identities\/[^/]+$/.test(request.url!)) return false;
      first = false;
      isAsked(response);
      return true;
    });
    const exporting = place.start("export");
    const unanswered = await asked;
    const beside = await place.holdfast("export", ["--dry-run", "--json"]);
    unanswered.destroy();
    assert.equal(beside.code, 0, beside.stderr);
    assert.equal((await exporting.ended).code, 0);
  });

  test("text has the figures too, and --schedule does not go with it", async () => {
    await using sandbox = await startSandbox({ identities: 3, files: false });
    await using place = await makeWorkplace(sandbox);
    const { stderr } = await place.holdfast("export", ["--dry-run", "--log-format", "text"]);
    assert.match(stderr, /^acme-bank: dry run of 3 identities; nothing was written$/m);
    assert.match(stderr, /^ {2}new {9}3$/m);
    assert.match(stderr, /^ {2}requests {4}about \d+ to the source$/m);
    assert.equal((await place.holdfast("export", ["--dry-run", "--schedule"])).code, 2);
  });
});
