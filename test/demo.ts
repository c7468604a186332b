import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Summary } from "../src/export/summary.ts";
import { bytes, number } from "../src/observe/format.ts";
import { makeKeyPair } from "../src/seal/identity-file.ts";
import { startSandbox } from "./sandbox/server.ts";
import { freePort } from "./servers/ceph.ts";

const CLIENT = "acme-bank";
const IDENTITIES = 200;
const CHANGED = 5;
/** npm makes it the checkout. */
const root = process.cwd();

/** The main job from end to end, with the real program, on a provider and a vault of this machine's own. */
async function demo(): Promise<void> {
  const begun = performance.now();
  say(
    `Holdfast, a demonstration: ${IDENTITIES} invented people, a provider and a vault on this machine, no network.\n`,
  );
  await rm(join(root, "demo"), { recursive: true, force: true });
  await using sandbox = await startSandbox({ identities: IDENTITIES, seed: 7, port: await freePort() });
  await prepare(sandbox.url, sandbox.apiKey);

  step(
    "1",
    "Two age keys were made, for the compliance officer and for escrow. The exporter gets their public halves only.",
  );
  await holdfast("init");

  step("2", "The first export: everyone's data points, metadata and document files, sealed and locked.");
  const [first] = (await holdfast("export")).clients as Summary[];
  say(
    `  ${number(first!.new)} people, ${number(first!.files)} files, ${bytes(first!.bytes)} sealed in ${first!.seconds.toFixed(0)} s.`,
  );

  sandbox.change(CHANGED);
  step("3", `${CHANGED} people change at the provider. The second export moves only those.`);
  const [second] = (await holdfast("export")).clients as Summary[];
  say(
    `  ${number(second!.changed)} changed, ${number(second!.unchanged)} unchanged, ${number(second!.requests)} requests instead of ${number(first!.requests)}.`,
  );

  step("4", "The vault against its log: every entry, every object, every byte.");
  await holdfast("verify", "--read-data", "100");

  step(
    "5",
    "The officer opens one person's record and document with the private key, which was never near the exporter.",
  );
  const subject = await openOne();

  step(
    "6",
    "A supervisor asks for that person's file: a bag, still sealed, that proves itself and opens in a browser.",
  );
  const bag = "demo/case-2026-117";
  const why = ["--case", "2026-117", "--requested-by", "FIU Berlin", "--reason", "request of 3 November"];
  await holdfast("retrieve", ...why, "--subject", subject, "--out", bag);
  say(
    `  Open ${bag}/viewer.html, and give it that folder and demo/keys/officer.txt. The log's key:\n  ${await logKey(bag)}`,
  );

  say(`\nDone in ${Math.round((performance.now() - begun) / 1000)} s. Look around:
  demo/vault/${CLIENT}/records/     sealed records; their names and contents show no one's name, e-mail or provider id
  demo/vault/${CLIENT}/audit/       the log: demo/vault/${CLIENT}/audit/checkpoint is its signed head
  demo/opened/                     what the officer saw: record.json and a document
  demo/holdfast.yaml               the config; config/holdfast.example.yaml explains every line
In a checkout, holdfast is: npx holdfast. Try, also after changing a byte of any file below demo/vault:
  npx holdfast verify --config demo/holdfast.yaml --read-data 100
  npx holdfast open <any file below demo/vault/${CLIENT}/records> --key demo/keys/officer.txt
Plain age opens it too:
  age -d -i demo/keys/officer.txt <the same file>`);
}

async function prepare(url: string, apiKey: string): Promise<void> {
  await mkdir(join(root, "demo/keys"), { recursive: true });
  const recipients: string[] = [];
  for (const who of ["officer", "escrow"]) {
    const { file, recipient } = await makeKeyPair(Temporal.Now.instant());
    recipients.push(recipient);
    await writeFile(join(root, `demo/keys/${who}.txt`), file, { mode: 0o600 });
  }
  await writeFile(join(root, "demo/keys/provider-api-key"), apiKey, { mode: 0o600 });
  await writeFile(
    join(root, "demo/holdfast.yaml"),
    `# yaml-language-server: $schema=../config/holdfast.schema.json
# Made by \`npm run demo\`. config/holdfast.example.yaml explains every line.
state: ./state
clients:
  - id: ${CLIENT}
    collect: full
    legalBasis: ["Regulation (EU) 2024/1624 Art. 77"]
    source: { kind: passbase, url: "${url}", apiKey: file:./keys/provider-api-key, rate: 1000/s, concurrency: 8 }
    recipients: # officer, escrow
      - ${recipients[0]}
      - ${recipients[1]}
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

/** Returns the subject of the opened person. */
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
    const image = record.files.find(
      (file: { mediaType: string; size: number | null }) => file.mediaType === "image/png" && file.size !== null,
    );
    if (!image) continue;
    await program("open", join("demo/vault", CLIENT, image.key), "--key", key, "--out", "demo/opened/document.png");
    const { firstName, lastName } = record.identity.owner;
    say(
      `  ${firstName} ${lastName}, ${record.identity.status}: demo/opened/record.json and document.png (${bytes(image.size)}).`,
    );
    return basename(dirname(name));
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
