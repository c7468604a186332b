import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { chmod, chown, mkdir, readdir, readFile, rename, stat, watch, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { Encrypter } from "age-encryption";
import manifest from "../../package.json" with { type: "json" };
import { CLIENT, makeAgeKey, makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { cephEndpoint, s3Client, withoutCeph } from "../servers/s3.ts";
import { type Ended, program } from "./program.ts";

const COMMANDS = ["init", "export", "verify", "rebuild", "open"];
/** No one listens there, and no test asks it anything. */
const NO_PROVIDER = { url: "http://127.0.0.1:9/verification/v2", apiKey: "none" };

function noStack({ stdout, stderr }: Ended): void {
  assert.doesNotMatch(stdout + stderr, /^\s+at |node:internal/m);
}

/** The last thing logged: why it failed, and how to fix that. */
function refusal({ log }: Ended): { code: unknown; hint: unknown } {
  const { code, hint } = log.at(-1) ?? assert.fail("nothing was logged");
  return { code, hint };
}

describe("the command line", { concurrency: 2 }, () => {
  test("help for the whole and for every command, on stdout", async () => {
    const whole = await program(["--help"]);
    assert.deepEqual([whole.code, whole.stderr], [0, ""]);
    for (const name of COMMANDS) assert.match(whole.stdout, new RegExp(`^ +${name} `, "m"));
    for (const name of COMMANDS) {
      const { code, stdout, stderr } = await program([name, "--help"]);
      assert.deepEqual([code, stderr], [0, ""], name);
      assert.match(stdout, new RegExp(`holdfast ${name}`), "an example");
    }
    assert.equal((await program(["--version"])).stdout, `${manifest.version}\n`);
  });

  const misused: string[][] = [
    ["exprot"],
    ["export", "--no-such-option"],
    ["export", "surplus"],
    ["export", "--identity"],
    ["export", "--schedule", "--identity", "x"],
    ["verify", "--read-data", "lots"],
    ["verify", "--read-data", "101"],
    ["verify", "--read-data", "-1"],
    ["verify", "--read-data", "5 %"],
    ["open"],
    ["open", "record.age"],
  ];
  for (const args of misused) {
    test(`holdfast ${args.join(" ")}: exit 2, and help is near`, async () => {
      const ended = await program(args);
      assert.deepEqual([ended.code, ended.stdout], [2, ""]);
      assert.match(ended.stderr, /help/);
      noStack(ended);
    });
  }

  test("no command at all: the help, and no success", async () => {
    const ended = await program([]);
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, /export/);
    noStack(ended);
  });

  test("no config, an invalid config, a client that is not in it", async () => {
    await using place = await makeWorkplace(NO_PROVIDER, { init: false });
    const missing = await program(["export", "--config", place.path("none.yaml")], { cwd: place.folder });
    await writeFile(place.path("bad.yaml"), "clients: 7\n");
    const bad = await program(["export", "--config", place.path("bad.yaml")]);
    const stranger = await place.holdfast("export", ["--client", "no one"]);
    const unnamed = await program(["export"], { cwd: place.path("keys") });
    for (const [ended, code] of [
      [missing, "config"],
      [bad, "config"],
      [stranger, "usage"],
      [unnamed, "config"],
    ] as const) {
      assert.equal(ended.code, 2);
      assert.equal(refusal(ended).code, code);
      noStack(ended);
    }
    for (const ended of [missing, stranger]) assert.ok(refusal(ended).hint);
    assert.deepEqual((await readdir(place.folder)).sort(), ["bad.yaml", "holdfast.yaml", "keys"]);
  });
});

describe("what is said where", () => {
  test("--json is one object on stdout, the log is JSON lines with the run's id, --quiet is silence", async () => {
    await using sandbox = await startSandbox({ identities: 4, files: false });
    await using place = await makeWorkplace(sandbox);
    const json = await place.holdfast("export", ["--json"]);
    const { command, clients } = json.json as { command: string; clients: { client: string; run: string }[] };
    assert.deepEqual([command, clients.map(({ client }) => client)], ["export", [CLIENT]]);
    assert.ok(json.stdout.endsWith("}\n") && !json.stdout.slice(0, -1).includes("\n"));

    const plain = await place.holdfast("export");
    assert.deepEqual([plain.code, plain.stdout], [0, ""]);
    assert.equal(plain.log.length, plain.stderr.trimEnd().split("\n").length, "every line is JSON");
    const [started] = await place.entries("run.started").then((entries) => entries.slice(-1));
    assert.ok(plain.log.filter(({ run }) => run === started!.run).length >= 2);

    const quiet = await place.holdfast("export", ["--quiet"]);
    assert.deepEqual([quiet.code, quiet.stdout, quiet.stderr], [0, "", ""]);
    for (const name of ["verify", "rebuild", "init"]) {
      const ended = await place.holdfast(name, ["--json", "--quiet"]);
      assert.equal((ended.json as { command: string }).command, name);
    }
    const failed = await place.holdfast("export", ["--json", "--client", "no one"]);
    const { error } = failed.json as { error: { code: string; hint: string } };
    assert.equal(error.code, "usage");
    assert.ok(error.hint);
  });
});

describe("init", () => {
  test("makes what is missing, private to this user, and touches nothing that is there", async () => {
    await using place = await makeWorkplace(NO_PROVIDER, { init: false });
    const [first] = await place.expect<{ made: string[]; vkey: string }>(0, "init");
    assert.ok(first!.made.length > 0);
    for (const name of ["lookup", "log"]) assert.equal((await stat(place.path("keys", name))).mode & 0o777, 0o600);
    const before = await Promise.all(["lookup", "log"].map((name) => readFile(place.path("keys", name), "utf8")));
    const { head } = await place.log();
    const [second] = await place.expect<{ made: string[]; vkey: string }>(0, "init");
    assert.deepEqual([second!.made, second!.vkey], [[], first!.vkey]);
    const after = await Promise.all(["lookup", "log"].map((name) => readFile(place.path("keys", name), "utf8")));
    assert.deepEqual(after, before);
    assert.equal((await place.log()).head.versionId, head.versionId);
  });

  test("refuses a log key of another name, and a vault of another client", async () => {
    await using place = await makeWorkplace(NO_PROVIDER, { init: false });
    await place.expect(0, "init");
    await place.configure({ log: { origin: "other.example/holdfast" } });
    const named = await place.holdfast("init");
    assert.deepEqual([named.code, refusal(named).code], [2, "config"]);
    assert.ok(refusal(named).hint);
  });

  test("refuses a bucket without Object Lock, and one that is not there", { skip: withoutCeph }, async () => {
    const s3 = s3Client();
    const Bucket = `plain-${process.pid}-${Date.now()}`;
    await s3.send(new CreateBucketCommand({ Bucket }));
    s3.destroy();
    await using place = await makeWorkplace(NO_PROVIDER, { init: false });
    const vault = { endpoint: cephEndpoint, forcePathStyle: true };
    await place.configure({ vault: { ...vault, url: `s3://${Bucket}/acme` } });
    const unlocked = await place.holdfast("init");
    assert.deepEqual([unlocked.code, refusal(unlocked).code], [1, "vault-unfit"]);
    assert.ok(refusal(unlocked).hint);
    await place.configure({ vault: { ...vault, url: `s3://${Bucket}-none/acme` } });
    const missing = await place.holdfast("init");
    assert.deepEqual([missing.code, refusal(missing).code], [1, "vault-missing"]);
    assert.deepEqual(await Array.fromAsync((await place.vault()).list("")).catch(() => []), []);
    for (const ended of [unlocked, missing]) noStack(ended);
  });
});

describe("open", () => {
  test("Ctrl-C in the middle: what was decrypted so far is removed", async () => {
    await using place = await makeWorkplace(NO_PROVIDER);
    const age = new Encrypter();
    age.addRecipient(place.officer.recipient);
    const sealed = await age.encrypt(randomBytes(1_000_000));
    // The rest of it does not come.
    const pipe = place.path("sealed.age");
    await promisify(execFile)("mkfifo", [pipe]);
    const out = place.path("opened");
    const made = watch(place.folder);
    const running = place.start("open", [pipe, "--key", place.officer.file, "--out", out]);
    const writing = createWriteStream(pipe).on("error", () => {});
    writing.write(sealed.subarray(0, 700_000));
    for await (const { filename } of made) if (filename?.startsWith("opened.")) break;
    running.kill("SIGINT");
    assert.equal((await running.ended).code, 130);
    writing.destroy();
    assert.deepEqual(
      (await readdir(place.folder)).filter((name) => name.startsWith("opened")),
      [],
    );
  });

  test("gives a record to its key's holder, and to no one else", async () => {
    await using sandbox = await startSandbox({ identities: 2, plainImages: true });
    await using place = await makeWorkplace(sandbox);
    await place.export();
    const entry = (await place.entries("record.stored")).find(({ files }) => files.length > 0)!;
    const record = place.path("vault", CLIENT, entry.object.key);
    const open = (...args: string[]) => place.holdfast("open", args);

    const opened = await open(record, "--key", place.escrow.file);
    assert.equal(opened.code, 0, opened.stderr);
    assert.deepEqual(JSON.parse(opened.stdout), await place.record(entry));
    const out = place.path("opened");
    assert.equal(
      (await open(place.path("vault", CLIENT, entry.files[0]!.key), "--key", place.officer.file, "--out", out)).code,
      0,
    );
    assert.deepEqual(await readFile(out), await place.unseal(entry.files[0]!.key));
    assert.equal((await stat(out)).mode & 0o077, 0);
    // Never over what is there.
    const twice = await open(record, "--key", place.officer.file, "--out", out);
    assert.deepEqual([twice.code, refusal(twice).code], [2, "usage"]);
    assert.deepEqual(await readFile(out), await place.unseal(entry.files[0]!.key));

    await mkdir(place.path("bad"));
    const sealed = await readFile(record);
    const bad = (name: string) => place.path("bad", name);
    await writeFile(bad("garbage.age"), "garbage");
    await writeFile(bad("cut.age"), sealed.subarray(0, -1));
    await writeFile(bad("flipped.age"), Buffer.from(sealed).fill(sealed.at(-1)! ^ 1, sealed.length - 1));
    const stranger = await makeAgeKey(bad("stranger.txt"));
    const { officer } = place;
    const cases: [code: number, why: string, ...args: string[]][] = [
      [2, "key", record, "--key", stranger.file],
      [2, "key", record, "--key", place.path("keys/lookup")],
      [2, "usage", record, "--key", place.path("keys/none")],
      [2, "usage", place.path("none.age"), "--key", officer.file],
      [2, "usage", bad("garbage.age"), "--key", officer.file],
      [4, "unverified", bad("cut.age"), "--key", officer.file],
      [4, "unverified", bad("flipped.age"), "--key", officer.file],
    ];
    for (const [code, why, ...args] of cases) {
      const ended = await open(...args, "--out", bad("out"));
      assert.deepEqual([ended.code, refusal(ended).code], [code, why], args.join(" "));
      noStack(ended);
    }
    assert.deepEqual((await readdir(place.path("bad"))).sort(), [
      "cut.age",
      "flipped.age",
      "garbage.age",
      "stranger.txt",
    ]);
  });
});

describe("the config that is found without --config", () => {
  const skip = process.getuid?.() === 0 ? false : "only root can give files to another user";

  test("is not one that another user may have put there", { skip }, async () => {
    await using place = await makeWorkplace(NO_PROVIDER, { init: false });
    const verify = async (...args: string[]): Promise<string> =>
      String((await program(["verify", ...args], { cwd: place.folder })).log[0]?.error);
    await chown(place.file, 65_534, 65_534);
    // In a folder where only root puts files it was root who chose it: a mount in a container, for example.
    assert.match(await verify(), /is not a vault yet/);
    await chmod(place.folder, 0o777);
    assert.match(await verify(), /^holdfast\.yaml belongs to another user/);
    await chmod(place.folder, 0o755);
    await chown(place.folder, 65_534, 65_534);
    assert.match(await verify(), /^holdfast\.yaml belongs to another user/);
    assert.match(await verify("--config", "holdfast.yaml"), /is not a vault yet/);
  });

  test("holdfast.yaml here before config/holdfast.yaml; none: every place is named, and how to make one", async () => {
    await using sandbox = await startSandbox({ identities: 1, files: false });
    await using place = await makeWorkplace(sandbox);
    const verify = () => program(["verify"], { cwd: place.folder });
    assert.equal((await verify()).code, 0);
    await mkdir(place.path("config"));
    await rename(place.file, place.path("config/holdfast.yaml"));
    // Its relative paths are now taken from the folder config.
    const elsewhere = await verify();
    assert.match(elsewhere.stderr, /config\/vault\/acme-bank is not a vault yet/);
    await writeFile(place.file, "clients: []\n");
    assert.equal((await verify()).code, 2);
    const none = await program(["verify"], { cwd: place.path("vault") });
    assert.equal(none.code, 2);
    assert.match(none.stderr, /looked for holdfast\.yaml, config\/holdfast\.yaml, \/etc\/holdfast\/holdfast\.yaml/);
    assert.match(none.stderr, /holdfast new/);
  });
});
