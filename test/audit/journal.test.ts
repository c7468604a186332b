import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Journal, type Journaled } from "../../src/audit/journal.ts";
import { appendAll, bytesOf, type Desk, makeDesk, range } from "./desk.ts";
import { dying, MemoryVault } from "./memory-vault.ts";

const root = mkdtempSync(join(tmpdir(), "holdfast-journal-"));
after(() => rm(root, { recursive: true }));
const fresh = (): Promise<string> => mkdtemp(join(root, "j-"));

const journaled = (index: number, text = bytesOf(index)): Journaled => ({ index, bytes: Buffer.from(text) });
const told = (entries: readonly Journaled[]) =>
  entries.map(({ index, bytes }) => [index, Buffer.from(bytes).toString()]);

/** A journal with one segment, as a dead process left it. */
async function left(
  first: number,
  count: number,
  folder?: string,
): Promise<{ folder: string; path: string; text: string }> {
  const at = folder ?? (await fresh());
  const journal = new Journal(at);
  await journal.recover();
  for (let index = first; index < first + count; index++) await journal.append(journaled(index));
  await journal.close();
  const path = join(at, `${first}.jsonl`);
  return { folder: at, path, text: await readFile(path, "utf8") };
}

test("recovers all appended entries in order, also of concurrent appends", async () => {
  const folder = await fresh();
  const journal = new Journal(folder);
  assert.deepEqual(await journal.recover(), []);
  await journal.append(journaled(7));
  await Promise.all([8, 9, 10, 11].map((index) => journal.append(journaled(index))));
  await journal.close();
  const expected = [7, 8, 9, 10, 11].map((index) => [index, bytesOf(index)]);
  assert.deepEqual(told(await new Journal(folder).recover()), expected);
  assert.deepEqual(told(await new Journal(folder).recover()), expected);
});

test("an incomplete end is cut off at any position, and later entries are complete", async () => {
  const { text } = await left(0, 3);
  const lines = text.split("\n").slice(0, 3);
  const start = lines[0]!.length + lines[1]!.length + 2;
  for (let cut = start; cut < text.length; cut += 7) {
    const folder = await fresh();
    await writeFile(join(folder, "0.jsonl"), text.slice(0, cut));
    const journal = new Journal(folder);
    assert.deepEqual(
      told(await journal.recover()),
      [0, 1].map((index) => [index, bytesOf(index)]),
    );
    await journal.append(journaled(2, "again"));
    await journal.close();
    assert.deepEqual(told(await new Journal(folder).recover()).at(-1), [2, "again"]);
  }
});

test("an entry cut between the bytes of one character is cut off too", async () => {
  const folder = await fresh();
  const journal = new Journal(folder);
  await journal.recover();
  await journal.append(journaled(0, '{"stage":"größe"}'));
  await journal.append(journaled(1, '{"stage":"größe"}'));
  await journal.close();
  const bytes = await readFile(join(folder, "0.jsonl"));
  const torn = bytes.lastIndexOf("ö") + 1;
  await writeFile(join(folder, "0.jsonl"), bytes.subarray(0, torn));
  assert.equal((await new Journal(folder).recover()).length, 1);
  assert.equal((await new Journal(folder).recover()).length, 1);
});

test("damage anywhere else is refused and changes nothing", async () => {
  const { path, text, folder } = await left(0, 3);
  const lines = text.split("\n");
  const damages = {
    "a letter of an entry": text.replace("seal", "sear"),
    "a digit of a hash": text.replace(/ [0-9a-f]/, (digit) => (digit === " 0" ? " 1" : " 0")),
    "a line removed": [lines[0], lines[2], ""].join("\n"),
    "lines swapped": [lines[1], lines[0], lines[2], ""].join("\n"),
    "a line twice": [lines[0], lines[0], lines[1], ""].join("\n"),
    "an empty line": `\n${text}`,
    "no journal at all": "hello\n",
  };
  for (const [name, damaged] of Object.entries(damages)) {
    await writeFile(path, damaged);
    await assert.rejects(new Journal(folder).recover(), { code: "malformed" }, name);
    assert.equal(await readFile(path, "utf8"), damaged);
  }
});

test("segments must be consecutive, and only the newest may be incomplete", async () => {
  const { folder } = await left(0, 3);
  const second = await left(3, 2, await fresh());
  await writeFile(join(folder, "3.jsonl"), second.text.slice(0, -5));
  assert.equal((await new Journal(folder).inspect()).length, 4);
  await writeFile(join(folder, "3.jsonl"), second.text);
  await writeFile(join(folder, "note.txt"), "not a segment");
  assert.equal((await new Journal(folder).recover()).length, 5);

  const first = await readFile(join(folder, "0.jsonl"), "utf8");
  await writeFile(join(folder, "0.jsonl"), first.slice(0, -5));
  await assert.rejects(new Journal(folder).recover(), { code: "malformed" });
  await writeFile(join(folder, "0.jsonl"), `${first.split("\n", 2).join("\n")}\n`);
  await assert.rejects(new Journal(folder).recover(), { code: "malformed" });
});

test("releases what the log holds and keeps the rest", async () => {
  const folder = await fresh();
  const journal = new Journal(folder);
  await journal.recover();
  for (const index of [0, 1]) await journal.append(journaled(index));
  await journal.release(1);
  for (const index of [2, 3]) await journal.append(journaled(index));
  await journal.release(2);
  assert.deepEqual(
    told(await journal.inspect()).map(([index]) => index),
    [2, 3],
  );
  await journal.release(4);
  await journal.close();
  assert.deepEqual(await readdir(folder), []);
});

test("an unusable state directory is reported, and the writer stops", async () => {
  const folder = await fresh();
  await writeFile(join(folder, "file"), "");
  await assert.rejects(new Journal(join(folder, "file")).recover(), { code: "state" });
  await using desk = await makeDesk(new MemoryVault());
  const writer = await desk.open();
  await rm(join(desk.state, "journal"), { recursive: true });
  await assert.rejects(appendAll(writer, 0, 2), { code: "state" });
  await assert.rejects(appendAll(writer, 2, 3), { code: "state" });
  await assert.rejects(writer.flush(), { code: "state" });
  await writer.close();
  await desk.write(0, 1);
  assert.deepEqual(await desk.entries(), range(0, 1));
});

describe("continued by the next writer", () => {
  /** Entries 0 to 9 are in the log, 10 to 19 only in the journal. */
  async function crashed(): Promise<{ desk: Desk; segment: string }> {
    const vault = new MemoryVault();
    const desk = await makeDesk(vault);
    await desk.write(0, 10);
    const writer = await desk.open({ vault: dying(vault, 0, "before") });
    await appendAll(writer, 10, 20);
    await assert.rejects(writer.flush(), { code: "vault-unavailable" });
    await writer.close();
    return { desk, segment: join(desk.state, "journal", "10.jsonl") };
  }

  test("before anything else", async () => {
    const { desk } = await crashed();
    await using _ = desk;
    assert.deepEqual(await desk.entries(), range(0, 10));
    await desk.write(20, 22);
    assert.deepEqual(await desk.entries(), range(0, 22));
  });

  test("an entry already in the log is not logged twice", async () => {
    const { desk, segment } = await crashed();
    await using _ = desk;
    const text = await readFile(segment, "utf8");
    await (await desk.open()).close();
    // It crashed between the checkpoint and the journal's release.
    await writeFile(segment, text);
    await desk.write(20, 21);
    assert.deepEqual(await desk.entries(), range(0, 21));
  });

  test("an entry that differs from the log is another history", async () => {
    const { desk, segment } = await crashed();
    await using _ = desk;
    await rm(segment);
    await desk.write(10, 20);
    const folder = await fresh();
    const forged = new Journal(folder);
    await forged.append(journaled(15, bytesOf(1)));
    await forged.close();
    await copyFile(join(folder, "15.jsonl"), join(desk.state, "journal", "15.jsonl"));
    await assert.rejects(desk.open(), { code: "forked" });
  });

  test("a gap between log and journal is another history", async () => {
    const { desk } = await crashed();
    await using _ = desk;
    const folder = join(desk.state, "journal");
    await rm(folder, { recursive: true });
    await left(12, 2, folder);
    await assert.rejects(desk.open(), { code: "forked" });
    assert.deepEqual(await desk.entries(), range(0, 10));
  });
});
