import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parsePointer } from "../../../src/config/pointer.ts";
import { HoldfastError } from "../../../src/core/error.ts";
import { checkFolder } from "../../../src/source/folder/check.ts";
import { DirectoryStore } from "../../../src/source/folder/directory.ts";
import type { Page } from "../../../src/source/source.ts";
import { bytesOf, configOf, listOf, type Place, pagesOf, place, UPDATED } from "./place.ts";

const CANARY = "canary-5d41";
const entry = (id: string, more: object = {}) => ({ id, updated: UPDATED, email: `${CANARY}@example.com`, ...more });
const fields = {
  ...{ id: ["id"], updated: ["updated"], email: ["email"] },
  ...{ numbers: [], files: [parsePointer("/files")], data: {} },
};
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const sum = (pages: readonly Page[]): number => pages.reduce((count, { unreadable }) => count + unreadable, 0);

async function refuses(work: () => Promise<unknown>, code = "source-response"): Promise<void> {
  const error = await work().then(
    () => assert.fail("nothing was thrown"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HoldfastError, inspect(error));
  assert.equal(error.code, code, error.message);
  assert.ok(!inspect(error, { depth: 10 }).includes(CANARY), inspect(error));
}

function check(here: Place, changes = {}) {
  const config = configOf(here.root, { fields, ...changes });
  const now = () => Temporal.Instant.fromEpochMilliseconds(here.now);
  return checkFolder(new DirectoryStore(here.root), config, { now });
}

test("bad lines stop no others, and each is counted with its place and without its content", async () => {
  await using here = await place();
  await here.write(
    "1/people.jsonl",
    Buffer.concat([
      Buffer.from(`{"id":"${CANARY}",\n${JSON.stringify(entry("a"))}\n{"email":"${CANARY}"}\n`),
      Buffer.from([0xff, 0xfe, 0x0a]),
      Buffer.from(`"${"x".repeat(17 * 1024 * 1024)}"\n`),
      Buffer.from(`${JSON.stringify({ id: "late", updated: "yesterday" })}\n[1]\n${JSON.stringify(entry("b"))}`),
    ]),
  );
  const source = here.open();
  const pages = await pagesOf(source);
  assert.deepEqual(
    pages.map(({ identities, unread, unreadable }) => [identities.map(({ id }) => id), unread, unreadable]),
    [[["a", "b"], ["late"], 5]],
  );
  await refuses(() => source.dossier("late", { full: true }));
  const found = await check(here);
  assert.deepEqual(
    found.bad.map(({ drop, file, line }) => [drop, file, line]),
    [1, 3, 4, 5, 6, 7].map((line) => [1, 1, line]),
  );
  assert.deepEqual([found.failures, found.people, found.broken], [6, 2, 1]);
  assert.ok(!JSON.stringify(found).includes(CANARY));
});

test("paths that lead elsewhere are a failure of that entry", async () => {
  await using here = await place();
  await using other = await place();
  await other.write(`${CANARY}.txt`, "secret");
  const paths = [
    ...["../2/x.jpg", "/etc/passwd", "..\\x.jpg", "C:\\x.jpg", "C:x", "a/../../x", "a//b", ".ssh/id", "a\nb"],
    ...["link.jpg", `linked/${CANARY}.txt`, "folder"],
  ];
  await here.lines(
    "1/people.jsonl",
    entry("fine", { files: "fine.jpg" }),
    ...paths.map((files, at) => entry(`h${at}`, { files })),
  );
  await here.write("1/fine.jpg", "fine");
  await mkdir(join(here.root, "1/folder"));
  await symlink(join(other.root, `${CANARY}.txt`), join(here.root, "1/link.jpg"));
  await symlink(other.root, join(here.root, "1/linked"));
  const source = here.open({ fields });
  const [page] = await pagesOf(source);
  assert.deepEqual([page!.identities.map(({ id }) => id), page!.unread.length], [["fine"], paths.length]);
  for (const at of paths.keys()) await refuses(() => source.dossier(`h${at}`, { full: true }));
  assert.equal(String(await bytesOf(source, "fine", "fine.jpg")), "fine");
  // A dossier that someone else made up.
  const ref = { id: sha256("secret"), type: "other", page: null, updated: UPDATED };
  for (const resource of [...paths, `linked/${CANARY}.txt`])
    await refuses(async () => {
      const { bytes } = await source.file("fine", { ...ref, resource });
      for await (const _ of bytes);
    });
});

test("an id as the name of a folder leads nowhere else", async () => {
  await using here = await place();
  await here.lines("1/people.jsonl", ...["../2", "..", "a/b", "fine"].map((id) => entry(id)));
  await here.write("1/files/fine/x.jpg", "x");
  await here.write("1/files/a/b/x.jpg", "x");
  const source = here.open({ beside: "files/{id}" });
  const [page] = await pagesOf(source);
  assert.deepEqual([page!.identities.map(({ id }) => id), page!.unread], [["fine"], ["../2", "..", "a/b"]]);
  for (const id of page!.unread) await refuses(() => source.dossier(id, { full: true }));
});

test("a file with entries that is a link is not read", async () => {
  await using here = await place();
  await using other = await place();
  await other.lines("people.jsonl", entry("elsewhere"));
  await here.lines("1/a.jsonl", entry("a"));
  await symlink(join(other.root, "people.jsonl"), join(here.root, "1/b.jsonl"));
  const [page, ...rest] = await pagesOf(here.open());
  assert.deepEqual([page!.identities.map(({ id }) => id), rest.map(({ unreadable }) => unreadable)], [["a"], [1]]);
});

test("a drop that is not whole is not taken, and then the walk is not whole", async () => {
  await using here = await place();
  await here.lines("1/people.jsonl", entry("a"));
  await here.lines("2/people.jsonl", entry("b"));
  await here.write("1/_SUCCESS", "");
  const marked = { ready: { kind: "marker", name: "_SUCCESS" } as const };
  const source = here.open(marked);
  assert.deepEqual([...(await listOf(source)).keys()], ["a"]);
  assert.ok((await pagesOf(source)).every(({ whole }) => !whole));
  await refuses(() => source.dossier("b", { full: true }), "source-missing");
  assert.deepEqual(
    (await source.checks()).map(({ outcome }) => outcome),
    ["ok", "warning"],
  );
  await here.write("2/_SUCCESS", "");
  assert.deepEqual([...(await listOf(source)).keys()], ["a", "b"]);
  const quiet = here.open({ ready: { kind: "quiet", time: Temporal.Duration.from("PT15M") } });
  // A copy keeps the old time of its original: what counts is when it came.
  await here.touch("2/people.jsonl", "2020-01-01T00:00:00Z");
  here.now = Date.now() + 60_000;
  assert.equal((await listOf(quiet)).size, 0);
  here.now = Date.now() + 16 * 60_000;
  assert.equal((await listOf(quiet)).size, 2);
});

test("a walk over a file that changes is not whole, nor one over a file that no one can read", async () => {
  await using here = await place();
  const line = (at: number) => entry(`p${at}`, { note: "x".repeat(1_000) });
  await here.lines("1/people.jsonl", ...Array.from({ length: 600 }, (_, at) => line(at)));
  let listed = 0;
  let whole = true;
  for await (const page of here.open().pages()) {
    if (listed === 0) await here.lines("1/people.jsonl", line(0));
    listed += page.identities.length;
    whole &&= page.whole;
  }
  assert.ok(listed < 600, `${listed} people`);
  assert.equal(whole, false);
  await here.write("1/second.json", "[{}");
  assert.deepEqual(
    (await pagesOf(here.open())).map(({ whole }) => whole),
    [false, false],
  );
});

test("a bag: the payload is read, and held to its manifest", async () => {
  await using here = await place();
  const lines = [entry("a", { files: "a.jpg" }), entry("b", { files: "b.jpg" }), entry("c", { files: "c.jpg" })];
  const text = `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`;
  await here.write("1/bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
  await here.write("1/data/people.jsonl", text);
  for (const id of ["a", "b", "c"]) await here.write(`1/data/${id}.jpg`, id);
  const manifest = (entries: string) =>
    `${sha256(entries)}  data/people.jsonl\n${sha256("a")}  data/a.jpg\n${sha256("other")}  data/b.jpg\n`;
  await here.write("1/manifest-sha256.txt", manifest(text));
  const source = here.open({ fields });
  assert.deepEqual([...(await listOf(source)).keys()], ["a", "b"]);
  assert.equal(String(await bytesOf(source, "a", "a.jpg")), "a");
  await refuses(() => bytesOf(source, "b", "b.jpg"));
  await refuses(() => source.dossier("c", { full: true }));
  const { files, bad } = await check(here);
  assert.deepEqual(
    [files, bad.map(({ line }) => line)],
    [{ found: 3, missing: 0, absent: 0, withoutEntry: 0, checked: 1 }, [2, 3]],
  );
  await here.write("1/manifest-sha256.txt", manifest("other entries"));
  assert.deepEqual(
    (await pagesOf(source)).map(({ identities, unreadable }) => [identities.length, unreadable]),
    [[0, 1]],
  );
});

test("SHA256SUMS beside: a wrong digest is a failure of that entry, and what it does not name is taken", async () => {
  await using here = await place();
  await here.lines("1/people.jsonl", entry("a", { files: "a.jpg" }), entry("b", { files: "b.jpg" }));
  await here.write("1/a.jpg", "a");
  await here.write("1/b.jpg", "b");
  await here.write("1/SHA256SUMS", `${sha256("not a")} *a.jpg\n`);
  const source = here.open({ fields });
  await refuses(() => bytesOf(source, "a", "a.jpg"));
  assert.equal(String(await bytesOf(source, "b", "b.jpg")), "b");
});

test("a file that the manifest names and that is not there is a failure of the entry whose folder it should be in", async () => {
  await using here = await place();
  const text = `${JSON.stringify(entry("a"))}\n${JSON.stringify(entry("b"))}\n`;
  await here.write("1/bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
  await here.write("1/data/people.jsonl", text);
  for (const id of ["a", "b"]) await here.write(`1/data/files/${id}/front.jpg`, id);
  const lines = [
    `${sha256(text)}  data/people.jsonl`,
    ...["a", "b"].map((id) => `${sha256(id)}  data/files/${id}/front.jpg`),
    // What a system leaves behind is no file of anyone.
    `${sha256("")}  data/files/a/.DS_Store`,
    `${sha256("deep")}  data/files/b/more/deep.jpg`,
    // As some programs do.
    `${sha256("a")}  data/files/a/front.jpg`,
  ];
  await here.write("1/manifest-sha256.txt", `${lines.join("\n")}\n`);
  const source = here.open({ beside: "files/{id}" });
  const [page] = await pagesOf(source);
  assert.deepEqual([page!.identities.map(({ id }) => id), page!.unread], [["a"], ["b"]]);
  await refuses(() => source.dossier("b", { full: true }));
  const { files, bad } = await check(here, { beside: "files/{id}" });
  assert.deepEqual(
    [files.absent, bad.map(({ line, why }) => [line, why])],
    [2, [[2, "a file that the manifest names is missing"]]],
  );
  await here.write("1/data/files/b/more/deep.jpg", "deep");
  assert.deepEqual([...(await listOf(here.open({ beside: "files/{id}" }))).keys()], ["a", "b"]);
});

test("the check counts fields, files without an entry, and missing ones", async () => {
  await using here = await place();
  await here.lines("1/people.jsonl", entry("a", { files: ["a.jpg", "gone.jpg"] }), { id: "b", updated: UPDATED });
  await here.write("1/a.jpg", "a");
  await here.write("1/stray.jpg", "?");
  await here.write("1/sub/stray.jpg", "?");
  const { fields: found, files, people, failures } = await check(here);
  assert.deepEqual(found, { id: 2, updated: 2, email: 1, files: 1 });
  assert.deepEqual(files, { found: 1, missing: 1, absent: 0, withoutEntry: 2, checked: 0 });
  assert.deepEqual([people, failures], [2, 0]);
});

test("the check says which entries a later one replaces, and which of these are in one file", async () => {
  await using here = await place();
  await here.lines("1/people.jsonl", entry("a"), entry("b"), entry("a", { note: "other" }));
  await here.lines("2/people.jsonl", entry("b"), entry("c"));
  const { people, entries, replaced } = await check(here);
  assert.deepEqual([people, entries, replaced], [3, 5, { all: 2, sameFile: 1 }]);
});

test("a folder that is not there, or not to be read", async () => {
  await using here = await place();
  // The config's own folder is named: an operator must see which one is meant. What lies in it is not.
  const gone = join(here.root, "unmounted");
  const store = new DirectoryStore(gone);
  await assert.rejects(Array.fromAsync(store.list("")), {
    code: "source-unavailable",
    message: `folder: ${gone} is not there (ENOENT)`,
  });
});

test("memory stays flat over 100,000 lines", async (t) => {
  await using here = await place();
  await mkdir(join(here.root, "1"));
  const line = (at: number) => `${JSON.stringify(entry(`p${at}`, { note: "x".repeat(200) }))}\n`;
  await writeFile(join(here.root, "1/people.jsonl"), Array.from({ length: 100_000 }, (_, at) => line(at)).join(""));
  const source = here.open();
  let listed = 0;
  let most = 0;
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  for await (const { identities } of source.pages()) {
    listed += identities.length;
    if (listed % 10_000 === 0) {
      collect();
      most = Math.max(most, process.memoryUsage().heapUsed - before);
    }
  }
  t.diagnostic(`${Math.round(most / 1024 / 1024)} MiB more heap`);
  assert.equal(listed, 100_000);
  assert.ok(most < 16 * 1024 * 1024, `${most} bytes`);
});

test("a drop with folders far too deep fails alone, and the others are taken", async () => {
  await using here = await place();
  await here.lines("1/people.jsonl", entry("a"));
  await here.lines("2/people.jsonl", entry("deep"));
  await here.lines("3/people.jsonl", entry("b"));
  await here.write(`2/${"d/".repeat(70)}x.jpg`, "x");
  const source = here.open();
  const pages = await pagesOf(source);
  assert.deepEqual(
    [pages.flatMap(({ identities }) => identities.map(({ id }) => id)), sum(pages), pages.some(({ whole }) => whole)],
    [["a", "b"], 1, false],
  );
  // A walk that goes on from the end counts it as well.
  assert.equal(sum(await pagesOf(source, JSON.stringify(["3", "3/people.jsonl", Number.MAX_SAFE_INTEGER]))), 1);
  const found = await check(here);
  assert.deepEqual(
    [found.people, found.failures, found.bad],
    [2, 1, [{ drop: 2, why: "cannot be read: its folders lie more than 64 deep" }]],
  );
  assert.deepEqual(
    (await source.checks()).map(({ message }) => message),
    ["2 of 3 drops are whole", "1 of 3 drops cannot be taken"],
  );
});

test("a file with entries beside drops hides none of them without a word", async () => {
  await using here = await place();
  await here.lines("1/people.jsonl", entry("a"));
  await here.lines("2/people.jsonl", entry("b"));
  await here.write("3/notes.txt", "no entries");
  await here.write("index.csv", "id,updated\n");
  const pages = await pagesOf(here.open());
  assert.deepEqual([sum(pages), pages.some(({ whole }) => whole)], [2, false]);
  const { failures, bad, drops } = await check(here);
  assert.deepEqual([failures, drops, bad.map(({ drop }) => drop)], [2, 3, [2, 3]]);
  assert.match(bad[0]!.why, /has both files with entries and drops\. Move these files into a drop of their own/);
  // Told which files count, it finds the drops.
  assert.deepEqual([...(await listOf(here.open({ entries: ["people.jsonl"] }))).keys()], ["a", "b"]);
});

test("a bag at the top is one drop, and its payload is no other", async () => {
  await using here = await place();
  const text = JSON.stringify(entry("a"));
  await here.write("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
  await here.write("data/people.jsonl", text);
  await here.write("manifest-sha256.txt", `${sha256(text)}  data/people.jsonl\n`);
  assert.equal(sum(await pagesOf(here.open())), 0);
  await here.lines("2/people.jsonl", entry("b"));
  const pages = await pagesOf(here.open());
  assert.deepEqual([pages.flatMap(({ identities }) => identities.map(({ id }) => id)), sum(pages)], [["a"], 1]);
});

test("one drop at the top has folders of its own files", async () => {
  await using here = await place();
  await here.lines("people.jsonl", entry("a"), entry("b"));
  await here.write("images/a/meta.json", "{}");
  await here.write("papers/a.json", "{}");
  const source = here.open({ beside: "papers/{id}" });
  assert.deepEqual([(await listOf(source)).size, sum(await pagesOf(source))], [2, 0]);
  await here.write("a/meta.json", "{}");
  assert.equal(sum(await pagesOf(here.open({ beside: "{id}" }))), 0);
});

test("a link in the place of a drop, or of a folder with entries, is a failure", async () => {
  await using here = await place();
  await using other = await place();
  await other.lines("people.jsonl", entry("elsewhere"));
  await other.write("person.json", JSON.stringify(entry("elsewhere")));
  await here.lines("1/people.jsonl", entry("a"));
  await symlink(other.root, join(here.root, "2"));
  await symlink(join(here.root, "gone"), join(here.root, "latest"));
  await here.lines("3/people.jsonl", entry("b"));
  const pages = await pagesOf(here.open());
  assert.deepEqual([pages.flatMap(({ identities }) => identities.map(({ id }) => id)), sum(pages)], [["a", "b"], 2]);
  const { bad } = await check(here);
  assert.deepEqual(
    bad.map(({ drop }) => drop),
    [2, 4],
  );
  assert.match(bad[0]!.why, /symbolic link.*put the drop itself there/);

  await here.write("1/ada/person.json", JSON.stringify(entry("ada")));
  await symlink(other.root, join(here.root, "1/eve"));
  const each = await pagesOf(here.open({ entries: ["*", "person.json"] }));
  assert.deepEqual([each.flatMap(({ identities }) => identities.map(({ id }) => id)), sum(each)], [["ada"], 3]);
});

test("a file with a time in the future does not make its drop wait, and a clock that is far off is told", async () => {
  await using here = await place();
  const quiet = { ready: { kind: "quiet", time: Temporal.Duration.from("PT15M") } as const };
  await here.lines("1/people.jsonl", entry("a"));
  await here.touch("1/people.jsonl", "2199-01-01T00:00:00Z");
  await here.touch("1", "2199-01-01T00:00:00Z");
  assert.deepEqual([...(await listOf(here.open(quiet))).keys()], ["a"]);
  const marked = { ready: { kind: "marker", name: "_SUCCESS" } as const };
  here.now = Date.now() + 73 * 3_600_000;
  assert.deepEqual((await check(here, marked)).waiting[0]!.isStalled, true);
  // The system's own time is later than now.
  here.now = Date.now() - 96 * 3_600_000;
  assert.deepEqual((await check(here, quiet)).waiting[0]!.isStalled, true);
});

test("SHA256SUMS in the form of macOS is held to, and one with a line of another form fails its drop alone", async () => {
  await using here = await place();
  await here.lines("1/people.jsonl", entry("a", { files: "a (1).jpg" }), entry("b", { files: "b.jpg" }));
  await here.write("1/a (1).jpg", "a");
  await here.write("1/b.jpg", "b");
  await here.write(
    "1/SHA256SUMS",
    `# by us\n\nSHA256 (a (1).jpg) = ${sha256("a")}\r\nSHA256 (./b.jpg) = ${sha256("not b")}\n`,
  );
  const source = here.open({ fields });
  assert.equal(String(await bytesOf(source, "a", "a (1).jpg")), "a");
  await refuses(() => bytesOf(source, "b", "b.jpg"));
  await here.lines("2/people.jsonl", entry("c"));
  await here.write("2/SHA256SUMS", `${sha256("x")}  x\npeople.jsonl: ${sha256("c")}\n`);
  const pages = await pagesOf(here.open({ fields }));
  assert.deepEqual([pages.flatMap(({ identities }) => identities.map(({ id }) => id)), sum(pages)], [["a", "b"], 1]);
  const { bad, files } = await check(here);
  assert.match(bad.at(-1)!.why, /manifest cannot be used: line 2 of the manifest is not of the form of sha256sum/);
  assert.equal(files.absent, 0);
});
