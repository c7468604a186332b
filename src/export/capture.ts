import type { RecordGone, RecordStored, Unlogged } from "../audit/entry.ts";
import { HoldfastError, hasCode, ownError } from "../core/error.ts";
import { timestamp } from "../core/timestamp.ts";
import { lookupTokens } from "../record/lookups.ts";
import { minimalIdentity } from "../record/minimal.ts";
import { encodeRecord, type RecordFile, type SealedRecord, type WithheldFile } from "../record/record.ts";
import { firstLock, isPast } from "../retention/first-lock.ts";
import type { Dossier } from "../source/source.ts";
import { recordKey } from "../vault/layout.ts";
import type { Lock } from "../vault/vault.ts";
import { compare } from "./comparison.ts";
import type { Again, Capturing } from "./context.ts";
import { exportFile } from "./file.ts";
import type { NamedFile } from "./file-names.ts";
import type { Kept } from "./kept.ts";
import type { Candidate } from "./plan.ts";
import { storeSealed } from "./store.ts";

/** The outcome for one identity. `listed` is what the provider's list says of it, if the catalog must remember it. */
export type Capture =
  | {
      readonly kind: "new" | "changed" | "again";
      readonly entry: Unlogged<RecordStored>;
      /** Files and bytes stored; files the provider withheld. */
      readonly files: number;
      readonly bytes: number;
      readonly withheld: number;
      /** What the record lacks, because the key may not read it (`Dossier.gaps`). */
      readonly gaps: readonly string[];
      /** What a glance at an open identity would say now. */
      readonly glance?: string | undefined;
    }
  | {
      readonly kind: "unchanged";
      readonly listed?: string | undefined;
      /** Of a record/1: all that the provider says now, as a version. */
      readonly content?: string | undefined;
      /** Files that the provider was asked for and still withholds. */
      readonly withheld?: number | undefined;
      readonly glance?: string | undefined;
    }
  /** Past its retention date: the law requires no copy any more. */
  | { readonly kind: "past"; readonly listed?: string | undefined }
  | {
      readonly kind: "gone";
      readonly entry?: Unlogged<RecordGone> | undefined;
      readonly listed?: string | undefined;
      /** The provider says so (410). A 404 may be a fault that passes: `doubt.ts`. */
      readonly sure?: true | undefined;
    }
  /** A given list of ids has it; neither the provider nor the vault does. */
  | { readonly kind: "notFound"; readonly listed?: undefined };

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

async function capture(parts: Capturing, candidate: Candidate, kept: Kept): Promise<Capture> {
  const { source, tokens, config } = parts;
  const { id, subject } = candidate;
  if (candidate.way === "open" && source.glance && kept.known?.glance) {
    const seen = await present(source.glance(id));
    if (seen instanceof HoldfastError) return notFound(parts, candidate, kept, seen);
    if (tokens.glance(seen) === kept.known.glance) return { kind: "unchanged" };
  }
  const dossier = await present(source.dossier(id, { full: config.collect === "full" }));
  if (dossier instanceof HoldfastError) return notFound(parts, candidate, kept, dossier);
  const { updated } = dossier.identity;
  const { version, isNewest, isRecord1, wasPurged, ...of } = compare(dossier, subject, kept, tokens);
  // The list and the identity itself may differ. Remember the list's values, or this identity is fetched every night.
  const listed = candidate.listed ?? of.listed;
  // Of a minimal answer the list already tells all, and a full one would differ from it.
  const content = isRecord1 && config.collect === "full" ? { content: version } : {};
  // While the key may not read something, the whole is asked for: that it may now moves nothing that a glance shows.
  const isWhole = dossier.gaps.length === 0;
  const glance =
    dossier.open && isWhole && dossier.glance !== undefined ? { glance: tokens.glance(dossier.glance) } : {};
  const again = parts.again || (mayArrive(dossier, candidate, kept) && "granted");
  if (isNewest && !again) return { kind: "unchanged", listed, ...content, ...glance };
  if (wasPurged || isPast(config, { updated, ended: undefined }, parts.now())) return { kind: "past", listed };
  // Do not remember what the list said: if the relationship is reopened, this version must be fetched.
  if (isPast(config, { updated, ended: kept.ended }, parts.now())) return { kind: "past" };
  if (dossier.redacted && kept.hadContent()) return redacted(subject, kept, listed ?? version);
  const fetched = { subject, version, listed, base: of.base, dossier, files: of.files, isNewest, again };
  const { isAwaited, ...stored } = await store(parts, fetched, kept);
  // A glance would not show that the file has arrived.
  const seen = isAwaited ? {} : glance;
  if ("stillWithheld" in stored) {
    // Of a run that asks for withheld files, the summary says how many still are.
    return { kind: "unchanged", listed, ...(parts.again ? { withheld: stored.stillWithheld } : {}), ...seen };
  }
  return { kind: isNewest ? "again" : kept.known ? "changed" : "new", ...stored, ...seen };
}

/** Providers make such files within minutes. One that was not there for so long may never be, and is asked for no more. */
const AWAITED = Temporal.Duration.from({ hours: 72 });

/** @param updated when the provider last changed the identity, RFC 3339 UTC */
function isYoung(updated: string, now: Temporal.Instant): boolean {
  return Temporal.Instant.compare(Temporal.Instant.from(updated).add(AWAITED), now) > 0;
}

/**
 * Whether a file that the provider did not find may be there by now, such as a report that it makes once a check ends: it is
 * asked for each night while the identity is open and changed less than three days ago. What a right is lacking for waits for `--withheld`.
 */
function mayArrive({ glance }: Dossier, { way }: Candidate, { known }: Kept): boolean {
  return way === "open" && !!known && known.withheld > 0 && (glance === undefined || known.glance === null);
}

/**
 * The provider does not have it. That it is gone follows only for someone whom this project had: one that it named
 * itself, or that the vault has from it.
 */
function notFound(
  { source, tokens, project }: Capturing,
  { subject, way }: Candidate,
  kept: Kept,
  { gone: isGone }: HoldfastError,
): Capture {
  const wasHere =
    way === "list" || (kept.known ? kept.known.project === tokens.project(source.kind, project) : way === "failure");
  // An unknown id from the command line is a typo.
  if (way === "ids" && !kept.known) return { kind: "notFound" };
  if (source.can.deletes === false && way !== "name") {
    // It was there a moment ago, and the vault has nothing of it: that must not pass for done.
    if (way === "list" && !kept.known)
      throw new HoldfastError("source-missing", "it was listed, and is not there any more");
    return { kind: "unchanged" };
  }
  if (wasHere && source.can.deletes !== false)
    return { ...gone(subject, kept, "deleted"), ...(isGone ? { sure: true } : {}) };
  if (way === "name") throw new HoldfastError("source-missing", "the provider has no such identity");
  return { kind: "gone" };
}

interface Fetched {
  readonly subject: string;
  readonly version: string;
  readonly listed: string | undefined;
  readonly base: string | undefined;
  readonly dossier: Dossier;
  readonly files: readonly NamedFile[];
  /** Whether it is the newest version that the vault has. */
  readonly isNewest: boolean;
  readonly again: Again;
}

async function store(parts: Capturing, fetched: Fetched, kept: Kept) {
  const { subject, version, listed, base, dossier, isNewest, again } = fetched;
  const { config, source, sealer, tokens, now } = parts;
  const { identity } = dossier;
  const lock = firstLock(config, { updated: identity.updated, ended: kept.ended }, now());
  const full = config.collect === "full";
  const files = await storeFiles(parts, identity.id, fetched.files, lock, kept);
  const fresh = kept.hasVersion(version);
  // Fewer are withheld if one arrived now, or if the provider lists one no longer. Else the record would be the same.
  const isGranted = files.stored > 0 || files.byProvider < (kept.known?.withheld ?? 0);
  const isAwaited = files.withheld.some(({ reason }) => reason === "missing") && isYoung(identity.updated, now());
  if (isNewest && again === "granted" && !isGranted) return { stillWithheld: files.byProvider, isAwaited };
  const at = now();
  const record: SealedRecord = {
    holdfast: "record/2",
    client: config.id,
    source: { name: parts.sourceConfig.name, kind: source.kind, api: source.api, project: parts.project },
    fetched: timestamp(at),
    collect: config.collect,
    legalBasis: config.legalBasis,
    identity: full
      ? identity
      : minimalIdentity(identity, config.minimal.overAge, at.toZonedDateTimeISO("UTC").toPlainDate()),
    ...(full ? { raw: dossier.answers } : {}),
    files: files.records,
    withheld: files.withheld,
    ...(dossier.gaps.length > 0 ? { gaps: dossier.gaps } : {}),
    ...(dossier.notAsked ? { notAsked: dossier.notAsked } : {}),
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
    updated: identity.updated,
    object: { key: object.key, versionId: object.versionId, size: object.size, sha256: object.sha256 },
    files: files.logged,
    withheld: files.byProvider,
    recipients: [...sealer.fingerprints],
    lockedUntil: lock.until.toString(),
    lockMode: lock.mode,
    lookups: lookupTokens(identity, config.lookups.fields, tokens),
    ...(listed === undefined ? {} : { listed }),
    ...(base === undefined ? {} : { base }),
    ...(dossier.open ? { open: true } : {}),
  };
  const { gaps } = dossier;
  const bytes = object.size + files.bytes;
  return { entry, files: files.stored, withheld: files.byProvider, bytes, gaps, isAwaited };
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

type Gone = Extract<Capture, { kind: "gone" }>;

/** Keeps the copy, and logs once that the provider no longer has the identity. */
export function gone(
  subject: string,
  { known }: { readonly known?: Kept["known"] },
  reason: RecordGone["reason"],
): Gone {
  if (known?.gone === reason) return { kind: "gone" };
  return { kind: "gone", entry: goneEntry(subject, known?.version, reason) };
}

/** The same for an identity that remains without its personal data. What is left of it may still change. */
export function redacted(subject: string, { known }: { readonly known?: Kept["known"] }, listed: string): Capture {
  if (known?.gone === "redacted") return { kind: "gone", listed };
  return { kind: "gone", entry: { ...goneEntry(subject, known?.version, "redacted"), redacted: listed } };
}

function goneEntry(subject: string, kept: string | undefined, reason: RecordGone["reason"]): Unlogged<RecordGone> {
  return { type: "record.gone", subject, reason, ...(kept === undefined ? {} : { kept }) };
}

/** What was fetched, or why the provider does not have it. */
async function present<T>(fetched: Promise<T>): Promise<T | HoldfastError> {
  try {
    return await fetched;
  } catch (error) {
    const own = ownError(error);
    if (own?.code === "source-missing") return own;
    throw error;
  }
}
