import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { generateKey } from "../../src/audit/key.ts";
import { checkBag } from "../../src/bag/reader.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { headerLength } from "../../src/seal/header.ts";
import { type AgeKey, makeAgeKey, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { paths, relist } from "./bag-lists.ts";

const run = promisify(execFile);

describe("reseal", () => {
  let sandbox: Sandbox;
  let place: Workplace;
  let auditor: AgeKey;
  let bag: string;
  /** For the auditor alone. */
  let resealed: string;

  before(async () => {
    sandbox = await startSandbox({ identities: 6 });
    place = await makeWorkplace(sandbox);
    await place.export();
    auditor = await makeAgeKey(place.path("auditor.txt"));
    bag = place.path("bag");
    const people = sandbox.ids().flatMap((id) => ["--identity", id]);
    const words = ["--case", "1", "--requested-by", "Ada", "--reason", "why"];
    const ended = await place.holdfast("retrieve", [...words, ...people, "--out", bag]);
    assert.equal(ended.code, 0, ended.stderr);
    resealed = place.path("resealed");
    const done = await reseal(bag, place.officer.file, auditor.recipient, resealed);
    assert.equal(done.code, 0, done.stderr);
    // By their key, which people can compare; the log's fingerprint of it says nothing to them.
    assert.ok(done.stderr.includes(`is ready, for ${auditor.recipient.slice(0, 20)}… alone`), done.stderr);
  });
  after(async () => {
    await place?.[Symbol.asyncDispose]();
    await sandbox?.close();
  });

  const reseal = (from: string, key: string, to: string, out: string) =>
    place.holdfast("reseal", [from, "--key", key, "--to", to, "--out", out]);
  const open = (from: string, key: string, out: string) =>
    place.here("open", [from, "--key", key, "--out", place.path(out)]);
  const verify = (from: string) => place.here("verify", ["--json", from]);

  test("opens with the auditor's key, to the same bytes, and no more with the officer's", async () => {
    assert.equal((await open(bag, place.officer.file, "opened")).code, 0);
    assert.equal((await open(resealed, auditor.file, "opened-resealed")).code, 0);
    await run("diff", ["-r", place.path("opened"), place.path("opened-resealed")]);
    assert.equal((await open(resealed, place.officer.file, "not")).code, 2);
    assert.ok(!existsSync(place.path("not")));
    const sealed = (await paths(resealed)).filter((path) => path.startsWith("data/files"));
    await run("age", ["-d", "-i", auditor.file, "-o", "/dev/null", join(resealed, sealed[0]!)]);
  });

  test("payloads are untouched, and what was in the vault can be rebuilt", async () => {
    for (const path of (await paths(bag)).filter((each) => each.startsWith("data/"))) {
      const [was, is] = [await readFile(join(bag, path)), await readFile(join(resealed, path))];
      assert.ok(was.subarray(headerLength(was)).equals(is.subarray(headerLength(is))), path);
      const header = await readFile(join(resealed, path.replace("data/", "original/headers/")));
      assert.ok(was.equals(Buffer.concat([header, is.subarray(headerLength(is))])), path);
    }
    await run("sha256sum", ["-c", "--strict", "--quiet", "manifest-sha256.txt", "tagmanifest-sha256.txt"], {
      cwd: resealed,
    });
  });

  test("nothing personal is in the open, nor a private key", async () => {
    const people = sandbox.ids().map((_, index) => sandbox.identity(index));
    const canaries = people.flatMap(({ id, owner }) => [id, owner?.email, owner?.last_name].filter((word) => word));
    canaries.push(auditor.identity.slice(20, 50), place.officer.identity.slice(20, 50));
    assert.ok(canaries.length > 12);
    for (const path of await paths(resealed)) {
      const text = (await readFile(join(resealed, path))).toString("latin1");
      const utf8 = path === "viewer.html" ? "" : Buffer.from(text, "latin1").toString("utf8");
      for (const word of canaries) assert.ok(!utf8.includes(word!), `${path} holds ${word}`);
    }
  });

  test("verify proves it as it proved the first one, and says that it was handed on", async () => {
    const [was, is] = [JSON.parse((await verify(bag)).stdout), JSON.parse((await verify(resealed)).stdout)];
    assert.match(is.resealed, /^\d{4}-/);
    assert.deepEqual({ ...is, bag: "", resealed: undefined }, { ...was, bag: "", resealed: undefined });
    const told = JSON.parse(await readFile(join(resealed, "reseal.json"), "utf8"));
    const manifest = await readFile(join(bag, "manifest-sha256.txt"), "utf8");
    for (const { key, stored } of told.objects) assert.ok(manifest.includes(`${stored.sha256}  data/${key}\n`), key);
    const other = await place.here("verify", [resealed, "--vkey", generateKey("acme-bank.example/holdfast").vkey]);
    assert.equal(other.code, 4);
  });

  test("handed on again, to a post-quantum key", async () => {
    const identity = await generateHybridIdentity();
    const key = place.path("hybrid.txt");
    await writeFile(key, `${identity}\n`);
    const again = place.path("again");
    assert.equal((await reseal(resealed, auditor.file, await identityToRecipient(identity), again)).code, 0);
    assert.equal((await verify(again)).code, 0);
    assert.equal((await open(again, key, "opened-hybrid")).code, 0);
    await run("diff", ["-r", place.path("opened-hybrid"), place.path("opened")]).catch(async () => {
      assert.equal((await open(bag, place.officer.file, "opened-first")).code, 0);
      await run("diff", ["-r", place.path("opened-hybrid"), place.path("opened-first")]);
    });
  });

  test("each file of it flipped, cut, removed, renamed; anything added: refused", async () => {
    const files = await paths(resealed);
    const kinds = Map.groupBy(files, (path) => path.replace(/\/[^/]*$/, "").replace(/[0-9a-f]{32}.*/, ""));
    const some = [...kinds.values()].flatMap((paths) =>
      paths.slice(0, 8).filter((_, at) => at < 2 || !paths[at]!.includes("/")),
    );
    let tried = 0;
    for (const path of new Set(some)) {
      const bytes = await readFile(join(resealed, path));
      for (const change of ["flip", "cut", "remove", "rename"] as const) {
        const copy = place.path("altered");
        await cp(resealed, copy, { recursive: true });
        const at = join(copy, path);
        if (change === "flip")
          await writeFile(
            at,
            bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 1 : byte)),
          );
        if (change === "cut") await writeFile(at, bytes.subarray(0, -1));
        if (change === "remove") await rm(at);
        if (change === "rename") await rename(at, `${at}.x`);
        await assert.rejects(checkBag(copy), HoldfastError, `${change} ${path}`);
        await rm(copy, { recursive: true });
        tried++;
      }
    }
    for (const path of ["x", "data/x", "original/x", "original/headers/x", "tagmanifest-sha256.txt.note"]) {
      await cp(resealed, place.path("altered"), { recursive: true });
      await writeFile(join(place.path("altered"), path), "x");
      await assert.rejects(checkBag(place.path("altered")), HoldfastError, path);
      await rm(place.path("altered"), { recursive: true });
    }
    assert.ok(tried > 60, `${tried}`);
  });

  test("with lists made to fit: what the log proves is refused, what age proves does not open", async () => {
    const path = (await paths(resealed)).find((each) => each.startsWith("data/records"))!;
    for (const [name, where, code] of [
      ["the payload", -5, 4],
      ["the header", 40, 0],
    ] as const) {
      const copy = place.path(`forged-${code}`);
      await cp(resealed, copy, { recursive: true });
      const bytes = await readFile(join(copy, path));
      const at = where < 0 ? bytes.length + where : where;
      bytes[at] = bytes[at] === 65 ? 66 : 65;
      await writeFile(join(copy, path), bytes);
      await refit(copy);
      assert.equal((await verify(copy)).code, code, name);
      assert.notEqual((await open(copy, auditor.file, `of-forged-${code}`)).code, 0, name);
      // What age proves is proven record by record: the other people's are opened.
      const [, , , subject, version] = path.replace(".age", "").split("/");
      assert.ok(!existsSync(place.path(`of-forged-${code}`, subject!, version!)), name);
      assert.equal(existsSync(place.path(`of-forged-${code}`)), code === 0, name);
      if (code === 0) assert.equal((await readdir(place.path(`of-forged-${code}`))).length, 5);
    }
  });

  test("wrong input: a key that opens nothing, no recipient, a private key as one, an --out that is there", async () => {
    const other = await makeAgeKey(place.path("other.txt"));
    const out = place.path("none");
    assert.equal((await reseal(bag, other.file, auditor.recipient, out)).code, 2);
    assert.equal((await place.holdfast("reseal", [bag, "--key", place.officer.file, "--out", out])).code, 2);
    const leaked = await reseal(bag, place.officer.file, other.identity, out);
    assert.equal(leaked.code, 2);
    assert.ok(!leaked.stderr.includes(other.identity));
    assert.equal((await reseal(bag, place.officer.file, auditor.recipient, bag)).code, 2);
    assert.deepEqual(
      (await readdir(place.folder)).filter((name) => name.startsWith("none")),
      [],
    );
  });
});

/** Makes reseal.json and the lists fit what is there: no one signs these. */
async function refit(bag: string): Promise<void> {
  const told = JSON.parse(await readFile(join(bag, "reseal.json"), "utf8"));
  for (const object of told.objects) {
    const bytes = await readFile(join(bag, "data", object.key));
    object.here.sha256 = createHash("sha256").update(bytes).digest("hex");
  }
  await writeFile(join(bag, "reseal.json"), JSON.stringify(told));
  await relist(bag);
}
