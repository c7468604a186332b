import assert from "node:assert/strict";
import { copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { strToU8, zipSync } from "fflate";
import { generateKey } from "../../src/audit/note.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { onTerminal, withoutTerminal } from "./terminal.ts";

const UNIX = process.platform === "win32" ? "needs a Unix system" : withoutTerminal;
const ORIGIN = `${CLIENT}.example/holdfast`;

let sandbox: Sandbox;
let place: Workplace;
let vkey: string;
before(async () => {
  sandbox = await startSandbox({ identities: 2, files: false });
  place = await makeWorkplace(sandbox);
  await place.export();
  const subject = [...(await place.stored()).keys()][0]!;
  const why = ["--case", "AZ 17", "--requested-by", "FIU", "--reason", "inquiry"];
  await place.expect(0, "retrieve", ...why, "--subject", subject, "--out", place.path("bag"));
  vkey = JSON.parse(await readFile(place.path("vault", CLIENT, "vault.json"), "utf8")).log.vkey;
  await writeFile(place.path("bag.zip"), zipSync({ "bag/bagit.txt": strToU8("BagIt-Version: 1.0\n") }));
  await writeFile(place.path("cut.zip"), Buffer.from("PK\u0003\u0004 and no more"));
  await mkdir(place.path("destroyed"));
  await writeFile(place.path("destroyed/certificate.json"), "{}");
  await mkdir(place.path("bereft"));
  await writeFile(place.path("bereft/certificate.json.note"), "");
  await mkdir(place.path("theirs/data"), { recursive: true });
  await writeFile(place.path("theirs/bagit.txt"), "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
  await writeFile(place.path("theirs/data/a.txt"), "a");
  await writeFile(place.path("theirs/manifest-sha256.txt"), `${"0".repeat(64)}  data/a.txt\n`);
});
after(async () => {
  await place[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});

/** On a terminal and piped alike. */
async function ends(args: readonly string[], code: number, says: RegExp): Promise<void> {
  const [command, ...more] = args;
  const [seen, piped] = await Promise.all([onTerminal(args, place.folder), place.holdfast(command!, more)]);
  assert.deepEqual([seen.code, piped.code], [code, code], seen.text + piped.stderr);
  assert.match(seen.lines.join("\n"), says);
  assert.match(piped.stderr.replaceAll('\\"', '"'), says);
}

const open = (what: string): string[] => ["open", what, "--key", "keys/officer.txt", "--out", "opened"];

test("a certificate whose certificate.json is gone is damaged, not a wrong path: code 4", { skip: UNIX }, () =>
  ends(["verify", "bereft"], 4, /certificate\.json is missing/),
);

describe("a wrong path or a typing error is exit code 2, which is no incident", { skip: UNIX, concurrency: 2 }, () => {
  const slips: readonly (readonly [name: string, args: () => readonly string[], says: RegExp])[] = [
    ["verify of a zip", () => ["verify", "bag.zip"], /bag\.zip is a zip: unpack it first/],
    ["verify of a damaged zip", () => ["verify", "cut.zip"], /cut\.zip is a zip: unpack it first/],
    ["open of a zip", () => open("bag.zip"), /bag\.zip is a zip: unpack it first/],
    ["verify --list-price alone", () => ["verify", "--list-price", "0.005"], /need --plan[\s\S]*Add --plan/],
    ["verify --get-price alone", () => ["verify", "--get-price", "0.0004"], /need --plan[\s\S]*Add --plan/],
    ["verify of a bag, --get-price", () => ["verify", "bag", "--get-price", "1"], /need --plan[\s\S]*Add --plan/],
    ["verify --plan of a bag", () => ["verify", "--plan", "bag"], /about vaults, not bags[\s\S]*Leave the folder out/],
    ["verify of a file", () => ["verify", "holdfast.yaml"], /not a bag: holdfast\.yaml is a file/],
    ["open of another file", () => open("holdfast.yaml"), /holdfast\.yaml is not a sealed file/],
    ["verify of a bag's data", () => ["verify", "bag/data"], /not a bag: bag\/data[\s\S]*holds bagit\.txt/],
    ["open of a bag's evidence", () => open("bag/evidence"), /not a bag: bag\/evidence/],
    ["verify of a vault", () => ["verify", `vault/${CLIENT}`], /not a bag: vault/],
    ["verify of what is not there", () => ["verify", "nothing"], /nothing cannot be read \(ENOENT\)/],
    ["verify of another program's bag", () => ["verify", "theirs"], /BagIt bag, but Holdfast did not make it/],
    ["open of another program's bag", () => open("theirs"), /BagIt bag, but Holdfast did not make it/],
    ["open of a certificate", () => open("destroyed"), /nothing to open: use `holdfast verify`/],
    ["a key file that is not there", () => ["open", "bag", "--key", "no.txt", "--out", "o"], /no\.txt cannot be read/],
    ["verify --vkey nonsense", () => ["verify", "bag", "--vkey", "nonsense"], /Not a log key/],
    [
      "verify of a bag, --vkey mistyped",
      () => ["verify", "bag", "--vkey", mistyped()],
      /check digits [0-9a-f]{8} do not/,
    ],
    ["open of a bag, --vkey mistyped", () => [...open("bag"), "--vkey", mistyped()], /check digits [0-9a-f]{8} do not/],
  ];
  for (const [name, args, says] of slips)
    test(name, async () => {
      const words = args();
      // `verify` of a vault takes a config, of a bag none; `Workplace` always names one.
      await ends(words, 2, says);
    });

  test("verify of the vault, --vkey mistyped", () =>
    ends(["verify", "--config", place.file, "--vkey", mistyped()], 2, /check digits [0-9a-f]{8} do not match/));

  test("report into a folder that does not exist", () =>
    ends(["report", "--config", place.file, "--out", "nodir/report.html"], 2, /nodir\/report\.html cannot be written/));
});

/** The last character is another: a typing error. */
function mistyped(): string {
  return vkey.slice(0, -1) + (vkey.endsWith("A") ? "B" : "A");
}

test("--vkey of another log is exit code 4 for vault and bag, and says which key is another", {
  skip: UNIX,
}, async () => {
  const other = generateKey(ORIGIN).vkey;
  for (const [args, what] of [
    [["verify", "--config", place.file, "--vkey", other], "vault.json in "],
    [["verify", "bag", "--vkey", other], "this bag "],
    [[...open("bag"), "--vkey", other], "this bag "],
  ] as const)
    await ends(args, 4, new RegExp(`${what}.*uses a different log key than the one you gave`));
});

describe("the config's own log key is not the vault's", { skip: UNIX }, () => {
  before(() => rename(place.path("keys/log"), place.path("keys/kept")));
  after(() => rename(place.path("keys/kept"), place.path("keys/log")));

  const each = async (code: number, says: RegExp): Promise<void> => {
    for (const command of ["export", "verify"]) await ends([command, "--config", place.file], code, says);
  };

  test("it is damaged: the config's fault, code 2", async () => {
    const whole = (await readFile(place.path("keys/kept"), "utf8")).trim();
    await writeFile(place.path("keys/log"), `${whole.slice(0, -1)}${whole.endsWith("A") ? "B" : "A"}\n`);
    await each(2, /keys\/log is not a log key: its check digits do not fit/);
  });

  test("it is a key of another log: code 2", async () => {
    await writeFile(place.path("keys/log"), generateKey("other.example/holdfast").skey);
    await each(2, /keys\/log is a key of log other\.example\/holdfast, not acme-bank\.example\/holdfast/);
  });

  test("this machine saw the log under the vault's key: the file is the wrong one, code 2", async () => {
    await writeFile(place.path("keys/log"), generateKey(ORIGIN).skey);
    await each(2, /keys\/log is not the log key of this vault/);
  });

  test("nothing here says which of the two is right: code 4", async () => {
    const checkpoint = place.path("state", CLIENT, "checkpoint");
    await writeFile(place.path("keys/log"), generateKey(ORIGIN).skey);
    await rename(checkpoint, place.path("apart"));
    try {
      await each(4, /uses a different log key than file:\.\/keys\/log/);
    } finally {
      await rename(place.path("apart"), checkpoint);
    }
  });
});

test("a bag of Holdfast that lost files is still a damaged bag: code 4", { skip: UNIX }, async () => {
  await mkdir(place.path("torn"));
  for (const name of ["bagit.txt", "tagmanifest-sha256.txt"])
    await copyFile(place.path("bag", name), place.path("torn", name));
  await ends(["verify", "torn"], 4, /tagmanifest|evidence|missing/);
});
