import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { approve } from "../../src/approval/approval.ts";
import { checkSignature } from "../../src/approval/signature.ts";
import { checkBag } from "../../src/bag/reader.ts";
import { parseRequest } from "../../src/bag/request.ts";
import { parseApprover } from "../../src/core/ssh-key.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { resign } from "./bag-lists.ts";

const run = promisify(execFile);
const WORDS = ["--case", "2026-117", "--requested-by", "Ada Auditor", "--reason", "a suspicion"];
const NAMESPACE = "holdfast-retrieval";

describe("retrieval by two people", () => {
  let sandbox: Sandbox;
  let place: Workplace;
  let bare: { readonly public: string; readonly sign: (message: Uint8Array) => Buffer };
  let made = 0;

  before(async () => {
    sandbox = await startSandbox({ identities: 4 });
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const raw = Buffer.from(publicKey.export({ format: "jwk" }).x!, "base64url");
    bare = { public: `ed25519:${raw.toString("base64")}`, sign: (message) => sign(null, message, privateKey) };
    const keys = await makeWorkplace(sandbox);
    for (const name of ["grace", "mallory"])
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", `${name}@acme`, "-f", keys.path(name)]);
    const grace = (await readFile(keys.path("grace.pub"), "utf8")).trim();
    place = await makeWorkplace(sandbox, { client: { retrieval: { approvals: [grace, bare.public] } } });
    for (const name of ["grace", "mallory"]) await cp(keys.path(name), place.path(name));
    await keys[Symbol.asyncDispose]();
    await place.export();
  });
  after(async () => {
    await place?.[Symbol.asyncDispose]();
    await sandbox?.close();
  });

  /** Asks, and gives the request that was written for the second person. */
  async function ask(): Promise<{ out: string; request: string }> {
    const out = place.path(`bag-${made++}`);
    const ended = await place.here("retrieve", [...WORDS, "--identity", sandbox.ids()[0]!, "--out", out]);
    assert.equal(ended.code, 2, ended.stderr);
    return { out, request: `${out}.request.json` };
  }

  async function signedBy(who: string, request: string, namespace = NAMESPACE): Promise<string> {
    await rm(`${request}.sig`, { force: true });
    await run("ssh-keygen", ["-q", "-Y", "sign", "-n", namespace, "-f", place.path(who), request]);
    return `${request}.sig`;
  }

  const fetch = (request: string, approval: string, out: string) =>
    place.here("retrieve", ["--json", "--request", request, "--approval", approval, "--out", out]);

  async function refused(ended: Awaited<ReturnType<typeof fetch>>, words: RegExp): Promise<void> {
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(JSON.parse(ended.stdout).error.message, words);
    const last = (await place.entries()).at(-1)!;
    assert.equal(last.type, "retrieval.refused");
  }

  test("one asks, another signs with ssh-keygen; the bag holds both, and verify checks it", async () => {
    const { out, request } = await ask();
    const asked = (await place.entries()).at(-1)!;
    assert.ok(asked.type === "retrieval.refused" && asked.reason === "missing");
    const ended = await fetch(request, await signedBy("grace", request), out);
    assert.equal(ended.code, 0, ended.stderr);
    const logged = (await place.entries()).at(-1)!;
    assert.ok(logged.type === "retrieval.prepared");
    assert.equal(logged.request, asked.request);
    assert.equal(logged.commitment, asked.commitment);
    assert.match(logged.approvedBy!, /^ssh-ed25519 \S+$/);
    assert.deepEqual(await readFile(join(out, "evidence/request.json")), await readFile(request));
    const verified = await place.here("verify", ["--json", out]);
    assert.equal(verified.code, 0, verified.stderr);
    // What OpenSSH itself says of the signature in the bag.
    await writeFile(place.path("allowed"), `grace ${logged.approvedBy}\n`);
    const checking = run("ssh-keygen", [
      ...["-Y", "verify", "-f", place.path("allowed"), "-I", "grace", "-n", NAMESPACE],
      ...["-s", join(out, "evidence/request.sig")],
    ]);
    checking.child.stdin!.end(await readFile(request));
    assert.match((await checking).stdout, /^Good "holdfast-retrieval" signature/);
  });

  test("a bare Ed25519 key approves as well, raw and in base64", async () => {
    for (const encoding of ["binary", "base64"] as const) {
      const { out, request } = await ask();
      const signature = bare.sign(await readFile(request));
      await writeFile(`${request}.sig`, encoding === "binary" ? signature : `${signature.toString("base64")}\n`);
      const ended = await fetch(request, `${request}.sig`, out);
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal((await place.here("verify", ["--json", out])).code, 0);
    }
  });

  test("without a valid approval nothing is handed out, and the log says so", async () => {
    const { out, request } = await ask();
    await refused(await fetch(request, await signedBy("mallory", request), out), /not among those that may approve/);
    await refused(await fetch(request, await signedBy("grace", request, "file"), out), /not over this request/);
    const good = await signedBy("grace", request);
    const other = await ask();
    await refused(await fetch(other.request, good, other.out), /not over this request/);
    const text = await readFile(request, "utf8");
    await writeFile(request, text.replace('"all"', '"latest"'));
    await refused(await fetch(request, good, out), /not over this request/);
    await writeFile(request, text);
    await writeFile(place.path("none.sig"), "approved by Grace");
    await refused(await fetch(request, place.path("none.sig"), out), /not over this request/);
    const late = await place.here("retrieve", ["--request", request, "--approval", good, "--case", "x", "--out", out]);
    assert.equal(late.code, 2);
    const foreign = place.path("foreign.json");
    await writeFile(foreign, "{}");
    assert.equal((await fetch(foreign, good, out)).code, 2);
    await assert.rejects(readFile(join(out, "bagit.txt")));
    // The words of the request are nowhere in the log.
    const log = JSON.stringify(await place.entries());
    for (const word of ["Ada Auditor", "a suspicion", "2026-117"]) assert.ok(!log.includes(word), word);
  });

  test("an approval holds for seven days, to the second", async () => {
    const { request } = await ask();
    const asked = parseRequest(await readFile(request));
    const signature = bare.sign(asked.bytes);
    const approvers = [parseApprover(bare.public)];
    const { expires, made: from } = asked.request;
    assert.equal(expires.since(from).total("hours"), 7 * 24);
    assert.equal(typeof approve(asked, signature, approvers, expires.subtract({ seconds: 1 }), NAMESPACE), "object");
    assert.equal(approve(asked, signature, approvers, expires, NAMESPACE), "expired");
    assert.equal(typeof approve(asked, signature, approvers, from, NAMESPACE), "object");
    assert.equal(approve(asked, signature, approvers, from.subtract({ nanoseconds: 1 }), NAMESPACE), "expired");
  });

  test("an approval is for one bag: the second is refused, and told which run made the first", async () => {
    const { out, request } = await ask();
    const signature = await signedBy("grace", request);
    assert.equal((await fetch(request, signature, out)).code, 0);
    const made = (await place.entries("retrieval.prepared")).at(-1)!;
    for (const again of ["at once", "with a catalog made from the log"]) {
      const ended = await fetch(request, signature, `${out}-again`);
      await refused(ended, new RegExp(`the run ${made.run} made a bag with this approval already`));
      assert.equal(JSON.parse(ended.stdout).error.code, "unapproved");
      assert.match(JSON.parse(ended.stdout).error.hint, /ask for the retrieval again/);
      assert.deepEqual(
        (await readdir(place.folder)).filter((name) => name.includes("-again")),
        [],
      );
      if (again === "at once") await place.expect(0, "rebuild");
    }
    assert.equal((await place.entries("retrieval.prepared")).filter((each) => each.request === made.request).length, 1);
    // Another request for the same people, newly signed, is another approval.
    const again = await ask();
    assert.equal((await fetch(again.request, await signedBy("grace", again.request), again.out)).code, 0);
  });

  test("a request that was changed before it was signed is refused, no matter who signed it", async () => {
    const { out, request } = await ask();
    const text = await readFile(request, "utf8");
    for (const changed of [
      text.replace(/"expires": "[^"]+"/, '"expires": "2099-01-01T00:00:00Z"'),
      text.replace('  "reason"', '  "reason": "harmless: a fire drill",\n  "reason"'),
      text.replace('  "salt"', '  "note": "x",\n  "salt"'),
    ]) {
      assert.notEqual(changed, text);
      await writeFile(request, changed);
      const ended = await fetch(request, await signedBy("grace", request), out);
      assert.equal(ended.code, 2, ended.stderr);
      await assert.rejects(readFile(join(out, "bagit.txt")));
    }
  });

  test("a bag whose approval was exchanged is refused, also with lists that fit and are signed", async () => {
    const skey = (await readFile(place.path("keys/log"), "utf8")).trim();
    for (const [name, exchange] of [
      ["evidence/request.sig", async (request: string) => readFile(await signedBy("mallory", request))],
      ["evidence/request.json", async (request: string) => Buffer.from(`${await readFile(request, "utf8")} `)],
    ] as const) {
      const { out, request } = await ask();
      await fetch(request, await signedBy("grace", request), out);
      await writeFile(join(out, name), await exchange(request));
      await resign(out, skey);
      await assert.rejects(checkBag(out), (error: Error) => error.message.includes(name));
    }
  });
});

test("a key on a security token approves, if it was touched", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.from(publicKey.export({ format: "jwk" }).x!, "base64url");
  const kind = "sk-ssh-ed25519@openssh.com";
  const wire = Buffer.concat([kind, raw, "ssh:"].map(sshString));
  const approver = parseApprover(`${kind} ${wire.toString("base64")} token`);
  const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest();
  function signed(message: string, flags: number): Buffer {
    const digest = createHash("sha512").update(message).digest();
    const blob = Buffer.concat([Buffer.from("SSHSIG"), ...[NAMESPACE, "", "sha512", digest].map(sshString)]);
    const tail = Buffer.from([flags, 0, 0, 0, 7]);
    const bytes = sign(null, Buffer.concat([sha256("ssh:"), tail, sha256(blob)]), privateKey);
    const inner = Buffer.concat([sshString(kind), sshString(bytes), tail]);
    const version = Buffer.from([0, 0, 0, 1]);
    const parts = [wire, NAMESPACE, "", "sha512", inner].map(sshString);
    const base64 = Buffer.concat([Buffer.from("SSHSIG"), version, ...parts]).toString("base64");
    return Buffer.from(`-----BEGIN SSH SIGNATURE-----\n${base64}\n-----END SSH SIGNATURE-----\n`);
  }
  const check = (message: string, signature: Uint8Array) =>
    checkSignature(Buffer.from(message), signature, approver, NAMESPACE);
  assert.equal(check("this", signed("this", 1)), "good");
  assert.equal(check("this", signed("this", 0)), "bad");
  assert.equal(check("that", signed("this", 1)), "bad");
  assert.equal(check("this", signed("this", 1).subarray(0, 200)), "bad");
});

function sshString(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

test("people from a list; a line that names no one is told by its number, and is not repeated", async () => {
  await using sandbox = await startSandbox({ identities: 4 });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const list = place.path("people.txt");
  const [first, , third] = sandbox.ids();
  const email = sandbox.identity(1).owner!.email!;
  await writeFile(
    list,
    `# of 3 November\n\nidentity ${first}\r\n email  ${email}\nsubject ${await place.subject(third!)}\n`,
  );
  const out = place.path("listed");
  const ended = await place.here("retrieve", ["--json", ...WORDS, "--list", list, "--out", out]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal((await checkBag(out)).retrieval.subjects.length, 3);
  await writeFile(list, `identity ${first}\n${email}\n`);
  const refused = await place.here("retrieve", [...WORDS, "--list", list, "--out", place.path("not")]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /people\.txt, line 2: /);
  assert.ok(!refused.stderr.includes(email));
  const missing = await place.here("retrieve", [...WORDS, "--list", place.path("no"), "--out", place.path("not")]);
  assert.equal(missing.code, 2);
});

test("approvers: invalid keys are refused with a hint, a private one is not repeated", () => {
  const good = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6mPHh0zJyVvlbmCN5gkrtU0nLjhuB2Q3jGDK5bWXmG";
  assert.equal(parseApprover(`${good} ada@acme with words`).key, good);
  for (const bad of ["", "ssh-rsa AAAA", good.slice(0, -4), `${good.slice(0, 40)}!`, "ed25519:AAAA", "age1xyz"]) {
    assert.throws(() => parseApprover(bad), { code: "config" }, bad);
  }
  assert.throws(
    () => parseApprover("-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaC1rZXk"),
    (error: Error) => !error.message.includes("b3Blb"),
  );
});
