import assert from "node:assert/strict";
import { appendFile, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { signCheckpoint } from "../../src/audit/checkpoint.ts";
import { encodeEntry } from "../../src/audit/entry.ts";
import { Journal } from "../../src/audit/journal.ts";
import { generateKey, parseSigner } from "../../src/audit/note.ts";
import { CHECKPOINT, LEASE, VAULT_JSON } from "../../src/vault/layout.ts";
import { Alterations, flip } from "./alter.ts";
import { isHarmless, isNamed } from "./named.ts";
import { makeScene, type Scene } from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await makeScene();
});
after(() => scene[Symbol.asyncDispose]());

const edits: Record<string, (bytes: Buffer) => Uint8Array> = {
  "a bit is flipped": flip,
  "cut short": (bytes) => bytes.subarray(0, -1),
  "cut in half": (bytes) => bytes.subarray(0, bytes.length / 2),
  emptied: () => Buffer.alloc(0),
  "made longer": (bytes) => Buffer.concat([bytes, Buffer.from("x")]),
  garbage: () => Buffer.from("\xff\xfe{}", "latin1"),
  huge: () => Buffer.alloc(5_000_000, " "),
};

for (const key of [CHECKPOINT, VAULT_JSON, LEASE]) {
  describe(key, () => {
    for (const [name, change] of Object.entries(edits))
      test(name, () => isNamed(scene, key, async (alter) => alter.edit(await scene.file(key), change)));
    test("its metadata is garbage", () =>
      isNamed(scene, key, async (alter) => alter.edit(await scene.note(key), () => Buffer.from("{"))));
    test("another object's bytes", () =>
      isNamed(scene, key, async (alter) => {
        const other = await readFile(await scene.file(key === CHECKPOINT ? VAULT_JSON : CHECKPOINT));
        await alter.edit(await scene.file(key), () => other);
      }));
    test("its plain name shows something that was never stored", () =>
      isNamed(scene, key, (alter) => alter.replace(join(scene.root, key), Buffer.from("{}"))));
  });
}

describe("checkpoint", () => {
  const resigned = (change: (tree: { size: number; root: Uint8Array }) => { size: number; root: Uint8Array }) =>
    isNamed(scene, CHECKPOINT, async (alter) => {
      const { head } = await scene.place.log();
      const note = signCheckpoint({ origin: head.origin, ...change(head) }, await scene.signer());
      await alter.edit(await scene.file(CHECKPOINT), () => Buffer.from(note));
    });
  test("another root, signed", () => resigned(({ size, root }) => ({ size, root: flip(Buffer.from(root)) })));
  test("of another log", () =>
    resigned((head) => head).then(
      () => {},
      () => {},
    ));
  test("signed by another key", () =>
    isNamed(scene, CHECKPOINT, async (alter) => {
      const { head } = await scene.place.log();
      const other = parseSigner(generateKey(head.origin).skey);
      const note = signCheckpoint({ origin: head.origin, size: head.size, root: head.root }, other);
      await alter.edit(await scene.file(CHECKPOINT), () => Buffer.from(note));
    }));
  test("its size written in other digits", () =>
    isNamed(scene, CHECKPOINT, async (alter) =>
      alter.edit(await scene.file(CHECKPOINT), (bytes) =>
        Buffer.from(bytes.toString().replace(/\n(\d+)\n/, "\n1$1\n")),
      ),
    ));
  test("all versions deleted", () =>
    isNamed(scene, CHECKPOINT, (alter) => alter.remove(join(scene.root, ".versions", CHECKPOINT))));
  test("an earlier one is replayed", () =>
    isNamed(scene, CHECKPOINT, async (alter) => {
      const earlier = await readFile(await scene.file(CHECKPOINT, 3));
      const newest = await scene.file(CHECKPOINT);
      await alter.create(
        newest.replace(/\d$/, (digit) => String(Number(digit) + 1)),
        earlier,
      );
    }));
});

test("vault.json: every member that must not change is compared with its own history", async () => {
  for (const change of [
    { client: "other-bank" },
    { created: "2020-01-01T00:00:00.000Z" },
    { lookups: { check: "0".repeat(32) } },
    { log: { origin: "other.example/holdfast", vkey: generateKey("other.example/holdfast").vkey } },
    { log: { origin: scene.client.log.origin, vkey: generateKey(scene.client.log.origin).vkey } },
    { recipients: [scene.place.officer.recipient] },
  ])
    await isNamed(scene, VAULT_JSON, async (alter) => {
      const path = await scene.file(VAULT_JSON);
      const bytes = Buffer.from(JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), ...change }));
      await alter.edit(path, () => bytes);
      await alter.remove(`${path}.json`);
    });
});

test("vault.json deleted in all versions: the log exists, so this is not a new vault", () =>
  isNamed(scene, VAULT_JSON, (alter) => alter.remove(join(scene.root, ".versions", VAULT_JSON))));

test("without a lease all is well", () =>
  isHarmless(scene, (alter) => alter.remove(join(scene.root, ".versions", LEASE))));

describe("this machine's state", () => {
  const seen = () => join(scene.state, "checkpoint");
  for (const [name, change] of Object.entries(edits))
    test(`the checkpoint last seen: ${name}`, () => isNamed(scene, seen(), (alter) => alter.edit(seen(), change)));
  test("the last seen checkpoint is lost: no problem", () => isHarmless(scene, (alter) => alter.remove(seen())));

  const entry = (code: string) =>
    encodeEntry({
      ...{ type: "record.failed", time: "2026-11-23T10:15:00.000Z", run: "x", subject: "0".repeat(32) },
      ...{ stage: "fetch", code },
    });
  /** A journal as left by a killed run: from this entry on. */
  async function journaled(alter: Alterations, first: number, count: number): Promise<string> {
    const folder = join(scene.state, "journal");
    const journal = new Journal(folder);
    await journal.recover();
    for (let n = 0; n < count; n++) await journal.append({ index: first + n, bytes: entry(String(n)) });
    await journal.close();
    const path = join(folder, `${first}.jsonl`);
    alter.defer(() => rm(path));
    return path;
  }
  const size = async () => (await scene.place.log()).head.size;

  test("a journal that continues the log is no problem, even with a torn end", () =>
    isHarmless(scene, async (alter) => {
      const path = await journaled(alter, await size(), 3);
      await appendFile(path, "123 half a li");
    }));
  test("a journal line is changed, removed or moved", async () => {
    for (const change of [
      flip,
      (bytes: Buffer) => Buffer.from(bytes.toString().split("\n").toSpliced(1, 1).join("\n")),
      (bytes: Buffer) => Buffer.from(bytes.toString().split("\n").slice(0, 3).reverse().join("\n").concat("\n")),
      (bytes: Buffer) => Buffer.concat([bytes, Buffer.from("\n")]),
    ]) {
      let path = "";
      await isNamed(scene, "jsonl", async (alter) => {
        path = await journaled(alter, await size(), 3);
        await alter.edit(path, change);
      });
      await assert.rejects(readFile(path));
    }
  });
  test("the log has another entry than the journal", () =>
    isNamed(scene, join(scene.state, "journal"), async (alter) => journaled(alter, (await size()) - 2, 3)));
  test("the log ends before the journal begins", () =>
    isNamed(scene, join(scene.state, "journal"), async (alter) => journaled(alter, (await size()) + 2, 3)));
});

test("the command names vault.json, the checkpoint and the last seen checkpoint, and exits with 4", async () => {
  const paths = { [VAULT_JSON]: await scene.file(VAULT_JSON), [CHECKPOINT]: await scene.file(CHECKPOINT) };
  for (const [key, path] of Object.entries({ ...paths, "acme-bank/checkpoint": join(scene.state, "checkpoint") })) {
    await using alter = new Alterations();
    await alter.edit(path, (bytes) => bytes.subarray(0, bytes.length / 2));
    const ended = await scene.place.here("verify", ["--json"]);
    assert.equal(ended.code, 4, ended.stderr);
    const [failure] = (ended.json as { failures: { error: string }[] }).failures;
    assert.match(failure!.error, new RegExp(key));
  }
});
