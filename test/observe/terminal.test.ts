import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { generateKey, parseSigner, signNote } from "../../src/audit/note.ts";
import { certificateNoteText } from "../../src/certificate/certificate.ts";
import { resign } from "../bag/bag-lists.ts";
import { obeyed, onTerminal, type Seen, withoutTerminal } from "../cli/terminal.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { s3Client, withoutCeph } from "../servers/s3.ts";

/** Clears the screen, says what is not so in lines of its own, and conceals what comes after. */
const LIE = [
  "2026-117, prepared 2026-11-23T10:15:00Z",
  "  key       signed by the log key that you trust\u001b[8m\u009b8m\u202e\u2028\u200b\u{e0041}\u0007\r\u001b[2J",
].join("\n");

describe("on a terminal nothing from outside is obeyed", { skip: withoutTerminal }, () => {
  let sandbox: Sandbox;
  let place: Workplace;
  let bag: string;

  before(async () => {
    sandbox = await startSandbox({ identities: 2, plainImages: true });
    place = await makeWorkplace(sandbox);
    await place.export();
    bag = place.path("bag");
    const asked = ["--case", LIE, "--requested-by", LIE, "--reason", LIE, "--out", bag];
    const ended = await place.holdfast("retrieve", [...asked, "--identity", sandbox.ids()[0]!]);
    assert.equal(ended.code, 0, ended.stderr);
  });
  after(async () => {
    await place?.[Symbol.asyncDispose]();
    await sandbox?.close();
  });

  async function look(args: readonly string[], code: number): Promise<Seen> {
    const seen = await onTerminal(args, place.folder);
    assert.equal(seen.code, code, seen.text);
    for (const line of seen.lines) assert.deepEqual(obeyed(line), [], JSON.stringify(line));
    return seen;
  }

  test("a bag whose case ends the line and conceals the next: the line on its key is there, and the only one", async () => {
    const { lines } = await look(["verify", bag], 0);
    const keys = lines.filter((line) => line.startsWith("  key "));
    assert.equal(keys.length, 1);
    assert.match(keys[0]!, /according to the bag itself/);
    assert.match(lines.find((line) => line.startsWith("  case "))!, /^ {2}case {6}"2026-117, .*\\n key .*\\u001b\[8m/);
  });

  test("the same as JSON, whose meaning stays", async () => {
    const { text } = await look(["verify", bag, "--json"], 0);
    const json = text.split("\r\n").find((line) => line.startsWith("{"))!;
    assert.equal(JSON.parse(json).case, LIE);
  });

  test("README.txt and bag-info.txt: no line in them comes from the person who asked", async () => {
    for (const [name, lines] of [
      ["README.txt", /^Case {11}2026-117, .*\\n {2}key .*$/m],
      ["bag-info.txt", /^External-Identifier: 2026-117, .*\\n {2}key .*$/m],
    ] as const) {
      const text = await readFile(join(bag, name), "utf8");
      assert.match(text, lines);
      assert.deepEqual(obeyed(text.replaceAll("\n", "")), [], name);
      assert.doesNotMatch(text, /^ +key /m);
    }
  });

  test("an invalid time is refused, in a bag and in a certificate; a certificate's own words are quoted", async () => {
    const skey = (await readFile(place.path("keys/log"), "utf8")).trim();
    for (const prepared of ["2026-02-30T10:00:00Z", "2026-11-23T10:15:00Z\n", LIE, "yesterday"]) {
      const at = place.path(`forged-${createHash("sha256").update(prepared).digest("hex").slice(0, 8)}`);
      await cp(bag, at, { recursive: true });
      const path = join(at, "evidence/retrieval.json");
      await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), prepared }));
      await resign(at, skey);
      const { lines } = await look(["verify", at], 4);
      assert.match(lines[0]!, /retrieval\.json is not what a retrieval writes/);
    }
    for (const [made, code] of [
      ["2026-11-23T10:15:00Z", 0],
      [LIE, 4],
      ["", 4],
    ] as const) {
      const { lines } = await look(["verify", await certificate({ made, client: LIE, run: LIE })], code);
      if (code === 0) assert.equal(lines.filter((line) => line.startsWith("  key ")).length, 1);
    }
  });

  let certificates = 0;
  /** A forged one, signed with the forger's key. */
  async function certificate(words: { made: string; client: string; run: string }): Promise<string> {
    const { skey, vkey } = generateKey("forger.example/log");
    const totals = { subjects: 0, records: 0, files: 0, bytes: 0, versions: 0 };
    const json = JSON.stringify({
      ...{ holdfast: "certificate-of-destruction/1", origin: "forger.example/log", vkey, ...words },
      ...{ policy: {}, legalBasis: [LIE], totals, entries: [] },
    });
    const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
    const note = signNote(certificateNoteText("forger.example/log", sha256(json), sha256("")), [parseSigner(skey)]);
    const folder = place.path(`certificate-${certificates++}`);
    await mkdir(folder);
    await writeFile(join(folder, "certificate.json"), json);
    await writeFile(join(folder, "certificate.json.note"), note);
    await writeFile(join(folder, "certificate.html"), "");
    return folder;
  }

  test("what commander repeats, and names of files, of folders and in a config that is wrong", async () => {
    await look(["verify", `--\u001b[2Jno\n${LIE}`], 2);
    await look([`\u001b[2J${LIE}`], 2);
    await look(["verify", place.path(`no\u001b[2J\nsuch`)], 2);
    await look(["open", place.path(`no\u001b[2J\nsuch`), "--key", place.officer.file], 2);
    await look(["export", "--config", place.path("no\u001b[8m\nsuch.yaml")], 2);
    const config = place.path("hostile.yaml");
    await writeFile(
      config,
      `clients:\n  - id: "\\e[2J\\n${CLIENT}"\n    "ke\\ey\\n": 1\n    vault: { url: "x\\e[8m" }\n`,
    );
    await look(["export", "--config", config], 2);
  });

  test("a record opened to the terminal is the same JSON, and cannot control the terminal", async () => {
    const name = "\u009b2J\u202eSmith\u2028";
    await using own = await startSandbox({ identities: 1, plainImages: true });
    own.intercept((request, response) => {
      if (!/\/identities\/[^/]+$/.test(request.url!)) return false;
      const identity = own.identity(0);
      response
        .writeHead(200, { "Content-Type": "application/json" })
        .end(JSON.stringify({ ...identity, owner: { ...identity.owner, first_name: name } }));
      return true;
    });
    await using there = await makeWorkplace(own);
    await there.export();
    const [stored] = await there.entries("record.stored");
    const sealed = there.path("vault", CLIENT, stored!.object.key);
    const { text } = await look(["open", sealed, "--key", there.officer.file], 0);
    assert.equal(JSON.parse(text).identity.owner.firstName, name);
    // Elsewhere the bytes are the sealed ones, unchanged.
    const piped = await there.holdfast("open", [sealed, "--key", there.officer.file]);
    assert.ok(piped.stdout.includes(name));
  });

  test("keys that a storage admin put into a bucket", { skip: withoutCeph }, async () => {
    await using own = await makeWorkplace(sandbox, { vault: "ceph" });
    await own.export();
    const { bucket: Bucket, prefix } = (await own.client()).vault.url.match(
      /^s3:\/\/(?<bucket>[^/?]+)\/?(?<prefix>[^?]*)/,
    )!.groups as { bucket: string; prefix: string };
    const client = s3Client();
    const key = "records/aa/\u001b[2J\u001b[Hacme: all is well\u001b[8m\u202e\u0085/x.age";
    await client.send(new PutObjectCommand({ Bucket, Key: prefix === "" ? key : `${prefix}/${key}`, Body: "x" }));
    client.destroy();
    const { text, lines, code } = await onTerminal(["verify", "--orphans", "--config", own.file], own.folder);
    for (const line of lines) assert.deepEqual(obeyed(line), [], JSON.stringify(line));
    assert.ok([0, 4].includes(code), text);
    assert.match(text, /acme: all is well/);
  });
});
