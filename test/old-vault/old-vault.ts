import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { identityToRecipient } from "age-encryption";
import { parse } from "yaml";
import type { Summary } from "../../src/export/summary.ts";
import type { SealedRecord } from "../../src/record/record.ts";
import { type AgeKey, Workplace } from "../export/workplace.ts";
import { ADDRESS, OldProvider } from "./provider.ts";

const ARCHIVE = new URL("../vectors/record-1/vault.tar.gz", import.meta.url).pathname;
/** The day after the old version's last run. */
export const FIRST = "2025-11-12";

/** A copy of the old vault, with its config, keys and state, and its provider as it was after the last run. */
export class OldVault implements AsyncDisposable {
  readonly provider: OldProvider;
  readonly place: Workplace;
  /** The provider's ids, by index, also of who is gone. */
  readonly ids: string[];

  private constructor(provider: OldProvider, place: Workplace, ids: string[]) {
    this.provider = provider;
    this.place = place;
    this.ids = ids;
  }

  static async unpack(): Promise<OldVault> {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-workplace-"));
    await promisify(execFile)("tar", ["-xzf", ARCHIVE, "-C", folder]);
    const provider = await OldProvider.start(`${FIRST}T02:30:00Z`);
    const ids = provider.sandbox.ids();
    provider.catchUp();
    const file = join(folder, "holdfast.yaml");
    const text = (await readFile(file, "utf8")).replace(ADDRESS, new URL(provider.sandbox.url).host);
    await writeFile(file, text);
    const [section] = parse(text).clients;
    const [officer, escrow] = await Promise.all(["officer", "escrow"].map((name) => keyOf(folder, name)));
    return new OldVault(provider, new Workplace(folder, officer!, escrow!, section), ids);
  }

  /** The provider has these people too, by index. */
  joined(indexes: readonly number[]): void {
    for (const index of indexes) this.ids[index] = this.provider.sandbox.identity(index).id;
  }

  /** The machine loses its state: the catalog must come out of the log. */
  async forgetState(): Promise<void> {
    await rm(this.place.path("state"), { recursive: true });
  }

  /** `holdfast <words>` at the provider's time. It must end with `code`; gives its JSON. */
  async holdfast<T = unknown>(code: number, command: string, ...args: string[]): Promise<T> {
    const ended = await this.place.here(command, [...args, "--json"], { now: this.provider.now });
    assert.equal(ended.code, code, `${[command, ...args].join(" ")}: ${ended.code}\n${ended.stderr}${ended.stdout}`);
    return ended.json as T;
  }

  /** The nightly run of a day. */
  async night(day: string): Promise<Summary> {
    this.provider.sets(`${day}T02:30:00Z`);
    const { clients } = await this.holdfast<{ clients: Summary[] }>(0, "export");
    await this.holdfast(0, "retention", "extend");
    return clients[0]!;
  }

  /** Checks every object, opens every record, and finds nothing wrong. */
  async verified(): Promise<void> {
    const words = ["--read-data", "100", "--key", this.place.officer.file];
    const { clients } = await this.holdfast<{ clients: { found: unknown[]; problems: number }[] }>(
      0,
      "verify",
      ...words,
    );
    assert.deepEqual([clients[0]!.found, clients[0]!.problems], [[], 0]);
  }

  /** A bag of these people that `verify` accepts. */
  async retrieve(name: string, people: readonly number[]): Promise<string> {
    const why = ["--case", "AZ 18/25", "--requested-by", "FIU Berlin", "--reason", "an inquiry"];
    const named = people.flatMap((index) => ["--identity", this.ids[index]!]);
    const out = this.place.path(name);
    await this.holdfast(0, "retrieve", ...why, ...named, "--out", out);
    await this.checked(out);
    return out;
  }

  /** `verify` of a bag or a certificate, with the log's key. */
  async checked(folder: string): Promise<void> {
    const ended = await this.place.here("verify", [folder, "--vkey", await this.vkey()]);
    assert.equal(ended.code, 0, ended.stderr);
  }

  async vkey(): Promise<string> {
    return JSON.parse(await readFile(this.place.path("vault/acme-bank/vault.json"), "utf8")).log.vkey;
  }

  /** The records of a bag, opened with this key, by subject, the oldest version first. */
  async opened(bag: string, key: string = this.place.officer.file): Promise<Map<string, SealedRecord[]>> {
    const out = `${bag}-opened`;
    const ended = await this.place.here("open", [bag, "--key", key, "--out", out]);
    assert.equal(ended.code, 0, ended.stderr);
    const records = new Map<string, SealedRecord[]>();
    for (const path of (await readdir(out, { recursive: true })).sort()) {
      const [subject, , name] = path.split("/");
      if (name !== "record.json") continue;
      const record = JSON.parse(await readFile(join(out, path), "utf8")) as SealedRecord;
      records.getOrInsertComputed(subject!, () => []).push(record);
    }
    await rm(out, { recursive: true });
    return records;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.place[Symbol.asyncDispose]();
    await this.provider[Symbol.asyncDispose]();
  }
}

async function keyOf(folder: string, name: string): Promise<AgeKey> {
  const file = join(folder, `keys/${name}.txt`);
  const identity = (await readFile(file, "utf8")).trim();
  return { recipient: await identityToRecipient(identity), identity, file };
}
