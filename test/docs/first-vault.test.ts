import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Persona, startPersona } from "../sandbox/persona/server.ts";
import type { Wire } from "../sandbox/persona/wire.ts";
import { onPath } from "../servers/ceph.ts";
import { bash } from "./bash.ts";
import { toRun } from "./pages.ts";

const PEOPLE = 5;
let folder: string;
let sandbox: Persona;
const env = () => ({ PROVIDER_API_KEY: sandbox.apiKey });
const one = (name: string): string => {
  const [script, ...more] = toRun(name);
  assert.ok(script !== undefined && more.length === 0, name);
  return script;
};
const records = async (vault: string): Promise<string[]> =>
  (await readdir(join(vault, "records"), { recursive: true })).filter((name) => name.endsWith(".age"));

/** As the inquiry's own fields have it. */
const emailOf = ({ attributes }: Wire): string =>
  (attributes.fields as Record<string, { value: string }>)["email-address"]!.value;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-docs-"));
  sandbox = await startPersona({ identities: PEOPLE, repeats: 0, searchDelay: 0, plainImages: true });
});
after(async () => {
  await sandbox.close();
  await rm(folder, { recursive: true, force: true });
});

describe("what the documents tell people to type, typed", () => {
  test("README: a first vault in a folder, in four commands", async () => {
    const commands = one("first-vault").replaceAll("\\\n", "").split("\n");
    assert.equal(commands.length, 4);
    const [keygen, made, ...others] = commands as [string, string, ...string[]];
    const script = [
      keygen,
      made.replace("age1…", '"$(grep -o "age1.*" officer.txt)"'),
      // The sandbox in the place of the provider, as the README says.
      `sed -i 's|kind: persona|&\\n      url: ${sandbox.url}|' holdfast.yaml`,
      ...others,
    ];
    await bash(script.join("\n"), { cwd: folder, env: env() });
    assert.equal((await records(join(folder, "vault"))).length, PEOPLE);
    assert.ok((await stat(join(folder, "keys/acme-bank.lookup-key"))).isFile());
  });

  test("README: a retrieval for an auditor, checked and opened", async () => {
    const email = emailOf(sandbox.inquiry(0));
    const { log } = JSON.parse(await readFile(join(folder, "vault/vault.json"), "utf8"));
    const script = one("retrieval")
      .replace("someone@example.com", email)
      .replaceAll("acme-bank.example/holdfast+…", log.vkey)
      .replace("auditor.txt", "officer.txt");
    await bash(script, { cwd: folder });
    const opened = await readdir(join(folder, "opened"), { recursive: true });
    assert.ok(opened.some((name) => name.endsWith("record.json")));
  });

  test("OPERATING: the recovery drill, on another machine with the vault, the config, the keys and a checkpoint", async () => {
    const place = await mkdtemp(join(folder, "drill-"));
    await mkdir(join(place, "state/acme-bank"), { recursive: true });
    for (const name of ["holdfast.yaml", "keys", "vault", "state/acme-bank/checkpoint"])
      await cp(join(folder, name), join(place, name), { recursive: true });
    // The copy of the folder has the links of the vault as files of their own; both are the newest version.
    const [prove, goOn, ...more] = toRun("drill");
    assert.deepEqual(more, []);
    const proven = await bash(prove!, { cwd: place, env: env() });
    assert.match(proven, /all is well/);
    sandbox.change(1);
    const night = await bash(`${goOn} --json`, { cwd: place, env: env() });
    const [{ new: found, changed, failed }] = JSON.parse(/^\{"command":"export".*$/m.exec(night)![0]).clients;
    assert.deepEqual([found, changed, failed], [0, 1, 0]);
  });

  test("OPERATING: the officer's key pair with age-keygen", {
    skip: !onPath("age-keygen") && "age is not installed",
  }, async () => {
    const place = await mkdtemp(join(folder, "keys-"));
    assert.match(await bash(one("keys"), { cwd: place }), /^age1[a-z0-9]{58}$/m);
  });
});
