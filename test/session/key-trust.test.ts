import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { exportClients } from "../../jobs/export.ts";
import { purge } from "../../jobs/purge.ts";
import { verify } from "../../jobs/verify.ts";
import { createConsole } from "../../src/observe/console.ts";
import { verifyBag } from "../../src/session/verify-bag.ts";
import { verifyCertificate } from "../../src/session/verify-certificate.ts";
import { readDescription } from "../../src/vault/description.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

const RETENTION = { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };
const REQUEST = ["--case", "12", "--requested-by", "Ada Auditor", "--reason", "a suspicion"];
const CONSISTENT = /^\S+: consistent, but the key came with the (vault|bag|certificate), and no one has vouched for it/;

/** Everything in it was signed by one key; whether that is the client's, only the client can say. */
describe("whose log key it was", () => {
  let sandbox: Sandbox;
  let place: Workplace;
  let vkey: string;
  /** What `verify` is given, by name. */
  const folders: Record<string, readonly string[]> = { vault: [] };
  before(async () => {
    sandbox = await startSandbox({ identities: 2, files: false });
    place = await makeWorkplace(sandbox, { client: { retention: RETENTION } });
    await exportClients(await session(place), {});
    vkey = (await readDescription(await place.vault())).description.log.vkey;
    folders.bag = [place.path("bag")];
    const made = await place.here("retrieve", [
      ...REQUEST,
      "--identity",
      sandbox.ids()[0]!,
      "--out",
      place.path("bag"),
    ]);
    assert.equal(made.code, 0, made.stderr);
    await delay(2_100);
    folders.certificate = [place.path("destroyed")];
    await purge(await session(place), place.path("destroyed"));
  });
  after(async () => {
    await place[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });

  const keyOf = (json: unknown): unknown => {
    const { clients, ...report } = json as {
      clients?: { vkey: string; keyTrusted: boolean }[];
      vkey: string;
      keyTrusted: boolean;
    };
    const { vkey, keyTrusted } = clients?.[0] ?? report;
    return { vkey, keyTrusted };
  };

  test("the machine that has the log's private key has it from the client", async () => {
    const ended = await place.here("verify", ["--json"]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(keyOf(ended.json), { vkey, keyTrusted: true });
    assert.ok(ended.log.some(({ msg }) => /^acme-bank: all is well/.test(String(msg))));
    assert.ok(!ended.log.some(({ level }) => level === "warn"));
  });

  for (const isTrusted of [true, false]) {
    test(`open and reseal of a bag ${isTrusted ? "with" : "without"} the key that someone gave`, async () => {
      const name = isTrusted ? "with" : "without";
      const given = isTrusted ? ["--vkey", vkey] : [];
      const opened = ["--key", place.officer.file, "--out", place.path(`opened-${name}`), ...given];
      const resealed = ["--key", place.officer.file, "--to", place.officer.recipient, "--out"];
      for (const ended of [
        await place.here("open", [...folders.bag!, ...opened]),
        await place.here("reseal", [...folders.bag!, ...resealed, place.path(`resealed-${name}`), ...given]),
      ]) {
        assert.equal(ended.code, 0, ended.stderr);
        assert.equal(/no one has vouched for it/.test(String(ended.log[0]!.msg)), !isTrusted, ended.stderr);
        assert.equal(/no one has vouched/.test(String(ended.log.at(-1)!.msg)), !isTrusted, ended.stderr);
      }
    });
  }

  test("a folder that is neither a bag nor a certificate is a wrong name, not a damaged bag", async () => {
    await mkdir(place.path("holiday"));
    await writeFile(place.path("holiday", "notes.txt"), "sunny");
    for (const command of [["verify"], ["open", "--key", place.officer.file, "--out", place.path("o")]]) {
      const ended = await place.here(command[0]!, [place.path("holiday"), ...command.slice(1)]);
      assert.deepEqual([ended.code, /not a bag/.test(ended.stderr)], [2, true], ended.stderr);
    }
  });

  test("--since in the future checks nothing, so it is refused", async () => {
    const ended = await place.here("verify", ["--since", "2090-01-01"]);
    assert.deepEqual([ended.code, /is in the future/.test(ended.stderr)], [2, true], ended.stderr);
  });

  for (const what of ["vault", "bag", "certificate"]) {
    test(`${what}: without --vkey it is consistent and no more, in the first line, the last and JSON`, async () => {
      await place.configure({ log: { key: "env:NOT_HERE" } });
      const ended = await place.here("verify", [...folders[what]!, "--json"]);
      assert.equal(ended.code, 0, ended.stderr);
      assert.deepEqual(keyOf(ended.json), { vkey, keyTrusted: false });
      assert.doesNotMatch(ended.stderr, /all is well/);
      assert.match(String(ended.log[0]!.msg), CONSISTENT);
      const last = ended.log.at(-1)!;
      assert.deepEqual([last.level, /no one has vouched/.test(String(last.msg))], ["warn", true]);
      assert.ok(String(last.hint).includes(vkey) && String(last.hint).includes("--vkey"));
    });

    test(`${what}: with the key that someone gave, all is well`, async () => {
      await place.configure({ log: { key: "env:NOT_HERE" } });
      const ended = await place.here("verify", [...folders[what]!, "--json", "--vkey", vkey]);
      assert.equal(ended.code, 0, ended.stderr);
      assert.deepEqual(keyOf(ended.json), { vkey, keyTrusted: true });
      assert.match(String(ended.log[0]!.msg), /: all is well/);
      assert.ok(!ended.log.some(({ level }) => level === "warn"));
    });

    test(`${what}: a mistyped key is a typing error, and no word about the ${what}`, async () => {
      const mistyped = vkey.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
      for (const key of [mistyped, "garbage", ""]) {
        const ended = await place.here("verify", [...folders[what]!, "--vkey", key]);
        assert.equal(ended.code, 2, ended.stderr);
        assert.match(ended.stderr, /Not a (valid )?log key/);
      }
    });

    test(`${what}: a terminal shows it first and last`, async () => {
      await place.configure({ log: { key: "env:NOT_HERE" } });
      const shown: string[] = [];
      const stderr = {
        isTTY: true,
        columns: 1_000,
        write: (text: string) => shown.push(text),
      } as unknown as NodeJS.WriteStream;
      const console = createConsole({ json: false, quiet: false, color: "never", stderr });
      const [folder] = folders[what]!;
      if (what === "vault") await verify({ ...(await session(place)), console }, { readData: 0 });
      else if (what === "bag") await verifyBag(folder!, {}, console);
      else await verifyCertificate(folder!, undefined, console);
      const lines = shown.join("").replaceAll("\r\u001b[K", "\n").trim().split("\n");
      const first = lines.findIndex((line) => CONSISTENT.test(line));
      assert.ok(first >= 0 && lines.slice(0, first).every((line) => !/all is well/.test(line)), lines.join("\n"));
      assert.match(lines.at(-2)!, /no one has vouched for the log key/);
      assert.ok(lines.at(-1)!.includes(vkey));
    });
  }
});
