import type { RecordGone, RecordStored, Unlogged } from "../audit/entry.ts";
import { HoldfastError, hasCode } from "../core/error.ts";
import { timestamp } from "../core/timestamp.ts";
import { lookupTokens } from "../record/lookups.ts";
import { minimalIdentity } from "../record/minimal.ts";
import { encodeRecord, type RecordFile, type SealedRecord, type WithheldFile } from "../record/record.ts";
import { firstLock, isPast } from "../retention/first-lock.ts";
import type { FetchedIdentity } from "../source/source.ts";
import { recordKey } from "../vault/layout.ts";
import type { Lock } from "../vault/vault.ts";
import type { Capturing } from "./context.ts";
import { exportFile } from "./file.ts";
import { type NamedFile, nameFiles } from "./file-names.ts";
import type { Kept } from "./kept.ts";
import type { Candidate } from "./plan.ts";
import { storeSealed } from "./store.ts";

/** The outcome for one identity. `listed` is what the provider's list said of it, if the catalog must remember it. */
export type Capture =
  | {
      readonly kind: "new" | "changed" | "again";
      readonly entry: Unlogged<RecordStored>;
      /** Files and bytes stored; files the provider withheld. */
      readonly files: number;
      readonly bytes: number;
      readonly withheld: number;
      readonly listed?: string | undefined;
    }
  /** `withheld`: files that the provider was asked for and still withholds. */
  | { readonly kind: "unchanged"; readonly listed?: string | undefined; readonly withheld?: number }
  /** Past its retention date: the law requires no copy any more. */
  | { readonly kind: "past"; readonly listed?: string | undefined }
  | { readonly kind: "gone"; readonly entry?: Unlogged<RecordGone> | undefined };

/**
 * Brings one identity into the vault: fetches it, then seals and stores its files and its record. `settle` logs it
 * afterwards, so the log never names an object that is not in the vault. Safe to repeat from any point: the keys stay
 * the same, and an object that was stored but not logged remains as an older version. A malformed answer may be a
 * passing fault and gets one more attempt.
 */
export async function captureIdentity(parts: Capturing, candidate: Candidate, kept: Kept): Promise<Capture> {
  try {
    return await capture(parts, candidate, kept);
  } catch (error) {
    if (!hasCode(error, "source-response")) throw error;
    return capture(parts, candidate, kept);
  }
}

async function capture(parts: Capturing, { id, subject, listed }: Candidate, kept: Kept): Promise<Capture> {
  const { source, tokens } = parts;
  const fetched = await present(source.identity(id));
  if (fetched === null) {
    // An unknown id from the command line is a typo, not evidence that an identity is gone.
    if (!kept.known && listed === undefined)
      throw new HoldfastError("source-missing", "the provider has no such identity");
    return gone(subject, kept, "deleted");
  }
  const version = tokens.version(fetched.identity.updated, fetched.raw);
  const again = kept.hasVersion(version);
  // The list and the identity itself differ. Remember the list's values, or this identity is fetched every night.
  if (again && !parts.again) return { kind: "unchanged", listed };
  const { updated } = fetched.identity;
  if (kept.wasPurged(version) || isPast(parts.config, { updated, ended: undefined }, parts.now()))
    return { kind: "past", listed };
  // Do not remember what the list said: if the relationship is reopened, this version must be fetched.
  if (isPast(parts.config, { updated, ended: kept.ended }, parts.now())) return { kind: "past" };
  if (fetched.redacted && kept.hadContent()) return gone(subject, kept, "redacted", listed ?? version);
  const stored = await store(parts, subject, version, fetched, kept);
  if (stored === null) {
    if ((await present(source.identity(id))) === null) return gone(subject, kept, "deleted");
    throw new HoldfastError("source-response", "the provider shows the identity but answers 404 for its resources");
  }
  if ("stillWithheld" in stored) return { kind: "unchanged", listed, withheld: stored.stillWithheld };
  const kind = again ? "again" : kept.known ? "changed" : "new";
  return { kind, ...stored, ...(listed === version ? {} : { listed }) };
}

async function store(parts: Capturing, subject: string, version: string, fetched: FetchedIdentity, kept: Kept) {
  const { config, source, sealer, tokens, now } = parts;
  const lock = firstLock(config, { updated: fetched.identity.updated, ended: kept.ended }, now());
  const full = config.collect === "full";
  const resources = full ? await present(source.resources(fetched.identity.id)) : { texts: [], files: [] };
  if (resources === null) return null;
  const named = nameFiles(subject, resources.files, tokens);
  const files = await storeFiles(parts, fetched.identity.id, named, lock, kept);
  const fresh = kept.hasVersion(version);
  // Fewer are withheld if one arrived now, or if the provider lists one no longer. Else the record would be the same.
  const isGranted = files.stored > 0 || files.byProvider < (kept.known?.withheld ?? 0);
  if (fresh && parts.again === "granted" && !isGranted) return { stillWithheld: files.byProvider };
  const at = now();
  const record: SealedRecord = {
    holdfast: "record/1",
    client: config.id,
    source: { kind: source.kind, api: source.api, project: parts.project },
    fetched: timestamp(at),
    collect: config.collect,
    legalBasis: config.legalBasis,
    identity: full
      ? fetched.identity
      : minimalIdentity(fetched.identity, config.minimal.overAge, at.toZonedDateTimeISO("UTC").toPlainDate()),
    ...(full ? { raw: { identity: fetched.text, resources: resources.texts } } : {}),
    files: files.records,
    withheld: files.withheld,
  };
  const object = await storeSealed(
    parts,
    recordKey(subject, version),
    await sealer.seal(encodeRecord(record)),
    lock,
    fresh,
  );
  const entry: Unlogged<RecordStored> = {
    type: "record.stored",
    subject,
    version,
    updated: fetched.identity.updated,
    object: { key: object.key, versionId: object.versionId, size: object.size, sha256: object.sha256 },
    files: files.logged,
    withheld: files.byProvider,
    recipients: [...sealer.fingerprints],
    lockedUntil: lock.until.toString(),
    lockMode: lock.mode,
    lookups: lookupTokens(fetched.identity, config.lookups.fields, tokens),
  };
  return { entry, files: files.stored, withheld: files.byProvider, bytes: object.size + files.bytes };
}

/** One file at a time, so that memory does not grow with the number of files. */
async function storeFiles(parts: Capturing, id: string, named: readonly NamedFile[], lock: Lock, kept: Kept) {
  const records: RecordFile[] = [];
  const logged: RecordStored["files"] = [];
  const withheld: WithheldFile[] = [];
  let bytes = 0;
  let stored = 0;
  for (const file of named) {
    const outcome = await exportFile(parts, id, file, lock, kept);
    if ("withheld" in outcome) {
      withheld.push(outcome.withheld);
      continue;
    }
    records.push(outcome.record);
    logged.push(outcome.logged);
    bytes += outcome.bytes;
    if (outcome.bytes > 0) stored += 1;
  }
  const byProvider = withheld.filter(({ reason }) => reason !== "purged").length;
  return { records, logged, withheld, byProvider, bytes, stored };
}

/** Keeps the copy, and logs once that the provider no longer has the identity. */
export function gone(
  subject: string,
  { known }: Pick<Kept, "known">,
  reason: RecordGone["reason"],
  redacted?: string,
): Capture {
  if (known?.gone === reason && reason !== "redacted") return { kind: "gone" };
  const of = { ...(redacted === undefined ? {} : { redacted }), ...(known ? { kept: known.version } : {}) };
  return { kind: "gone", entry: { type: "record.gone", subject, reason, ...of } };
}

async function present<T>(fetched: Promise<T>): Promise<T | null> {
  try {
    return await fetched;
  } catch (error) {
    if (hasCode(error, "source-missing")) return null;
    throw error;
  }
}
