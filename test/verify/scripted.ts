import { rm } from "node:fs/promises";
import { join } from "node:path";
import { verify } from "../../jobs/verify.ts";
import type { Entry, RecordPurged, RecordStored } from "../../src/audit/entry.ts";
import { parseSigner, type Signer } from "../../src/audit/note.ts";
import { policyOf } from "../../src/retention/policy.ts";
import type { ClientReport } from "../../src/session/verify-client.ts";
import { CHECKPOINT, fileKey, recordKey } from "../../src/vault/layout.ts";
import { session } from "../crash/aftermath.ts";
import { CLIENT, makeWorkplace, type Workplace, type WorkplaceOptions } from "../export/workplace.ts";
import { forgetEarlier, rewriteLog } from "./resign.ts";

export const SUBJECT = "ab".repeat(16);
export const VERSION = "20090101T000000Z-0123456789ab";
export const RECORD = recordKey(SUBJECT, VERSION);
export const FILE = fileKey(SUBJECT, "cd".repeat(16));
/** When the relationship of the script ends, and when the law's five years after it end. */
export const ENDED = "2010-06-30";
export const DUE = "2015-07-01T00:00:00Z";

const run = "20100101T000000Z-abcdef";
export const at = (time: string) => ({ time, run });
const object = (key: string, size: number) => ({
  key,
  versionId: "00000001",
  size,
  sha256: `${size}`.padStart(64, "0"),
});

/** One person's whole life in a valid log: at its end nothing is left of them. */
export class Script {
  rules: Entry;
  stored: RecordStored;
  extended: Entry;
  ended: Entry;
  locked: Entry;
  begun: Entry;
  purged: RecordPurged;

  constructor(words: Readonly<Record<string, string>>) {
    const subject = SUBJECT;
    this.rules = { type: "policy.changed", ...at("2010-01-01T00:00:00.000Z"), from: null, to: words };
    const file = { ...object(FILE, 2_000), type: "document_image", mediaType: "image/png" };
    this.stored = {
      ...{ type: "record.stored", ...at("2010-01-01T00:00:00.000Z"), subject, version: VERSION },
      ...{ updated: "2009-01-01T00:00:00Z", object: object(RECORD, 1_000), withheld: 0, recipients: [], lookups: {} },
      ...{ files: [{ ...file, lockedUntil: "2010-04-01T00:00:00Z" }], lockedUntil: "2010-04-01T00:00:00Z" },
    };
    this.extended = this.lock("2010-03-01T00:00:00.000Z", "2010-07-01T00:00:00Z");
    this.ended = { type: "relationship.ended", ...at("2010-07-01T00:00:00.000Z"), subject, ended: ENDED };
    this.locked = this.lock("2010-07-01T00:00:01.000Z", DUE);
    this.begun = { type: "purge.begun", ...at("2015-07-02T00:00:00.000Z"), subject, keys: [RECORD, FILE] };
    this.purged = {
      ...{ type: "record.purged", ...at("2015-07-02T00:01:00.000Z"), subject, ended: ENDED, whole: true },
      objects: [object(RECORD, 1_000), object(FILE, 2_000)].map((each) => ({ ...each, versions: 1, due: DUE })),
    };
  }

  lock(time: string, lockedUntil: string): Entry {
    const objects = [RECORD, FILE].map((key) => ({ key, versionId: "00000001" }));
    return { type: "lock.extended", ...at(time), subject: SUBJECT, lockedUntil, lockMode: "governance", objects };
  }

  hold(type: "hold.placed" | "hold.released", time: string, number = "1"): Entry {
    const common = { ...at(time), subject: SUBJECT, case: number.repeat(32), commitment: number.repeat(64) };
    return type === "hold.placed" ? { type, ...common, objects: [] } : { type, ...common };
  }

  /** All of it in order, with `more` before the purge begins. */
  entries(...more: Entry[]): Entry[] {
    const { rules, stored, extended, ended, locked, begun, purged } = this;
    return [rules, stored, extended, ended, locked, ...more, begun, purged];
  }
}

/** A vault whose log says what the test wants, signed with the log's own key: the attacker has that, and may delete. */
export class ScriptedVault implements AsyncDisposable {
  readonly place: Workplace;

  private constructor(place: Workplace) {
    this.place = place;
  }

  static async make(options?: WorkplaceOptions): Promise<ScriptedVault> {
    return new ScriptedVault(
      await makeWorkplace({ url: "http://127.0.0.1:9/verification/v2", apiKey: "none" }, options),
    );
  }

  async script(): Promise<Script> {
    const { retention, vault } = await this.place.client();
    return new Script(policyOf(retention, vault.lock));
  }

  signer(): Promise<Signer> {
    return signerOf(this.place);
  }

  write(entries: readonly unknown[]): Promise<void> {
    return rewrite(this.place, entries);
  }

  async verify(entries: readonly unknown[]): Promise<ClientReport> {
    await this.write(entries);
    const [report] = await verify(await session(this.place), { readData: 0 });
    return report!;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.place[Symbol.asyncDispose]();
  }
}

async function signerOf(place: Workplace): Promise<Signer> {
  const { log } = await place.client();
  return parseSigner((await log.key.resolve()).reveal());
}

/** No earlier checkpoint is left, in the vault or on this machine. The log may contain what we would never write. */
export async function rewrite(place: Workplace, entries: readonly unknown[]): Promise<void> {
  const bytes = entries.map((entry) => Buffer.from(JSON.stringify(entry)));
  const vault = await place.vault();
  await rewriteLog(vault, bytes, await signerOf(place));
  await forgetEarlier(vault, place.path("vault", CLIENT), CHECKPOINT);
  await vault.close();
  await rm(join((await place.client()).state, "checkpoint"), { force: true });
}
