import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { type Entry, encodeEntry, type RecordStored } from "../../src/audit/entry.ts";
import { systemClock } from "../../src/core/clock.ts";
import { fileKey } from "../../src/vault/layout.ts";
import { CLIENT } from "../export/workplace.ts";
import { ScriptedVault, SUBJECT } from "../verify/scripted.ts";
import { Desk } from "./desk.ts";
import { dying } from "./memory-vault.ts";

export const LATER = "20100201T000000Z-0123456789ab";
export const OTHER = fileKey(SUBJECT, "ef".repeat(16));
/** Lock end in the far future. */
export const UNTIL = "2040-01-01T00:00:00Z";
export const text = (entry: Entry): string => Buffer.from(encodeEntry(entry)).toString();
/** When machine a is back. */
export const BACK = Temporal.Instant.from("2015-07-05T00:00:00Z");
export const isWell = { code: 0, found: [], orphans: 0 };

export function record(version: string, run: string, changes: Partial<RecordStored>): RecordStored {
  const updated = `${version.slice(0, 4)}-${version.slice(4, 6)}-${version.slice(6, 8)}T00:00:00Z`;
  return {
    ...{ type: "record.stored", time: "2015-07-02T00:00:00.000Z", run, subject: SUBJECT, version, updated },
    ...{ object: { key: "", versionId: "", size: 0, sha256: "" }, files: [], withheld: 0, recipients: [] },
    ...{ lockedUntil: UNTIL, lookups: {} },
    ...changes,
  };
}

export function marker(run: string, count: number): Extract<Entry, { type: "journal.resumed" }> {
  return { type: "journal.resumed", time: BACK.toString({ smallestUnit: "millisecond" }), run, count };
}

/** A vault where machine a dies with entries in its journal, b continues, and a comes back. */
export class ComesBack implements AsyncDisposable {
  readonly vault: ScriptedVault;
  #desks = 0;

  private constructor(vault: ScriptedVault) {
    this.vault = vault;
  }

  static async make(): Promise<ComesBack> {
    return new ComesBack(await ScriptedVault.make());
  }

  /** Removes everything from earlier tests. */
  async clear(): Promise<void> {
    for (const folder of ["records", "files", ".versions/records", ".versions/files"])
      await rm(this.vault.place.path("vault", CLIENT, folder), { recursive: true, force: true });
  }

  /** Stores a real object in the vault, for a log entry about it. */
  async put(key: string): Promise<RecordStored["object"]> {
    const open = await this.vault.place.vault();
    const lock = { mode: "governance", until: Temporal.Instant.from(UNTIL) } as const;
    const { versionId } = await open.put(key, Buffer.from(`${this.#desks} ${key}`), { lock });
    const { size, sha256 } = await open.head(key, versionId);
    await open.close();
    return { key, versionId, size, sha256: sha256! };
  }

  async file(key: string): Promise<RecordStored["files"][number]> {
    return { ...(await this.put(key)), type: "document_image", mediaType: "image/png", lockedUntil: UNTIL };
  }

  /** What a logged after it came back, and what the verify command then says about the log. */
  async comesBack(
    before: readonly Entry[],
    mine: readonly Entry[],
    others: readonly Entry[],
    now: Temporal.Instant = systemClock(),
  ): Promise<{ log: string[]; code: number | null; found: string[]; orphans: number }> {
    const { place } = this.vault;
    await this.vault.write(before);
    const open = await place.vault();
    const own = { signer: await this.vault.signer() };
    this.#desks += 1;
    const [a, b] = ["a", "b"].map((name) => new Desk(open, place.path(`desk-${this.#desks}-${name}`), own));
    for (const desk of [a!, b!]) await (await desk.open()).close();
    const dead = await a!.open({ vault: dying(open, 0, "before"), batch: 1 << 20 });
    for (const entry of mine) await dead.append(entry);
    await assert.rejects(dead.flush(), { code: "vault-unavailable" });
    await dead.close();
    const standby = await b!.open();
    for (const entry of others) await standby.append(entry);
    await standby.flush();
    await standby.close();
    // Locks of the log's pieces use the real clock.
    const lock = { mode: "governance", initial: systemClock().until(UNTIL).round("hours") } as const;
    await (await a!.open({ now: () => now, lock })).close();
    await open.close();
    const log = await this.log();
    return { log: log.slice(before.length + others.length), ...(await this.verify()) };
  }

  async log(): Promise<string[]> {
    const { log, head } = await this.vault.place.log();
    return Array.fromAsync(log.entries(0, head.size), ({ bytes }) => Buffer.from(bytes).toString());
  }

  async verify(): Promise<{ code: number | null; found: string[]; orphans: number }> {
    const ended = await this.vault.place.here("verify", ["--orphans", "--json"]);
    const [client] = (ended.json as { clients: { found: { key: string; what: string }[]; orphaned: object[] }[] })
      .clients;
    return {
      code: ended.code,
      ...{ found: client!.found.map(({ key, what }) => `${key} ${what}`), orphans: client!.orphaned.length },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.vault[Symbol.asyncDispose]();
  }
}
