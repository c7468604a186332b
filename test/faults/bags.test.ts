import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { retrieve } from "../../jobs/retrieve.ts";
import { checkBag } from "../../src/bag/reader.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { fileError } from "../../src/io/file-error.ts";
import { program } from "../cli/program.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { fillUp, smallDisk } from "./disk.ts";
import { calm, makePlace, makeStrictPlace } from "./place.ts";

const WORDS = { case: "1", requestedBy: "Ada", reason: "why" };

test("a cut stream of a sealed object starts again; the bag is complete and contains nothing of the first attempt", async () => {
  await using sandbox = await startSandbox({ identities: 2, plainImages: true });
  await using strict = await makeStrictPlace(sandbox);
  const { place, s3 } = strict;
  assert.equal((await place.export()).exit, 0);
  const cut = new Map<string, number>();
  s3.intercept((request, response) => {
    const path = request.url!.split("?")[0]!;
    const times = cut.get(path) ?? 0;
    if (request.method !== "GET" || !path.endsWith(".age") || times === 2) return false;
    cut.set(path, times + 1);
    response.writeHead(200, { "content-length": "5000", etag: '"cut"', "x-amz-version-id": "cut" });
    response.write("the beginning of something", () => response.destroy());
    return true;
  });
  const out = place.work.path("bag");
  const named = { identities: sandbox.ids(), emails: [], references: [], subjects: [] };
  await retrieve(await place.session({ patience: calm }), { ...named, ...WORDS, versions: { kind: "all" }, out });
  assert.ok(cut.size > 2 && [...cut.values()].every((times) => times === 2), "each object was cut twice");
  assert.equal((await checkBag(out)).records.length, 2);
});

test("no space for a sealed object: the retrieval reports code and path, and leaves nothing", async () => {
  await using sandbox = await startSandbox({ identities: 1, plainImages: true });
  await using place = await makePlace(sandbox);
  assert.equal((await place.export()).exit, 0);
  using disk = fillUp(/\.partial\/data\/.*\.age$/);
  const named = { identities: sandbox.ids(), emails: [], references: [], subjects: [] };
  const asked = { ...named, ...WORDS, versions: { kind: "all" } as const, out: place.work.path("bag") };
  await assert.rejects(retrieve(await place.session(), asked), (error: unknown) => {
    assert.ok(error instanceof HoldfastError && error.code === "state", String(error));
    assert.match(error.message, /bag\.[0-9a-f]{8}\.partial\/data\/.*\.age cannot be written \(ENOSPC\)$/);
    assert.match(error.hint!, /disk is full/);
    return true;
  });
  assert.ok(disk.met > 0);
  assert.deepEqual(
    (await readdir(place.work.folder)).filter((name) => name.startsWith("bag")),
    [],
  );
});

test("a full disk: retrieve, open and reseal report code and path, exit 1, and leave nothing on it", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-full-"));
  t.after(() => rm(folder, { recursive: true }));
  using disk = smallDisk(folder, 16);
  if (disk === null) return t.skip("mounting is not allowed here");
  await using sandbox = await startSandbox({ identities: 4, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const bag = place.path("bag");
  const words = ["--case", "1", "--requested-by", "Ada", "--reason", "why"];
  const people = sandbox.ids().flatMap((id) => ["--identity", id]);
  assert.equal((await place.here("retrieve", [...words, ...people, "--out", bag])).code, 0);
  const out = join(folder, "out");
  const key = ["--key", place.officer.file, "--out", out, "--json"];
  for (const [what, ended] of [
    ["retrieve", await place.here("retrieve", [...words, ...people, "--out", out, "--json"])],
    ["open", await program(["open", bag, ...key])],
    ["reseal", await program(["reseal", bag, "--to", place.escrow.recipient, ...key])],
  ] as const) {
    assert.equal(ended.code, 1, `${what}: ${ended.stderr}`);
    const { error } = JSON.parse(ended.stdout);
    assert.equal(error.code, "state", what);
    assert.ok(
      error.message.startsWith(`${out}.`) && error.message.endsWith("cannot be written (ENOSPC)"),
      error.message,
    );
    assert.match(error.hint, /disk is full/);
    assert.deepEqual(await readdir(folder), [], what);
  }
});

test("a file system error is reported with its code; a bug stays a bug", () => {
  const said = (code: string) => Object.assign(new Error(code), { code, errno: -1 });
  const told = (code: string) => fileError(said(code), "/some/where", "written") as HoldfastError;
  for (const code of ["ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "EIO", "EMFILE"]) {
    assert.equal(told(code).code, "state");
    assert.equal(told(code).message, `/some/where cannot be written (${code})`);
    assert.ok(told(code).hint);
  }
  for (const code of ["ENOENT", "ENOTDIR", "EEXIST"]) assert.equal(told(code).code, "usage");
  const defect = new TypeError("x is not a function");
  assert.equal(fileError(defect, "/some/where", "written"), defect);
  const ours = new HoldfastError("unverified", "it is not");
  assert.equal(fileError(ours, "/some/where", "written"), ours);
});
