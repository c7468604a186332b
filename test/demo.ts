import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Summary } from "../src/export/summary.ts";
import { bytes, number } from "../src/observe/format.ts";
import { makeKeyPair } from "../src/seal/identity-file.ts";
import { startPersona } from "./sandbox/persona/server.ts";
import { startSandbox } from "./sandbox/server.ts";
import { freePort } from "./servers/ceph.ts";

const CLIENT = "acme-bank";
/** At the provider that closes, and at the one after it. Some are customers of both. */
const BEFORE = 40;
const IDENTITIES = 100;
const CHANGED = 5;
/** npm makes it the checkout. */
const root = process.cwd();

/** The main job from end to end, with the real program, on a provider and a vault of this machine's own. */
async function demo(): Promise<void> {
  const begun = performance.now();
  say(
    `Holdfast, a demonstration: ${IDENTITIES} invented people, two providers and a vault on this machine, no network.\n`,
  );
  await rm(join(root, "demo"), { recursive: true, force: true });
  await using persona = await startPersona({ identities: IDENTITIES, seed: 7, repeats: 0, searchDelay: 0 });
  await mkdir(join(root, "demo/keys"), { recursive: true });
  const recipients = await makeKeys(persona.apiKey);

  step(
    "1",
    "Two age keys were made, for the compliance officer and for escrow. The exporter gets their public halves only.",
  );
  await closedProvider(recipients);

  step("3", "Passbase closes. Its source is retired: never asked again, its records kept. Persona is the new one.");
  await configure(recipients, [
    "{ kind: passbase, retired: true }",
    `{ kind: persona, url: "${persona.url}", apiKey: file:./keys/persona-api-key, rate: 1000/s, concurrency: 8 }`,
  ]);
  const [first] = (await holdfast("export")).clients as Summary[];
  say(
    `  ${number(first!.new)} people, ${number(first!.files)} files, ${bytes(first!.bytes)} sealed in ${first!.seconds.toFixed(0)} s.`,
  );

  persona.change(CHANGED);
  step("4", `${CHANGED} people change at Persona. The next export asks for the changes, and moves only those.`);
  const [second] = (await holdfast("export")).clients as Summary[];
  say(
    `  ${number(second!.changed)} changed, ${number(second!.requests)} requests instead of ${number(first!.requests)}.`,
  );

  step("5", "The vault against its log: every entry, every object, every byte.");
  await holdfast("verify", "--read-data", "100");

  step(
    "6",
    "The officer opens one person's record and document with the private key, which was never near the exporter.",
  );
  const email = await openOne();

  step("7", "A supervisor asks for that customer's file: one bag, sealed, with the records of both providers.");
  const bag = "demo/case-2026-117";
  const why = ["--case", "2026-117", "--requested-by", "FIU Berlin", "--reason", "request of 3 November"];
  await holdfast("retrieve", ...why, "--email", email, "--out", bag);
  say(
    `  Open ${bag}/viewer.html, and give it that folder and demo/keys/officer.txt. The log's key:\n  ${await logKey(bag)}`,
  );

  say(`\nDone in ${Math.round((performance.now() - begun) / 1000)} s. Look around:
  demo/vault/${CLIENT}/records/    sealed records; their names and contents show no one's name, e-mail or provider id
  demo/vault/${CLIENT}/audit/      the log: demo/vault/${CLIENT}/audit/checkpoint is its signed head
  demo/opened/                     what the officer saw: record.json and a document
  demo/holdfast.yaml               the config; config/holdfast.example.yaml explains every line
In a checkout, holdfast is: npx holdfast. Try, also after changing a byte of any file below demo/vault:
  npx holdfast verify --config demo/holdfast.yaml --read-data 100
  npx holdfast open <any file below demo/vault/${CLIENT}/records> --key demo/keys/officer.txt
Plain age opens it too:
  age -d -i demo/keys/officer.txt <the same file>`);
}

/** Passbase as it was: everyone it has is in the vault before it closes. */
async function closedProvider(recipients: readonly string[]): Promise<void> {
  await using passbase = await startSandbox({ identities: BEFORE, seed: 7, port: await freePort() });
  await writeFile(join(root, "demo/keys/passbase-api-key"), passbase.apiKey, { mode: 0o600 });
  await configure(recipients, [
    `{ kind: passbase, url: "${passbase.url}", apiKey: file:./keys/passbase-api-key, rate: 1000/s, concurrency: 8 }`,
  ]);
  await holdfast("init");

  step("2", "The last export from Passbase: everyone's data points, metadata and document files, sealed and locked.");
  const [first] = (await holdfast("export")).clients as Summary[];
  say(
    `  ${number(first!.new)} people, ${number(first!.files)} files, ${bytes(first!.bytes)} sealed in ${first!.seconds.toFixed(0)} s.`,
  );
}

/** The officer's and escrow's; returns their public halves. */
async function makeKeys(apiKey: string): Promise<string[]> {
  const recipients: string[] = [];
  for (const who of ["officer", "escrow"]) {
    const { file, recipient } = await makeKeyPair(Temporal.Now.instant());
    recipients.push(recipient);
    await writeFile(join(root, `demo/keys/${who}.txt`), file, { mode: 0o600 });
  }
  await writeFile(join(root, "demo/keys/persona-api-key"), apiKey, { mode: 0o600 });
  return recipients;
}

async function configure([officer, escrow]: readonly string[], sources: readonly string[]): Promise<void> {
  await writeFile(
    join(root, "demo/holdfast.yaml"),
    `# yaml-language-server: $schema=../config/holdfast.schema.json
# Made by \`npm run demo\`. config/holdfast.example.yaml explains every line.
state: ./state
clients:
  - id: ${CLIENT}
    collect: full
    legalBasis: ["Regulation (EU) 2024/1624 Art. 77"]
    sources:
${sources.map((source) => `      - ${source}\n`).join("")}    recipients: # officer, escrow
      - ${officer}
      - ${escrow}
    vault: { url: file:./vault/${CLIENT}, lock: governance }
    lookups: { key: file:./keys/${CLIENT}.lookup-key, fields: [email, metadata.customer_id, document.number] }
    log: { origin: ${CLIENT}.example/holdfast, key: file:./keys/${CLIENT}.log-key }
    retention: { keep: P5Y, from: relationship-end, initialLock: P90D, extendWhenLessThan: P30D }
`,
  );
}

async function logKey(bag: string): Promise<string> {
  return JSON.parse(await readFile(join(root, bag, "evidence/vault.json"), "utf8")).log.vkey;
}

/** Someone whom Passbase verified, with a document. Returns the e-mail, which is the same at both providers. */
async function openOne(): Promise<string> {
  const records = join(root, "demo/vault", CLIENT, "records");
  const key = "demo/keys/officer.txt";
  await mkdir(join(root, "demo/opened"), { recursive: true });
  for (const name of (await readdir(records, { recursive: true })).filter((path) => path.endsWith(".age")).sort()) {
    await rm(join(root, "demo/opened/record.json"), { force: true });
    await program(
      "open",
      join("demo/vault", CLIENT, "records", name),
      "--key",
      key,
      "--out",
      "demo/opened/record.json",
    );
    const record = JSON.parse(await readFile(join(root, "demo/opened/record.json"), "utf8"));
    const { email, firstName, lastName } = record.identity.owner;
    const image = record.files.find(
      (file: { mediaType: string; size: number | null }) => file.mediaType === "image/png" && file.size !== null,
    );
    if (!image || email === null || record.source.kind !== "passbase") continue;
    await program("open", join("demo/vault", CLIENT, image.key), "--key", key, "--out", "demo/opened/document.png");
    say(
      `  ${firstName} ${lastName}, ${record.identity.status}: demo/opened/record.json and document.png (${bytes(image.size)}).`,
    );
    return email;
  }
  throw new Error("no one has a document");
}

/** Runs a command on the demo's config as a person would, and gives its --json result. */
async function holdfast(command: string, ...options: string[]): Promise<{ clients: unknown[] }> {
  const shown = options.map((option) => (option.includes(" ") ? `'${option}'` : option));
  say(`  $ holdfast ${[command, "--config demo/holdfast.yaml", ...shown].join(" ")}`);
  return JSON.parse(await program(command, "--config", "demo/holdfast.yaml", "--json", ...options));
}

function program(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "../jobs/main.ts"), ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(out) : reject(new Error(`${args[0]} ended with exit code ${code}`)),
    );
  });
}

function step(number: string, text: string): void {
  say(`\n${number}. ${text}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await demo();
