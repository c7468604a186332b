import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { generateX25519Identity } from "age-encryption";
import { parse } from "yaml";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { startVeriff } from "../sandbox/veriff/server.ts";
import { commandLine, type Ended, program } from "./program.ts";
import { obeyed, talkOnTerminal, withoutTerminal } from "./terminal.ts";

const LOG_NAME = "acme-bank.com/holdfast";
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const ESCAPE = "\u001b";

/** What readline writes to move the cursor around its prompt. */
const withoutCursor = (line: string): string => line.replaceAll(new RegExp(`${ESCAPE}\\[\\d+[GJ]|\\r$`, "g"), "");

describe("new", () => {
  let root: string;
  /** Public keys of an officer and of escrow, made by `keygen`. */
  let keys: string[];
  let flags: string[];
  let folders = 0;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "holdfast-new-"));
    keys = await Promise.all(
      ["officer", "escrow"].map(async (name) => {
        const ended = await program(["keygen", "--out", `${name}.txt`, "--json"], { cwd: root });
        return (ended.json as { recipient: string }).recipient;
      }),
    );
    const [officer = "", escrow = ""] = keys;
    flags = [
      "--client",
      "acme-bank",
      "--provider",
      "passbase",
      "--vault",
      "file:./vault",
      "--origin",
      LOG_NAME,
      "--law",
      "eu-amlr",
    ];
    flags.push(...["--recipient", officer, "--recipient", escrow, "--state", "./state", "--keys", "./keys"]);
  });
  after(() => rm(root, { recursive: true, force: true }));

  async function folder(): Promise<string> {
    const path = join(root, String(folders++));
    await mkdir(path);
    return path;
  }

  /** A run that must not write anything. */
  async function refused(code: number, args: readonly string[], cwd: string): Promise<{ error: string; ended: Ended }> {
    const before = await readdir(cwd);
    const ended = await program(["new", ...args], { cwd });
    assert.equal(ended.code, code, ended.stderr);
    assert.deepEqual([await readdir(cwd), ended.stdout], [before, ""]);
    const { error, hint } = ended.log.at(-1)!;
    return { error: `${error}\n${hint}`, ended };
  }

  test("keygen, new, init, doctor, export, verify: a first day on a provider and a folder", async () => {
    await using sandbox: Sandbox = await startSandbox({ identities: 3, plainImages: true });
    const cwd = await folder();
    const made = await program(["new", ...flags], { cwd });
    assert.equal(made.code, 0, made.stderr);
    const [written, ...steps] = made.stdout.split("\n");
    assert.equal(written, "holdfast.yaml is written. Next:");
    // What a person does next: each command as it was told, the key by the line for a shell.
    assert.ok(steps.includes("  2. holdfast init"), "no --config where every command finds the file by itself");
    const shell = steps.find((line) => line.includes("umask"))!;
    assert.equal(spawnSync("sh", ["-c", shell], { cwd, input: `${sandbox.apiKey}\n` }).status, 0);
    assert.equal((await stat(join(cwd, "keys/acme-bank.api-key"))).mode & 0o777, 0o600);
    const config = join(cwd, "holdfast.yaml");
    const text = await readFile(config, "utf8");
    await writeFile(config, text.replace("kind: passbase", `kind: passbase\n      url: ${sandbox.url}`));
    for (const command of ["init", "doctor", "export"]) {
      const line = steps.find((step) => step.includes(`holdfast ${command}`))!;
      const ended = await program(line.split("holdfast ")[1]!.split(" ").concat("--json"), { cwd });
      // Of doctor: no failure.
      assert.equal(ended.code, 0, `${command}: ${ended.stdout}${ended.stderr}`);
    }
    assert.deepEqual((await readdir(join(cwd, "keys"))).sort(), [
      ...["acme-bank.api-key", "acme-bank.log-key", "acme-bank.lookup-key"],
    ]);
    const officer = ["--key", join(root, "officer.txt"), "--read-data", "100"];
    const ended = await program(["verify", "--config", "holdfast.yaml", ...officer, "--json"], { cwd });
    assert.equal(ended.code, 0, ended.stderr);
  });

  test("for Veriff it asks for the integration's address and key, and the secret is called as Veriff calls it", async () => {
    await using sandbox = await startVeriff({ identities: 2, plainImages: true });
    const cwd = await folder();
    const of = flags.with(flags.indexOf("passbase"), "veriff");
    const { error } = await refused(2, of, cwd);
    assert.match(error, /--url/);
    assert.match(error, /--integration-key/);
    const { error: other } = await refused(2, [...flags, "--url", sandbox.url], cwd);
    assert.match(other, /--url: applies only to --provider veriff/);
    const made = await program(["new", ...of, "--url", sandbox.url, "--integration-key", sandbox.integrationKey], {
      cwd,
    });
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /Put Veriff's shared secret key into keys\/acme-bank\.api-key/);
    const { clients } = parse(await readFile(join(cwd, "holdfast.yaml"), "utf8")) as {
      clients: { source: object; lookups: { fields: string[] } }[];
    };
    const { url, integrationKey } = sandbox;
    const fields = ["document.number", "metadata.vendorData", "metadata.endUserId"];
    assert.deepEqual(clients[0]!.lookups.fields, fields);
    assert.deepEqual(clients[0]!.source, {
      kind: "veriff",
      url,
      integrationKey,
      apiKey: "file:./keys/acme-bank.api-key",
    });
  });

  test("the file is for this user alone, and says what was answered; nothing else is made", async () => {
    const cwd = await folder();
    const ended = await program(["new", ...flags, "--out", "a b.yaml", "--json"], { cwd });
    assert.deepEqual(ended.json, { command: "new", file: "a b.yaml", client: "acme-bank" });
    assert.deepEqual(await readdir(cwd), ["a b.yaml"]);
    assert.equal((await stat(join(cwd, "a b.yaml"))).mode & 0o777, 0o600);
    const { clients, state } = parse(await readFile(join(cwd, "a b.yaml"), "utf8"));
    assert.deepEqual([state, clients[0].recipients, clients[0].log.origin], ["./state", keys, LOG_NAME]);
    const told = await program(["new", ...flags, "--out", "c d.yaml"], { cwd });
    assert.match(told.stdout, /holdfast doctor --config 'c d\.yaml'/);
  });

  test("Sumsub: the app token is asked for, and is in the config; no other provider has one", async () => {
    const cwd = await folder();
    const of = flags.map((flag) => (flag === "passbase" ? "sumsub" : flag));
    assert.match((await refused(2, of, cwd)).error, /missing: --app-token <token>/);
    assert.match((await refused(2, [...flags, "--app-token", "prd:t"], cwd)).error, /--app-token.*--provider sumsub/);
    const ended = await program(["new", ...of, "--app-token", "prd:t"], { cwd });
    assert.equal(ended.code, 0, ended.stderr);
    const { clients } = parse(await readFile(join(cwd, "holdfast.yaml"), "utf8"));
    assert.deepEqual(clients[0].source, { kind: "sumsub", appToken: "prd:t", apiKey: "file:./keys/acme-bank.api-key" });
    assert.deepEqual(clients[0].lookups.fields, ["email", "metadata.externalUserId"]);
  });

  test("one recipient: written, with a warning; a file of recipients; a missing or empty file", async () => {
    const cwd = await folder();
    const others = flags.filter((flag) => flag !== "--recipient" && !keys.includes(flag));
    await writeFile(join(cwd, "keys.txt"), `# officer\n${keys[0]}\r\n\n${keys[1]} \n`);
    const both = await program(["new", ...others, "--recipients-file", "keys.txt"], { cwd });
    assert.equal(both.code, 0, both.stderr);
    assert.deepEqual(parse(await readFile(join(cwd, "holdfast.yaml"), "utf8")).clients[0].recipients, keys);
    assert.doesNotMatch(both.stderr, /one recipient/);
    const one = await program(["new", ...others, "--recipient", keys[0]!, "--out", "one.yaml"], { cwd });
    assert.deepEqual([one.code, one.log.some(({ level }) => level === "warn")], [0, true]);
    await refused(2, [...others, "--recipients-file", "nowhere.txt", "--out", "x.yaml"], cwd);
    const empty = await refused(2, [...others, "--recipients-file", "/dev/null", "--out", "x.yaml"], cwd);
    assert.match(empty.error, /no public key/);
  });

  test("without a terminal: all flags that are missing or wrong are named at once", async () => {
    const cwd = await folder();
    const none = await refused(2, [], cwd);
    assert.match(
      none.error,
      /^missing: --client <id>, --provider <kind>, --vault <url>, --recipient <key>, --law <law>, --origin <name>\nAdd these flags, or/,
    );
    const wrong = await refused(
      2,
      ["--client", "Acme", "--provider", "onfide", "--law", "own", "--region", "x y"],
      cwd,
    );
    const names = wrong.error.split("\n").map((line) => line.split(": ")[0]);
    assert.deepEqual(names.slice(0, 4), ["--client", "--provider", "--region", "missing"]);
    assert.match(wrong.error, /--vault <url>, --recipient <key>, --keep <duration>, --origin <name>/);
    const others = await refused(2, [...flags, "--keep", "P5Y", "--region", "eu-central-1"], cwd);
    assert.match(others.error, /--keep: applies only to --law own/);
    assert.match(others.error, /--region: applies only to a vault in S3/);
  });

  test("a private key, wherever it is pasted, in a flag or a file: refused, and shown nowhere", async () => {
    const cwd = await folder();
    const secret = await generateX25519Identity();
    for (const flag of flags.filter((each) => each.startsWith("--")).concat("--api-key", "--collect", "--out")) {
      if (["--state", "--keys", "--out"].includes(flag)) continue;
      const { ended } = await refused(2, [...flags, flag, secret], cwd);
      assert.ok(!`${ended.stdout}${ended.stderr}`.includes(secret.slice(15, 30)), `${flag}: ${ended.stderr}`);
    }
    const listed = await refused(2, [...flags, "--recipients-file", join(root, "officer.txt")], cwd);
    assert.match(listed.error, /a private key \(not shown\)/);
    assert.doesNotMatch(listed.error, /SECRET-KEY-1/);
  });

  test("what is there is not written over: a file, a folder, a link that leads nowhere", async () => {
    const cwd = await folder();
    await writeFile(join(cwd, "holdfast.yaml"), "mine");
    await mkdir(join(cwd, "folder"));
    await symlink(join(cwd, "nowhere"), join(cwd, "link.yaml"));
    for (const out of ["holdfast.yaml", "folder", "link.yaml"]) {
      const { error } = await refused(2, [...flags, "--out", out], cwd);
      assert.match(error, /already exists\nChoose another --out/);
    }
    assert.equal(await readFile(join(cwd, "holdfast.yaml"), "utf8"), "mine");
  });

  test("a folder that does not exist, and one that is not writable", async () => {
    const cwd = await folder();
    const missing = await refused(2, [...flags, "--out", "no/holdfast.yaml"], cwd);
    assert.match(missing.error, /in a folder that exists/);
    const locked = join(cwd, "locked");
    await mkdir(locked);
    // Root may write anywhere.
    for (const path of [root, cwd]) await chmod(path, 0o755);
    await chmod(locked, 0o555);
    const other = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const [command, ...args] = commandLine(["new", ...flags, "--out", join(locked, "holdfast.yaml")]);
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
    const ended = spawnSync(command, args, { encoding: "utf8", cwd: "/", env, ...other });
    assert.equal(ended.status, 1, ended.stderr);
    assert.match(ended.stderr, /EACCES.*a folder that you can write to/);
    assert.deepEqual(await readdir(locked), []);
  });

  describe("on a terminal", { skip: withoutTerminal }, () => {
    const enter = "\r";

    test("it asks, explains, asks again with the reason, and writes what was answered", async () => {
      const cwd = await folder();
      const secret = await generateX25519Identity();
      const seen = await talkOnTerminal(["new"], cwd, [
        ["Client id: ", "Acme Bank\r"],
        ["Client id: ", enter],
        ["Client id: ", "acme-bank\r"],
        ["Company name [none]: ", "Acme Bank AG\r"],
        ["Provider: ", "passbase\r"],
        ["Vault: ", "https://acme\r"],
        ["Vault: ", " s3://acme-kyc/holdfast \r"],
        ["S3 server [none]: ", enter],
        ["Region [none]: ", "eu-central-1\r"],
        ["Public key: ", `${secret}\r`],
        ["a private key (not shown)", ""],
        // Both at once, as they are copied out of a file.
        ["Public key: ", `${keys.join("\r")}\r`],
        ["Another public key [none]: ", ""],
        ["Another public key [none]: ", `${keys[0]}\r`],
        ["duplicates", enter],
        ["Law: ", enter],
        ["Law: ", "own\r"],
        ["Collect [minimal]: ", "full\r"],
        ["Keep for: ", "5\r"],
        ["Keep for: ", "P10Y\r"],
        ["Counted from [relationship-end]: ", enter],
        ["Legal basis: ", "GwG Art. 7: \u00FC # [x]\r"],
        ["Log name: ", `${LOG_NAME}\r`],
        ["State folder [", "./s\r"],
        ["Keys folder [./keys]: ", enter],
        ["API key is at [file:./keys/acme-bank.api-key]: ", "env:ACME_KEY\r"],
      ]);
      assert.equal(seen.code, 0, seen.text);
      // What readline echoes while it is typed, and nothing more.
      assert.equal(seen.text.split(secret.slice(15)).length - 1, 1);
      for (const words of [
        "not an id",
        "write up to 63 characters",
        "is not one of these laws",
        '"5" is not a duration',
      ])
        assert.ok(seen.text.includes(words), words);
      const { state, clients } = parse(await readFile(join(cwd, "holdfast.yaml"), "utf8"));
      assert.equal(state, "./s");
      assert.deepEqual(clients, [
        {
          ...{
            id: "acme-bank",
            company: { name: "Acme Bank AG" },
            collect: "full",
            legalBasis: ["GwG Art. 7: \u00FC # [x]"],
          },
          source: { kind: "passbase", apiKey: "env:ACME_KEY" },
          recipients: keys,
          vault: { url: "s3://acme-kyc/holdfast", region: "eu-central-1", lock: "governance" },
          lookups: { key: "file:./keys/acme-bank.lookup-key", fields: ["email"] },
          log: { origin: LOG_NAME, key: "file:./keys/acme-bank.log-key" },
          retention: { keep: "P10Y", from: "relationship-end" },
        },
      ]);
      assert.match(seen.text, /Set the environment variable ACME_KEY/);
      assert.match(seen.text, /bucket acme-kyc with Object Lock/);
    });

    test("for Veriff it asks where the shared secret key is, and its first lines fit a narrow terminal", async () => {
      const cwd = await folder();
      const of = flags.with(flags.indexOf("passbase"), "veriff");
      const own = ["--url", "https://station.example/v1", "--integration-key", "k1"];
      const seen = await talkOnTerminal(["new", ...of, ...own, "--collect", "full"], cwd, [
        ["Company name [", enter],
        ["Shared secret key is at [file:./keys/acme-bank.api-key]: ", enter],
      ]);
      assert.equal(seen.code, 0, seen.text);
      assert.match(seen.text, /Where Veriff's shared secret key is stored, not the key/);
      const first = seen.lines.slice(0, 3);
      assert.match(
        first.join("\n"),
        /^This writes a first config\. .*\]\.\nNothing is written .*\nYou can change .*otherwise\.$/,
      );
      for (const line of first) assert.ok(line.length <= 80, line);
    });

    test("a flag replaces its question; an invalid flag is an error before the first question", async () => {
      const cwd = await folder();
      const some = flags.slice(0, -4);
      const seen = await talkOnTerminal(["new", ...some], cwd, [
        ["Company name [", enter],
        ["Collect [full]: ", enter],
        ["State folder [", "./vault/s\r"],
        ["overlaps with the vault", ""],
        ["State folder [", "./state\r"],
        ["Keys folder [", enter],
        ["API key is at [", enter],
      ]);
      assert.equal(seen.code, 0, seen.text);
      assert.doesNotMatch(seen.text, /Client id|Vault:|Law:/);
      const wrong = await talkOnTerminal(["new", ...some, "--law", "gdpr", "--out", "b.yaml"], cwd, []);
      assert.equal(wrong.code, 2, wrong.text);
      assert.match(wrong.text, /--law: "gdpr" is not one of these laws/);
      assert.doesNotMatch(wrong.text, /Provider:|This writes/);
      const taken = await talkOnTerminal(["new"], cwd, []);
      assert.equal(taken.code, 2, taken.text);
      assert.match(taken.text, /holdfast\.yaml already exists/);
      assert.deepEqual(await readdir(cwd), ["holdfast.yaml"]);
    });

    for (const [name, key, code, line] of [
      ["Ctrl-C", CTRL_C, 130, /^interrupted; nothing was written$/m],
      ["Ctrl-D", CTRL_D, 2, /^end of input before the last question; nothing was written$/m],
    ] as const)
      test(`${name} ends it with a line, at the first question and at the last`, async () => {
        const cwd = await folder();
        const first = await talkOnTerminal(["new"], cwd, [["Client id: ", key]]);
        const last = await talkOnTerminal(["new", ...flags, "--company", "Acme Bank AG", "--collect", "full"], cwd, [
          ["API key is at [", key],
        ]);
        for (const { code: ended, lines, text } of [first, last]) {
          assert.equal(ended, code, text);
          assert.match(lines.join("\n"), line);
        }
        assert.deepEqual(await readdir(cwd), []);
      });

    test("answers cannot control the terminal, or that of a person who reads the file", async () => {
      const cwd = await folder();
      const state = "./\u202Es\u2028\u200Bt";
      const args = ["new", ...flags.filter((flag) => flag !== "--state" && flag !== "./state"), "--state", state];
      const seen = await talkOnTerminal([...args, "--keys", `${state}k`, "--company", "Acme"], cwd, [
        ["Collect [", enter],
        ["API key is at [", enter],
      ]);
      assert.equal(seen.code, 0, seen.text);
      for (const line of seen.lines) assert.deepEqual(obeyed(withoutCursor(line)), [], JSON.stringify(line));
      assert.equal(parse(await readFile(join(cwd, "holdfast.yaml"), "utf8")).state, state);
    });
  });
});
