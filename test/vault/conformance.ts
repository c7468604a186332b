import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { Lock, Vault } from "../../src/vault/vault.ts";
import { collect, produce, text } from "./body.ts";
import { code } from "./refusal.ts";

export interface Subject {
  readonly vault: Vault;
  /** Whether this store supports conditional creation (Ceph RGW 16 ignores it). */
  readonly ifNoneMatch: boolean;
  readonly ifMatch: boolean;
  /**
   * Every name in the store through which a key's bytes may be read, with versions and delete markers, as the file
   * system or a bare S3 client shows them.
   */
  outside(key: string): Promise<string[]>;
  close?(): Promise<void>;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const lockFor = (seconds: number, mode: Lock["mode"] = "governance"): Lock => ({
  mode,
  until: Temporal.Now.instant().add({ seconds }).round({ smallestUnit: "second", roundingMode: "ceil" }),
});

/** What every vault must do, whatever its store. */
export function conformance(name: string, open: () => Promise<Subject>, options: { skip?: string | false } = {}): void {
  describe(`vault: ${name}`, { skip: options.skip ?? false }, () => {
    let subject: Subject;
    let vault: Vault;
    before(async () => {
      subject = await open();
      vault = subject.vault;
    });
    after(async () => {
      await vault?.close();
      await subject?.close?.();
    });

    test("passes inspect", () => vault.inspect());

    for (const size of [0, 1, 65_536, 1_000_000]) {
      test(`reads back what was put: ${size} bytes`, async () => {
        const bytes = randomBytes(size);
        const stored = await vault.put(`files/ab/size-${size}.age`, bytes);
        assert.equal(stored.size, size);
        assert.equal(stored.sha256, sha256(bytes));
        assert.deepEqual(await collect(await vault.stream(stored.key, stored.versionId)), bytes);
        const read = await vault.read(stored.key, 1_000_000);
        assert.deepEqual(Buffer.from(read.bytes), bytes);
        const head = await vault.head(stored.key);
        assert.deepEqual(
          [head.size, head.sha256, head.versionId, head.etag],
          [size, stored.sha256, stored.versionId, stored.etag],
        );
      });
    }

    for (const size of [0, 1, 8 * 1024 * 1024 - 1, 8 * 1024 * 1024, 8 * 1024 * 1024 + 1, 21_000_000]) {
      test(`stores a stream of unknown length completely, with its lock: ${size} bytes`, async () => {
        const lock = lockFor(3600);
        const stored = await vault.put(`files/cd/stream-${size}.age`, produce(size), { lock });
        const expected = await collect(await produce(size)());
        assert.equal(stored.size, size);
        assert.equal(stored.sha256, sha256(expected));
        assert.equal(sha256(await collect(await vault.stream(stored.key))), stored.sha256);
        const head = await vault.head(stored.key, stored.versionId);
        assert.equal(head.size, size);
        assert.equal(head.lock?.until.toString(), lock.until.toString());
        assert.deepEqual(await vault.lockOf(stored.key, stored.versionId), head.lock);
        assert.ok(head.sha256 === null || head.sha256 === stored.sha256);
      });
    }

    test("a stream that fails leaves no object, and put throws its error", async () => {
      for (const failAt of [1, 20_000_000]) {
        const key = `files/ef/broken-${failAt}.age`;
        await assert.rejects(vault.put(key, produce(25_000_000, failAt)), code("source-unavailable"));
        await assert.rejects(vault.head(key), code("vault-missing"));
      }
    });

    test("a second put adds a version and destroys none", async () => {
      const first = await vault.put("records/aa/twice.age", text("first"), { lock: lockFor(3600) });
      const second = await vault.put("records/aa/twice.age", text("second"), { lock: lockFor(3600) });
      assert.notEqual(first.versionId, second.versionId);
      assert.equal(String(await collect(await vault.stream(first.key))), "second");
      assert.equal(String(await collect(await vault.stream(first.key, first.versionId))), "first");
      assert.equal((await vault.head(first.key)).versionId, second.versionId);
    });

    test("a lock applies to the version, does not end early and cannot be shortened", async () => {
      const lock = lockFor(3600);
      const stored = await vault.put("records/bb/locked.age", text("kept"), { lock });
      assert.deepEqual(await vault.head(stored.key).then((head) => head.lock?.until.toString()), lock.until.toString());
      await assert.rejects(vault.deleteVersion(stored.key, stored.versionId), code("vault-locked"));
      await assert.rejects(vault.lock(stored.key, stored.versionId, lockFor(60)), code("vault-locked"));
      const longer = lockFor(7200);
      await vault.lock(stored.key, stored.versionId, longer);
      assert.equal((await vault.head(stored.key)).lock?.until.toString(), longer.until.toString());
      assert.equal(String(await collect(await vault.stream(stored.key))), "kept");
    });

    test("compliance cannot be weakened to governance", async () => {
      const stored = await vault.put("records/bb/compliance.age", text("kept"), { lock: lockFor(30, "compliance") });
      assert.equal((await vault.head(stored.key)).lock?.mode, "compliance");
      await assert.rejects(vault.lock(stored.key, stored.versionId, lockFor(60)), code("vault-locked"));
    });

    test("governance becomes compliance if asked for with the right to do so", async () => {
      const stored = await vault.put("records/bb/hardened.age", text("kept"), { lock: lockFor(20) });
      await vault.lock(stored.key, stored.versionId, lockFor(30, "compliance"), true);
      assert.equal((await vault.head(stored.key)).lock?.mode, "compliance");
    });

    test("a legal hold stays on the version until it is released, with or without a lock", async () => {
      const stored = await vault.put("records/bb/held.age", text("kept"));
      const other = await vault.put("records/bb/held.age", text("later"));
      for (const held of [true, true]) await vault.hold(stored.key, stored.versionId, held);
      assert.ok((await vault.head(stored.key, stored.versionId)).hold);
      assert.ok(!(await vault.head(stored.key, other.versionId)).hold);
      await assert.rejects(vault.deleteVersion(stored.key, stored.versionId), code("vault-locked"));
      const lock = lockFor(60);
      await vault.lock(stored.key, stored.versionId, lock);
      assert.ok((await vault.head(stored.key, stored.versionId)).hold, "the lock released the hold");
      for (const held of [false, false]) await vault.hold(stored.key, stored.versionId, held);
      assert.equal((await vault.head(stored.key, stored.versionId)).lock?.until.toString(), lock.until.toString());
      await vault.hold(other.key, other.versionId, true);
      await vault.hold(other.key, other.versionId, false);
      await vault.deleteVersion(other.key, other.versionId);
      await assert.rejects(vault.hold(other.key, other.versionId, true), code("vault-missing"));
    });

    test("an unlocked version can be deleted, and the one before it becomes visible again", async () => {
      const first = await vault.put("records/cc/gone.age", text("first"));
      const second = await vault.put("records/cc/gone.age", text("second"));
      await vault.deleteVersion(second.key, second.versionId);
      assert.equal(String(await collect(await vault.stream(first.key))), "first");
      await vault.deleteVersion(first.key, first.versionId);
      await assert.rejects(vault.head(first.key), code("vault-missing"));
    });

    test("after the last version is deleted, the store has nothing left of the object", async () => {
      const key = "records/ce/outside.age";
      const versions = [];
      for (const body of ["first", "second", "third"]) versions.push(await vault.put(key, text(body)));
      assert.ok((await subject.outside(key)).length >= 3);
      await vault.lock(key, versions[0]!.versionId, lockFor(1));
      for (const { versionId } of [versions[1]!, versions[2]!]) await vault.deleteVersion(key, versionId);
      assert.ok((await subject.outside(key)).length > 0);
      await new Promise((resolve) => setTimeout(resolve, 2_100));
      await vault.deleteVersion(key, versions[0]!.versionId);
      assert.deepEqual(await subject.outside(key), []);
      // Writing it again brings it back, and leaves the object beside it alone.
      const beside = await vault.put("records/ce/beside.age", text("kept"));
      const again = await vault.put(key, text("again"));
      assert.equal(String(await collect(await vault.stream(key))), "again");
      await vault.deleteVersion(key, again.versionId);
      assert.deepEqual(await subject.outside(key), []);
      assert.equal(String(await collect(await vault.stream(beside.key))), "kept");
    });

    test("a deleted version can be deleted again, and its id is never reused", async () => {
      const first = await vault.put("records/cc/again.age", text("first"));
      await vault.deleteVersion(first.key, first.versionId);
      await vault.deleteVersion(first.key, first.versionId);
      const second = await vault.put("records/cc/again.age", text("second"));
      assert.notEqual(second.versionId, first.versionId);
      await assert.rejects(vault.head(first.key, first.versionId), code("vault-missing"));
    });

    test("create-only refuses an existing object", async (t) => {
      if (!subject.ifNoneMatch) return t.diagnostic("this server ignores If-None-Match");
      await vault.put("records/dd/once.age", text("first"), { ifAbsent: true });
      await assert.rejects(vault.put("records/dd/once.age", text("second"), { ifAbsent: true }), code("vault-exists"));
      assert.equal(String(await collect(await vault.stream("records/dd/once.age"))), "first");
    });

    test("compare-and-swap refuses a changed object", async (t) => {
      if (!subject.ifMatch) return t.diagnostic("this server ignores If-Match");
      const first = await vault.put("audit/checkpoint", text("one"));
      const second = await vault.put("audit/checkpoint", text("two"), { ifMatch: first.etag });
      await assert.rejects(
        vault.put("audit/checkpoint", text("three"), { ifMatch: first.etag }),
        code("vault-conflict"),
      );
      assert.equal((await vault.head("audit/checkpoint")).etag, second.etag);
    });

    test("conditions apply to streams of any length, as they do to bytes", async (t) => {
      if (!subject.ifNoneMatch || !subject.ifMatch) return t.diagnostic("this server ignores conditions");
      for (const size of [1, 10_000_000]) {
        const key = `files/dd/conditional-${size}.age`;
        const first = await vault.put(key, produce(size), { ifAbsent: true });
        await assert.rejects(vault.put(key, produce(size), { ifAbsent: true }), code("vault-exists"));
        const second = await vault.put(key, text("second"), { ifMatch: first.etag });
        await assert.rejects(vault.put(key, produce(size), { ifMatch: first.etag }), code("vault-conflict"));
        await vault.put(key, produce(size), { ifMatch: second.etag });
        const none = `files/dd/none-${size}.age`;
        await assert.rejects(vault.put(none, produce(size), { ifMatch: first.etag }), code("vault-conflict"));
      }
      await assert.rejects(vault.put("audit/none", text("one"), { ifMatch: '"0"' }), code("vault-conflict"));
    });

    test("put throws a producer's error unchanged, whatever it looks like", async () => {
      const failure = Object.assign(new Error("not the store's"), { code: "ENOENT", name: "AccessDenied" });
      for (const failAt of [0, 20_000_000]) {
        const broken = vault.put("files/ef/thrown.age", produce(25_000_000, failAt, failure));
        await assert.rejects(broken, (error) => error === failure);
      }
      const unopened = vault.put("files/ef/thrown.age", () => Promise.reject(failure));
      await assert.rejects(unopened, (error) => error === failure);
    });

    test("a missing object throws vault-missing", async () => {
      await assert.rejects(vault.head("records/zz/none.age"), code("vault-missing"));
      await assert.rejects(vault.read("records/zz/none.age", 10), code("vault-missing"));
      await assert.rejects(vault.stream("records/zz/none.age"), code("vault-missing"));
      const { key, versionId } = await vault.put("records/zz/some.age", text("some"));
      await vault.deleteVersion(key, versionId);
      await vault.put(key, text("other"));
      await assert.rejects(vault.read(key, 10, versionId), code("vault-missing"));
      await assert.rejects(vault.stream(key, versionId), code("vault-missing"));
      await assert.rejects(vault.lock(key, versionId, lockFor(60)), code("vault-missing"));
    });

    test("read has a size limit", async () => {
      await vault.put("audit/large", Buffer.alloc(1001));
      await assert.rejects(vault.read("audit/large", 1000), code("malformed"));
      assert.equal((await vault.read("audit/large", 1001)).bytes.length, 1001);
    });

    test("lists versions newest first, and each can be read", async () => {
      const stored: string[] = [];
      for (const body of ["one", "two", "three"])
        stored.unshift((await vault.put("versions/a.age", text(body))).versionId);
      await vault.put("versions/b.age", text("other"));
      const listed: string[] = [];
      for await (const version of vault.versions("versions/a")) listed.push(version.versionId);
      assert.deepEqual(listed, stored);
      const bodies = await Promise.all(stored.map((versionId) => vault.read("versions/a.age", 100, versionId)));
      assert.deepEqual(
        bodies.map(({ bytes }) => String(Buffer.from(bytes))),
        ["three", "two", "one"],
      );
      const keys: string[] = [];
      for await (const { key } of vault.versions("versions/")) keys.push(key);
      assert.deepEqual(keys, [...stored.map(() => "versions/a.age"), "versions/b.age"]);
    });

    test("lists keys in order, and only those with the prefix", async () => {
      const keys = ["list/a/1.age", "list/a/2.age", "list/a.age", "list/b/x/3.age"];
      for (const key of keys) await vault.put(key, text(key));
      const listed: string[] = [];
      for await (const { key, size } of vault.list("list/")) {
        listed.push(key);
        assert.equal(size, key.length);
      }
      assert.deepEqual(listed, ["list/a.age", "list/a/1.age", "list/a/2.age", "list/b/x/3.age"]);
      const under: string[] = [];
      for await (const { key } of vault.list("list/a/")) under.push(key);
      assert.deepEqual(under, ["list/a/1.age", "list/a/2.age"]);
    });
  });
}
