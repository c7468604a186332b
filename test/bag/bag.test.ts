import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { generateKey } from "../../src/audit/note.ts";
import { checkBag } from "../../src/bag/reader.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { readDescription } from "../../src/vault/description.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { withoutCeph } from "../servers/s3.ts";
import { remanifest, resign } from "./bag-lists.ts";

const run = promisify(execFile);
const REQUEST = ["--case", "2026-117", "--requested-by", "Ada Auditor", "--reason", "a suspicion of 3 November"];

async function retrieve(place: Workplace, out: string, ...args: string[]): Promise<string> {
  const bag = place.path(out);
  const ended = await place.here("retrieve", ["--json", ...REQUEST, "--out", bag, ...args]);
  assert.equal(ended.code, 0, ended.stderr);
  return bag;
}

async function refused(place: Workplace, code: number, words: RegExp, ...args: string[]): Promise<void> {
  const out = place.path("refused");
  const ended = await place.here("retrieve", [...REQUEST, "--out", out, ...args]);
  assert.equal(ended.code, code, ended.stderr);
  assert.match(String(ended.log.at(-1)?.error ?? ended.stderr), words);
  assert.deepEqual(
    (await readdir(place.folder)).filter((name) => name.startsWith("refused")),
    [],
  );
}

async function filesOf(bag: string): Promise<string[]> {
  const entries = await readdir(bag, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function vkeyOf(place: Workplace): Promise<string> {
  return (await readDescription(await place.vault())).description.log.vkey;
}

/** Someone with document files. */
function withFiles(sandbox: Sandbox): number {
  return sandbox
    .ids()
    .findIndex((_, index) => sandbox.resources(index).some(({ resource_files: files }) => files!.length > 1));
}

for (const vault of ["directory", "ceph"] as const) {
  test(`${vault}: a bag of one person, checked by sha256sum and by Holdfast, opened by the officer`, {
    skip: vault === "ceph" && withoutCeph,
  }, async () => {
    await using sandbox = await startSandbox({ identities: 12, plainImages: true });
    await using place = await makeWorkplace(sandbox, { vault });
    const index = withFiles(sandbox);
    const first = sandbox.text(index);
    await place.export();
    sandbox.change([index]);
    await place.export();
    const { email } = sandbox.identity(index).owner!;
    const bag = await retrieve(place, "bag", "--email", email!.toUpperCase());
    await run("sha256sum", ["-c", "--strict", "--quiet", "manifest-sha256.txt", "tagmanifest-sha256.txt"], {
      cwd: bag,
    });
    const info = await readFile(join(bag, "bag-info.txt"), "utf8");
    const payload = await filesOf(join(bag, "data"));
    const sizes = await Promise.all(payload.map(async (path) => (await readFile(path)).length));
    assert.match(info, new RegExp(`^Payload-Oxum: ${sizes.reduce((a, b) => a + b)}\\.${payload.length}$`, "m"));
    assert.equal(
      await readFile(join(bag, "bagit.txt"), "utf8"),
      "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
    );

    // On a machine that has neither config nor vault.
    const vkey = await vkeyOf(place);
    const verified = await place.holdfast("verify", [bag, "--vkey", vkey, "--json"], { cwd: tmpdir() });
    assert.equal(verified.code, 0, verified.stderr);
    assert.equal((verified.json as { records: number }).records, 2);
    const { vkey: another } = generateKey("acme-bank.example/holdfast");
    assert.equal((await place.here("verify", [bag, "--vkey", another])).code, 4);

    const opened = place.path("opened");
    const ended = await place.here("open", [bag, "--key", place.officer.file, "--vkey", vkey, "--out", opened]);
    assert.equal(ended.code, 0, ended.stderr);
    const subject = await place.subject(sandbox.ids()[index]!);
    const versions = (await readdir(join(opened, subject))).sort();
    assert.equal(versions.length, 2);
    const records = await Promise.all(
      versions.map(async (name) => JSON.parse(await readFile(join(opened, subject, name, "record.json"), "utf8"))),
    );
    assert.deepEqual(new Set(records.map(({ raw }) => raw[0].text)), new Set([first, sandbox.text(index)]));
    for (const [at, { files }] of records.entries()) {
      const names = (await readdir(join(opened, subject, versions[at]!)))
        .filter((name) => name !== "record.json")
        .sort();
      assert.equal(names.length, files.length);
      for (const [n, file] of files.entries()) {
        const bytes = await readFile(join(opened, subject, versions[at]!, names[n]!));
        if (file.sha256 !== null) assert.equal(createHash("sha256").update(bytes).digest("hex"), file.sha256);
        assert.deepEqual(bytes, await sandbox.file(index, file.resource, file.id));
      }
    }
    // And by age alone.
    const sealed = payload.find((path) => path.includes("/records/"))!;
    const { stdout } = await run("age", ["-d", "-i", place.officer.file, sealed]);
    assert.equal(JSON.parse(stdout).holdfast, "record/2");
    // A second --out over the first is refused.
    assert.equal((await place.here("open", [bag, "--key", place.officer.file, "--out", opened])).code, 2);
  });
}

test("what a killed retrieval left behind is reported and does no harm; an existing file is never overwritten", async () => {
  await using sandbox = await startSandbox({ identities: 1, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const left = place.path("bag.0a1b2c3d.partial");
  await mkdir(join(left, "data"), { recursive: true });
  const args = [...REQUEST, "--identity", sandbox.ids()[0]!, "--out", place.path("bag")];
  const ended = await place.here("retrieve", args);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /bag\.0a1b2c3d\.partial is left over from an earlier call/);
  await checkBag(place.path("bag"));
  assert.ok(existsSync(left));
  assert.equal((await place.holdfast("retrieve", args)).code, 2);
  await checkBag(place.path("bag"));
  // Only the first of the two was logged.
  assert.equal((await place.entries("retrieval.prepared")).length, 1);
});

test("the retrieval is in the log, its words are not; the next bag tells of it", async () => {
  await using sandbox = await startSandbox({ identities: 6, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const id = sandbox.ids()[1]!;
  await retrieve(place, "first", "--identity", id);
  const [entry] = await place.entries("retrieval.prepared");
  assert.deepEqual(entry!.subjects, [await place.subject(id)]);
  const log = JSON.stringify(await place.entries());
  for (const word of ["2026-117", "Ada Auditor", "suspicion"]) assert.ok(!log.includes(word), word);
  const second = await checkBag(await retrieve(place, "second", "--identity", id));
  const { entries } = second;
  // Stored, retrieved, retrieved.
  assert.equal(entries, 3);
  assert.equal(second.retrieval.requestedBy, "Ada Auditor");
  const [report] = await place.expect<{ problems: number }>(0, "verify", "--read-data", "100");
  assert.equal(report!.problems, 0);
  assert.equal((await place.export()).unchanged, 6);
});

test("nothing personal but the request's own words is in the open", async () => {
  await using sandbox = await startSandbox({ identities: 6, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const bag = await retrieve(place, "bag", ...sandbox.ids().flatMap((id) => ["--identity", id]));
  for (const path of await filesOf(bag)) {
    if (path.endsWith(".age")) continue;
    const text = await readFile(path, "utf8");
    for (const canary of sandbox.canaries()) assert.ok(!text.includes(canary), `${canary} in ${path}`);
  }
});

test("post-quantum recipients open it too", async () => {
  await using sandbox = await startSandbox({ identities: 3, plainImages: true });
  const identity = await generateHybridIdentity();
  await using place = await makeWorkplace(sandbox, { client: { recipients: [await identityToRecipient(identity)] } });
  await place.export();
  await writeFile(place.path("quantum.txt"), `${identity}\n`, { mode: 0o600 });
  const bag = await retrieve(place, "bag", "--identity", sandbox.ids()[0]!);
  const open = (key: string) => place.here("open", [bag, "--key", key, "--out", place.path("opened")]);
  const wrong = await open(place.officer.file);
  assert.equal(wrong.code, 2, wrong.stderr);
  assert.match(wrong.stderr, /Use the private key of one of the recipients in evidence\/vault\.json/);
  assert.ok(!existsSync(place.path("opened")));
  assert.equal((await open(place.path("quantum.txt"))).code, 0);
});

describe("which versions, and who", () => {
  test("all, the latest, as of a date; a version that was stored again", async () => {
    await using sandbox = await startSandbox({ identities: 4, plainImages: true });
    await using place = await makeWorkplace(sandbox);
    await place.export();
    sandbox.change([2]);
    await place.export();
    await place.export("--identity", sandbox.ids()[2]!, "--again");
    const of = async (out: string, ...args: string[]) =>
      (await checkBag(await retrieve(place, out, "--identity", sandbox.ids()[2]!, ...args))).records;
    const all = await of("all");
    assert.equal(all.length, 2);
    const [earlier, later] = all.toSorted((a, b) => (a.updated < b.updated ? -1 : 1));
    assert.deepEqual(
      (await of("latest", "--versions", "latest")).map(({ version }) => version),
      [later!.version],
    );
    const asOf = await of("as-of", "--versions", `as-of:${earlier!.updated}`);
    assert.deepEqual(
      asOf.map(({ version }) => version),
      [earlier!.version],
    );
    await refused(
      place,
      2,
      /no version of that time/,
      "--identity",
      sandbox.ids()[2]!,
      "--versions",
      "as-of:2001-01-01",
    );
  });

  test("by reference, by range, several at once; no one, and more than one", async () => {
    await using sandbox = await startSandbox({ identities: 8, files: false });
    await using place = await makeWorkplace(sandbox);
    await place.export();
    const person = sandbox.identity(1);
    const reference = (person.metadata as { customer_id: string }).customer_id;
    const one = await checkBag(await retrieve(place, "one", "--reference", reference));
    assert.deepEqual(
      one.retrieval.subjects.map(({ subject }) => subject),
      [await place.subject(person.id)],
    );
    const subject = await place.subject(sandbox.ids()[0]!);
    const two = await checkBag(await retrieve(place, "two", "--reference", reference, "--subject", subject));
    assert.equal(two.retrieval.subjects.length, 2);
    const everyone = await checkBag(await retrieve(place, "all", "--all-in-range", "2001-01-01..2100-01-01"));
    assert.equal(everyone.records.length, 8);
    await refused(place, 2, /no person is named/);
    await refused(place, 2, /1 to 2,000 characters/, "--subject", subject, "--reason", "x".repeat(2001));
    await refused(place, 2, /no one with that identity/, "--identity", "who");
    await refused(place, 2, /no one with that e-mail/, "--email", "no-one@example.com");
    await refused(place, 2, /no one with a version/, "--all-in-range", "2001-01-01..2001-01-02");
    await refused(place, 2, /earlier first/, "--all-in-range", "2002-01-01..2001-01-02");
    // Two people under one address: seen by a household, a shop, a forger.
    const { email } = person.owner!;
    sandbox.intercept((request, response) => {
      if (!request.url!.endsWith(`/identities/${sandbox.ids()[3]!}`)) return false;
      const text = sandbox.text(3).replaceAll(sandbox.identity(3).owner!.email!, email!);
      response.writeHead(200, { "Content-Type": "application/json" }).end(text);
      return true;
    });
    sandbox.change([3]);
    await place.export();
    const told =
      /2 verifications have that e-mail:(\n[0-9a-f]{32}: passbase, record of \d{4}-\d\d-\d\d, at the provider){2}$/;
    await refused(place, 2, told, "--email", email!);
    const both = await checkBag(await retrieve(place, "both", "--email", email!, "--all-matches"));
    assert.equal(both.retrieval.subjects.length, 2);
  });

  test("a place that cannot be made: nor are the folders above it", async () => {
    await using sandbox = await startSandbox({ identities: 1, plainImages: true });
    await using place = await makeWorkplace(sandbox);
    await place.export();
    const out = place.path("no/such/bag");
    const ended = await place.here("retrieve", [...REQUEST, "--out", out, "--identity", sandbox.ids()[0]!]);
    assert.equal(ended.code, 2, ended.stderr);
    assert.ok(!existsSync(place.path("no")));
  });

  test("an object that is damaged or missing ends it with code 4, and leaves no bag", async () => {
    await using sandbox = await startSandbox({ identities: 2, plainImages: true });
    await using place = await makeWorkplace(sandbox);
    await place.export();
    const subject = await place.subject(sandbox.ids()[0]!);
    const [entry] = (await place.stored()).get(subject)!;
    const path = place.path("vault", CLIENT, ".versions", entry!.object.key, entry!.object.versionId);
    const bytes = await readFile(path);
    for (const changed of [Buffer.concat([bytes, bytes]), bytes.subarray(1), Buffer.from(bytes).fill(7, 300, 301)]) {
      await rm(path);
      await writeFile(path, changed);
      await refused(place, 4, new RegExp(entry!.object.key), "--subject", subject);
    }
    assert.deepEqual(await place.entries("retrieval.prepared"), []);
  });
});

describe("a bag that was tampered with", () => {
  const tampered = async (work: (bag: string, copy: () => Promise<string>, place: Workplace) => Promise<void>) => {
    await using sandbox = await startSandbox({ identities: 3, plainImages: true });
    await using place = await makeWorkplace(sandbox);
    await place.export();
    const bag = await retrieve(place, "bag", "--identity", sandbox.ids()[0]!, "--identity", sandbox.ids()[1]!);
    const folder = await mkdtemp(join(tmpdir(), "holdfast-bags-"));
    let copies = 0;
    const copy = async () => {
      const path = join(folder, String(copies++));
      await cp(bag, path, { recursive: true });
      return path;
    };
    try {
      await work(bag, copy, place);
    } finally {
      await rm(folder, { recursive: true });
    }
  };
  const refusal = async (bag: string, what: string, vkey?: string): Promise<HoldfastError> => {
    const error = await checkBag(bag, vkey).then(
      () => assert.fail(`${what} went unnoticed`),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof HoldfastError, `${what}: ${error}`);
    assert.ok(["incomplete", "malformed", "unverified"].includes(error.code), `${what}: ${error.code}`);
    return error;
  };

  test("every file: flipped, cut, removed, renamed; and what was added", async (t) => {
    await tampered(async (bag, copy) => {
      const names = (await filesOf(bag)).map((path) => path.slice(bag.length + 1));
      const changes: Record<string, (path: string) => Promise<void>> = {
        flipped: async (path) => {
          const bytes = await readFile(path);
          bytes[bytes.length >> 1]! ^= 1;
          await writeFile(path, bytes);
        },
        cut: async (path) => writeFile(path, (await readFile(path)).subarray(0, -1)),
        removed: (path) => rm(path),
        renamed: (path) => rename(path, join(dirname(path), "renamed")),
        "a link": async (path) => {
          await rename(path, `${bag}-elsewhere`);
          await symlink(`${bag}-elsewhere`, path);
        },
      };
      let count = 0;
      for (const name of names) {
        for (const [how, change] of Object.entries(changes)) {
          const changed = await copy();
          await change(join(changed, name));
          await refusal(changed, `${name} ${how}`);
          await rm(`${bag}-elsewhere`, { force: true });
          await rm(changed, { recursive: true });
          count += 1;
        }
      }
      for (const name of ["fetch.txt", "data/more", "evidence/more.json", "more", ".hidden"]) {
        const changed = await copy();
        await writeFile(join(changed, name), "more");
        await refusal(changed, `${name} added`);
        count += 1;
      }
      t.diagnostic(`${count} changes of ${names.length} files, all refused`);
    });
  });

  test("one whose manifests were made again after a change was signed by no one", async () => {
    await tampered(async (_, copy, place) => {
      const bag = await copy();
      const path = join(bag, "evidence/retrieval.json");
      await writeFile(path, (await readFile(path, "utf8")).replace("Ada Auditor", "Eve Auditor"));
      await remanifest(bag);
      assert.match((await refusal(bag, "retrieval.json")).message, /is for a different bag|signature/);
      // Nor with a key of the forger's own, for someone who knows the right one.
      const { skey, vkey } = generateKey("acme-bank.example/holdfast");
      const forged = join(bag, "evidence/vault.json");
      const description = JSON.parse(await readFile(forged, "utf8"));
      await writeFile(forged, JSON.stringify({ ...description, log: { ...description.log, vkey } }));
      await remanifest(bag, skey);
      await refusal(bag, "a forger's key");
      assert.match((await refusal(bag, "a forger's key", await vkeyOf(place))).message, /different log key/);
    });
  });

  test("signed again by the log's own key, a changed request is not the one that was logged", async () => {
    await tampered(async (_, copy, place) => {
      const skey = (await readFile(place.path("keys/log"), "utf8")).trim();
      const path = (bag: string) => join(bag, "evidence/retrieval.json");
      for (const change of [
        (text: string) => text.replace("Ada Auditor", "Eve Auditor"),
        (text: string) => text.replace(/"version": "\d{8}/, '"version": "20010101'),
        (text: string) => JSON.stringify({ ...JSON.parse(text), subjects: JSON.parse(text).subjects.slice(1) }),
        () => "{}",
      ]) {
        const bag = await copy();
        await writeFile(path(bag), change(await readFile(path(bag), "utf8")));
        await remanifest(bag, skey);
        await refusal(bag, "retrieval.json");
      }
    });
  });

  test("manifests that lead out of the bag, or name a file twice, are refused", async () => {
    await tampered(async (_, copy) => {
      for (const line of [
        `${"0".repeat(64)}  ../keys/log`,
        `${"0".repeat(64)}  /etc/passwd`,
        "nonsense",
        "x".repeat(100_000),
      ]) {
        const bag = await copy();
        const manifest = join(bag, "tagmanifest-sha256.txt");
        await writeFile(manifest, `${await readFile(manifest, "utf8")}${line}\n`);
        assert.equal((await refusal(bag, line)).code, "malformed");
      }
    });
  });

  test("verify and open exit 4 for it, and open leaves nothing", async () => {
    await tampered(async (_, copy, place) => {
      const bag = await copy();
      const [path] = (await filesOf(join(bag, "data"))).filter((name) => name.includes("/records/"));
      const bytes = await readFile(path!);
      bytes[bytes.length - 1]! ^= 1;
      await writeFile(path!, bytes);
      const verified = await place.here("verify", [bag, "--json"]);
      assert.equal(verified.code, 4, verified.stderr);
      const opened = await place.here("open", [bag, "--key", place.officer.file, "--out", place.path("opened")]);
      assert.equal(opened.code, 4, opened.stderr);
      assert.ok(!existsSync(place.path("opened")) && !existsSync(place.path("opened.partial")));
      assert.equal((await place.here("verify", [place.path("keys")])).code, 2);
      assert.equal((await place.here("verify", [place.path("no-such-bag")])).code, 2);
    });
  });
});

test("files that were destroyed before their record: the bag has what is left, and the log's word for the rest", async () => {
  await using sandbox = await startSandbox({ identities: 3, plainImages: true });
  const clock = { initialLock: "PT2S", extendWhenLessThan: "PT1S" };
  await using place = await makeWorkplace(sandbox, {
    client: {
      retention: { keep: "PT1H", from: "exported", ...clock, classes: { files: { keep: "PT3S", from: "exported" } } },
    },
  });
  await place.export();
  const id = sandbox.ids()[withFiles(sandbox)]!;
  // Locks end by the clock, and there is nothing to do but wait.
  await delay(4_000);
  const purge = await place.here("retention", ["purge", "--confirm", "--out", place.path("destroyed")]);
  assert.equal(purge.code, 0, purge.stderr);
  const bag = await retrieve(place, "bag", "--identity", id);
  assert.ok(existsSync(join(bag, "data/records")));
  assert.ok(!existsSync(join(bag, "data/files")));
  const { records } = await checkBag(bag, await vkeyOf(place));
  assert.ok(records[0]!.files.length > 0);
  const opened = place.path("opened");
  const ended = await place.here("open", [bag, "--key", place.officer.file, "--out", opened]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(
    (await filesOf(opened)).map((path) => path.split("/").at(-1)),
    ["record.json"],
  );
  // Without the log's word for it, it is missing.
  const path = join(bag, "evidence/retrieval.json");
  const told = JSON.parse(await readFile(path, "utf8"));
  const kept = [...told.subjects[0].records.map((each: { entry: number }) => each.entry), ...told.retrieval];
  told.subjects[0].trail = kept;
  await writeFile(path, JSON.stringify(told));
  await resign(bag, (await readFile(place.path("keys/log"), "utf8")).trim());
  await assert.rejects(checkBag(bag), /data\/files\/.* is not what the log says was stored/);
});
