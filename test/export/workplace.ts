import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { stringify } from "yaml";
import { decodeEntry, type Entry, type RecordStored } from "../../src/audit/entry.ts";
import { AuditLog, type Head } from "../../src/audit/log.ts";
import { parseVerifier } from "../../src/audit/note.ts";
import type { ClientConfig } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Secret } from "../../src/config/secret.ts";
import type { Summary } from "../../src/export/summary.ts";
import type { SealedRecord } from "../../src/record/record.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { Opener } from "../../src/seal/open.ts";
import { readDescription } from "../../src/vault/description.ts";
import { openVault } from "../../src/vault/open.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { type Ended, type ProgramOptions, program, type Running, startProgram } from "../cli/program.ts";
import { cephEndpoint, lockedBucket } from "../servers/s3.ts";
import { type Here, runHere } from "./here.ts";

export const CLIENT = "acme-bank";

/** What a workplace needs of a sandbox. */
export interface Provider {
  readonly url: string;
  readonly apiKey: string;
}

export interface WorkplaceOptions {
  /** Where the vault is: a directory of the workplace, or a new bucket with Object Lock on Ceph. Default directory. */
  readonly vault?: "directory" | "ceph";
  /** Sections of the client that differ: `{ collect: "minimal", source: { rate: "10/s" } }`. */
  readonly client?: Section;
  /** Whether to run `init`. Default true. */
  readonly init?: boolean;
  /** 64 hex digits: then subjects are always the same, and so is when their turn comes. Default: `init` makes one. */
  readonly lookupKey?: string;
}

/** Part of a config file, as YAML gives it. */
export interface Section {
  [key: string]: unknown;
}

export interface AgeKey {
  readonly recipient: string;
  readonly identity: string;
  /** The identity file, for `age -i` and `open --key`. */
  readonly file: string;
}

/**
 * One test's own place of work: keys, a config, state and a vault in a temporary directory (or a vault on Ceph), and
 * the real program to run in it. `await using place = await makeWorkplace(sandbox)` takes it away at the end.
 */
export class Workplace implements AsyncDisposable {
  readonly folder: string;
  readonly file: string;
  readonly officer: AgeKey;
  readonly escrow: AgeKey;
  /** The config as it will be written by `save`. */
  readonly config: { state: string; schedule?: Section; metrics?: Section; clients: Section[] };

  /** What was started here, and may still run where a test failed. */
  readonly #started: Running[] = [];
  #read: { readonly text: string; readonly config: Awaited<ReturnType<typeof loadConfig>> } | undefined;

  constructor(folder: string, officer: AgeKey, escrow: AgeKey, client: Section) {
    this.folder = folder;
    this.file = join(folder, "holdfast.yaml");
    this.officer = officer;
    this.escrow = escrow;
    this.config = { state: "./state", clients: [client] };
  }

  /** Writes the config, the first client's section changed. */
  async configure(changes: Section = {}): Promise<void> {
    this.config.clients[0] = merge(this.config.clients[0]!, changes);
    await writeFile(this.file, stringify(this.config, { aliasDuplicateObjects: false }));
  }

  /** Adds a client with a vault in a directory of its own; `changes` as in `WorkplaceOptions`. */
  async addClient(id: string, changes: Section = {}): Promise<void> {
    const own = {
      id,
      vault: { url: `file:./vault/${id}` },
      lookups: { key: `file:./keys/${id}-lookup` },
      log: { origin: `${id}.example/holdfast`, key: `file:./keys/${id}-log` },
    };
    this.config.clients.push(merge(merge(this.config.clients[0]!, own), changes));
    await this.configure();
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /**
   * Starts `holdfast <command> --config <this one's> <args>`; `open` takes no config. It is killed with the place, so that
   * no failed test leaves a program that waits, and with it a test process that never ends.
   */
  start(command: string, args: readonly string[] = [], options: ProgramOptions = {}): Running {
    const running = startProgram(this.#args(command, args), { cwd: this.folder, ...options });
    this.#started.push(running);
    return running;
  }

  /** The same, to its end. */
  async holdfast(command: string, args: readonly string[] = [], options: ProgramOptions = {}): Promise<Ended> {
    return program(this.#args(command, args), { cwd: this.folder, ...options });
  }

  #args(command: string, args: readonly string[]): string[] {
    const config = ["open", "reseal"].includes(command) ? [] : ["--config", this.file];
    // `retention extend`: options come after the second word.
    const words = ["retention", "retrieval", "relationship", "hold", "erasure", "folder"].includes(command)
      ? [command, args[0]!]
      : [command];
    return [...words, ...config, ...args.slice(words.length - 1)];
  }

  /** The same in this process, which `runHere` says more of. */
  async here(command: string, args: readonly string[] = [], options?: Here): Promise<Ended> {
    return runHere(this.#args(command, args), options);
  }

  /** Runs a command here, which must end with `code`, and gives what it says of each client. */
  async expect<T = Section>(code: number, command: string, ...args: string[]): Promise<T[]> {
    const ended = await this.here(command, [...args, "--json"]);
    assert.equal(ended.code, code, `${command} ended with ${ended.code}:\n${ended.stderr}`);
    return (ended.json as { clients: T[] }).clients;
  }

  /** `export`, which must succeed: what it did for the first client. */
  async export(...args: string[]): Promise<Summary> {
    const [summary] = await this.expect<Summary>(0, "export", ...args);
    return summary!;
  }

  /** A client's section as the program reads it. It is asked for often, so what did not change is not read again. */
  async client(id: string = CLIENT): Promise<ClientConfig> {
    const text = await readFile(this.file, "utf8");
    if (text !== this.#read?.text) this.#read = { text, config: await loadConfig(this.file) };
    const { clients } = this.#read.config;
    return clients.find((client) => client.id === id) ?? assert.fail(`no client ${id}`);
  }

  /** The vault, opened as the program opens it. */
  async vault(id?: string): Promise<Vault> {
    return openVault((await this.client(id)).vault);
  }

  /** The audit log, its reader and its head, whose signature is checked with the vault's own key. */
  async log(id?: string): Promise<{ log: AuditLog; head: Head }> {
    const vault = await this.vault(id);
    const { description } = await readDescription(vault);
    const log = new AuditLog(vault, description.log.origin, [parseVerifier(description.log.vkey)]);
    return { log, head: await log.head() };
  }

  /** Everything the audit log says, in order; of one type, if one is named. */
  async entries(): Promise<Entry[]>;
  async entries<T extends Entry["type"]>(type: T, id?: string): Promise<Extract<Entry, { type: T }>[]>;
  async entries(type?: string, id?: string): Promise<Entry[]> {
    const { log, head } = await this.log(id);
    const entries: Entry[] = [];
    for await (const { bytes } of log.entries(0, head.size)) {
      const entry = decodeEntry(bytes);
      assert.ok(entry, "an entry of a type that this version does not know");
      if (type === undefined || entry.type === type) entries.push(entry);
    }
    return entries;
  }

  /** What was stored of each subject, the newest last. */
  async stored(id?: string): Promise<Map<string, RecordStored[]>> {
    return Map.groupBy(await this.entries("record.stored", id), ({ subject }) => subject);
  }

  /** The name of a provider's identity in this vault. */
  async subject(identity: string, id?: string): Promise<string> {
    return new Tokens(await (await this.client(id)).lookups.key.resolve()).subject("passbase", identity);
  }

  /** An object of the vault, decrypted. */
  async unseal(key: string, versionId?: string, by: AgeKey = this.officer): Promise<Buffer> {
    const vault = await this.vault();
    const { bytes } = await vault.read(key, 1024 ** 3, versionId);
    return Buffer.from(await new Opener([new Secret(by.identity)]).open(bytes));
  }

  /** The sealed record that an entry is about. */
  async record({ object }: RecordStored, by?: AgeKey): Promise<SealedRecord> {
    return JSON.parse((await this.unseal(object.key, object.versionId, by)).toString("utf8"));
  }

  /** Another one, with all that is here now: config, keys, state, and a vault in a directory. */
  async copy(): Promise<Workplace> {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-workplace-"));
    // Links are kept: the plain names of a vault are links.
    await promisify(execFile)("cp", ["-a", `${this.folder}/.`, folder]);
    return new Workplace(folder, this.officer, this.escrow, structuredClone(this.config.clients[0]!));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#started) running.kill("SIGKILL");
    await Promise.allSettled(this.#started.map(({ ended }) => ended));
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

export async function makeWorkplace(source: Provider, options: WorkplaceOptions = {}): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-workplace-"));
  await mkdir(join(folder, "keys"));
  await writeFile(join(folder, "keys/provider"), source.apiKey, { mode: 0o600 });
  if (options.lookupKey) await writeFile(join(folder, "keys/lookup"), options.lookupKey, { mode: 0o600 });
  const officer = await makeAgeKey(join(folder, "keys/officer.txt"));
  const escrow = await makeAgeKey(join(folder, "keys/escrow.txt"));
  const vault =
    options.vault === "ceph"
      ? { url: `s3://${await lockedBucket()}/${CLIENT}`, endpoint: cephEndpoint, forcePathStyle: true }
      : { url: `file:./vault/${CLIENT}` };
  const place = new Workplace(folder, officer, escrow, {
    id: CLIENT,
    collect: "full",
    legalBasis: ["Regulation (EU) 2024/1624 Art. 77"],
    source: { kind: "passbase", url: source.url, apiKey: "file:./keys/provider", rate: "10000/s", concurrency: 8 },
    recipients: [officer.recipient, escrow.recipient],
    vault: { ...vault, lock: "governance" },
    lookups: { key: "file:./keys/lookup", fields: ["email", "metadata.customer_id", "document.number"] },
    log: { origin: `${CLIENT}.example/holdfast`, key: "file:./keys/log" },
    retention: { keep: "P5Y", from: "relationship-end", initialLock: "P90D", extendWhenLessThan: "P30D" },
  });
  await place.configure(options.client);
  if (options.init ?? true) await place.expect(0, "init");
  return place;
}

/** An age key pair, its private half in an identity file. */
export async function makeAgeKey(file: string): Promise<AgeKey> {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  await writeFile(file, `# public key: ${recipient}\n${identity}\n`, { mode: 0o600 });
  return { recipient, identity, file };
}

/** Sections are merged, everything else is replaced; undefined takes a key away. */
function merge(section: Section, changes: Section): Section {
  const merged = { ...section };
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) delete merged[key];
    else merged[key] = isSection(value) && isSection(merged[key]) ? merge(merged[key], value) : value;
  }
  return merged;
}

function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The provider's answer about the identity itself, and those about its resources, as a record has them. */
export function identityAnswer({ raw }: SealedRecord): string {
  return raw!.find(({ endpoint }) => endpoint === "GET /identities/{id}")!.text;
}

export function resourceAnswers({ raw }: SealedRecord): string[] {
  return raw!.filter(({ endpoint }) => endpoint === "GET /identity/{id}/resources").map(({ text }) => text);
}
