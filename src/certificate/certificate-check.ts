import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parseBase64 } from "../audit/canonical.ts";
import { openCheckpoint } from "../audit/checkpoint.ts";
import { differentKey } from "../audit/different-key.ts";
import { decodeEntry, type RecordPurged } from "../audit/entry.ts";
import { leafHash, verifyInclusion } from "../audit/merkle.ts";
import { openNote, parseVerifier, type Verifier } from "../audit/note.ts";
import { parseProof } from "../audit/proof.ts";
import { HoldfastError } from "../core/error.ts";
import { fileError } from "../io/file-error.ts";
import { fileAt } from "../io/is-there.ts";
import {
  CERTIFICATE,
  type Certificate,
  type CertificateV3,
  certificateNoteText,
  DESTROYED,
  DESTROYED_HEAD,
  DestroyedTotals,
  destroyedRows,
  ENTRIES,
  PAGE,
  parseCertificate,
  parseEntryLine,
  SIGNATURE,
  sha256,
} from "./certificate.ts";
import { CertifiedPeople } from "./certified-people.ts";
import { textLines } from "./text-lines.ts";
import { type Replayed, TRAIL, Trail } from "./trail.ts";

/** Bytes of what is read whole. Earlier versions could write no longer certificate: V8 has no longer strings. */
const MAX_CERTIFICATE = 2 ** 29 - 24;
/** Bytes of a line: an entry, escaped, and its proof. */
const MAX_LINE = 500_000;

/**
 * Whether what led to the purge was checked: all of it; all but the rules, because the log told none before it; or
 * nothing, because a certificate of the first form does not hold it.
 */
export type LedThere = "checked" | "no-policy" | "not-in-it";

/** What a certificate says that was checked. */
export interface CheckedCertificate extends Pick<Certificate, "client" | "vkey" | "made" | "policy" | "totals"> {
  readonly runs: readonly string[];
  /** Entries that are proven to be in the log. */
  readonly proven: number;
  readonly ledThere: LedThere;
}

export interface CheckOptions {
  /** The log's public key that is trusted; without it the key in the certificate is used. */
  readonly vkey?: string | undefined;
  readonly now?: Temporal.Instant;
  /** Where files may be made, for the while; default: the system's place for such files. */
  readonly scratch?: string;
  readonly signal?: AbortSignal;
}

/**
 * Checks a certificate, all of which is untrusted: signed by the log's key, each entry in the log, the sums and the list
 * theirs, and the purge one that the entries before it allow. That no such entry was left out shows in the vault only.
 * It is read piece by piece: memory does not grow with it. Throws `malformed`, `unverified` or `incomplete`.
 */
export async function checkCertificate(folder: string, options: CheckOptions = {}): Promise<CheckedCertificate> {
  if (options.scratch !== undefined) return checkIn(options.scratch, folder, options);
  const scratch = await mkdtemp(join(tmpdir(), "holdfast-check-"));
  try {
    return await checkIn(scratch, folder, options);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function checkIn(
  scratch: string,
  folder: string,
  { vkey, now = Temporal.Now.instant(), signal }: CheckOptions,
): Promise<CheckedCertificate> {
  const bytes = await readWhole(join(folder, CERTIFICATE), MAX_CERTIFICATE);
  const certificate = parseCertificate(bytes.toString("utf8"));
  if (vkey !== undefined && vkey !== certificate.vkey) throw differentKey("this certificate", certificate.vkey);
  const verifier = parseVerifier(certificate.vkey);
  if (verifier.name !== certificate.origin) throw unverified("its key belongs to a different log");
  const note = await readWhole(join(folder, SIGNATURE), 100_000);
  const { text } = openNote(note, [verifier]);
  // By its digest: another version of Holdfast may lay it out otherwise.
  const page = await digestOf(join(folder, PAGE), signal);
  if (text !== certificateNoteText(certificate.origin, sha256(bytes), page))
    throw unverified(`${SIGNATURE} is for a different certificate or page`);
  const { policy, totals } = certificate;
  const isFirst = certificate.holdfast === "certificate-of-destruction/1";
  const runs = "runs" in certificate ? certificate.runs : [certificate.run];
  using met = new CertifiedPeople(join(scratch, ".met"));
  using trail = new Trail({ origin: certificate.origin, policy: undefined, now, folder: scratch });
  const entries =
    "runs" in certificate ? new EntriesFile(folder, certificate, verifier) : earlyEntries(certificate, verifier);
  const list = createHash("sha256").update(DESTROYED_HEAD);
  const sums = new DestroyedTotals();
  let proven = 0;
  let last = -1;
  for await (const each of entries) {
    const { index, entry } = each;
    refuseAborted(signal);
    if (index <= last) throw unverified("it has an entry twice");
    [last, proven] = [index, proven + 1];
    if (entry.type === "record.purged" && runs.includes(entry.run)) {
      sums.add(entry);
      met.destroyed(entry.subject);
      list.update(destroyedRows(entry));
      if (isFirst) refuseEarly(entry);
    } else if (isFirst) throw unverified(`entry ${index} is not a purge of this run`);
    if ("subject" in entry) met.spokenOf(entry.subject, index);
    if (!isFirst) trail.take(each);
  }
  if (!isDeepStrictEqual(sums.of(met.count), totals)) throw unverified("its totals differ from its entries");
  const stranger = met.stranger();
  if (stranger !== undefined) throw unverified(`entry ${stranger} is about a person whom this purge did not destroy`);
  const { rules, withoutPolicy } = trail.end();
  if (rules && !isDeepStrictEqual(rules, policy)) throw unverified("its rules differ from the log's");
  if ("runs" in certificate) {
    const digest = list.digest("hex");
    if (digest !== certificate.files[DESTROYED] || digest !== (await digestOf(join(folder, DESTROYED), signal)))
      throw unverified(`${DESTROYED} differs from what its entries say was destroyed`);
  }
  const ledThere = isFirst ? "not-in-it" : withoutPolicy > 0 ? "no-policy" : "checked";
  const { client, made } = certificate;
  return { client, vkey: certificate.vkey, made, policy, totals, runs, proven, ledThere };
}

/** The entries of the present form, from their file. Its digest is checked when all of them were given. */
class EntriesFile {
  readonly #folder: string;
  readonly #certificate: CertificateV3;
  readonly #verifier: Verifier;

  constructor(folder: string, certificate: CertificateV3, verifier: Verifier) {
    this.#folder = folder;
    this.#certificate = certificate;
    this.#verifier = verifier;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Replayed, void, undefined> {
    const { checkpoint, origin, files } = this.#certificate;
    const head = openCheckpoint(checkpoint, origin, [this.#verifier]);
    const hash = createHash("sha256");
    const pieces = hashed(join(this.#folder, ENTRIES), hash);
    for await (const text of textLines(pieces, ENTRIES, MAX_LINE)) {
      const { index, entry, hashes } = parseEntryLine(text);
      yield opened(index, entry, hashes.map(parseBase64), head);
    }
    if (hash.digest("hex") !== files[ENTRIES]) throw unverified(`${ENTRIES} is not the file that was signed`);
  }
}

/** Those of the two earlier forms, which have all in one file. */
function* earlyEntries(
  certificate: Exclude<Certificate, CertificateV3>,
  verifier: Verifier,
): Generator<Replayed, void, undefined> {
  const { origin, run, entries } = certificate;
  const trail = "trail" in certificate ? certificate.trail : [];
  const purged = new Set(entries);
  let last: { readonly note: string; readonly size: number; readonly root: Uint8Array } | undefined;
  for (const each of [...trail, ...entries].sort((one, other) => one.index - other.index)) {
    const { index, entry, proof } = each;
    const { hashes, checkpoint, ...proven } = parseProof(proof);
    if (proven.index !== index) throw unverified(`the proof of entry ${index} belongs to a different entry`);
    // It is the same one for nearly all.
    if (last?.note !== checkpoint) last = { note: checkpoint, ...openCheckpoint(checkpoint, origin, [verifier]) };
    const replayed = opened(index, entry, hashes, last);
    const isPurge = replayed.entry.type === "record.purged" && replayed.entry.run === run;
    if (isPurge !== purged.has(each))
      throw unverified(`entry ${index} is not a purge of this run, or is in the wrong place`);
    yield replayed;
  }
}

/** An entry whose proof leads to a checkpoint that the log's key signed. */
function opened(
  index: number,
  entry: string,
  hashes: readonly Uint8Array[],
  head: { readonly size: number; readonly root: Uint8Array },
): Replayed {
  const leaf = Buffer.from(entry);
  verifyInclusion(leafHash(leaf), index, head.size, hashes, head.root);
  const read = decodeEntry(leaf);
  if (read === null || !TRAIL.has(read.type)) throw unverified(`entry ${index} has no place in it`);
  return { index, entry: read };
}

/** All that can be said of a purge without what led there. */
function refuseEarly({ time, objects }: RecordPurged): void {
  const early = objects.find(({ due }) => Temporal.Instant.compare(due, time) > 0);
  if (early) throw unverified(`${early.key} was purged ${time}, and had to be kept until ${early.due}`);
}

export async function isCertificate(folder: string): Promise<boolean> {
  return (await fileAt(join(folder, CERTIFICATE))) !== undefined;
}

async function readWhole(path: string, most: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of reading(path)) {
    size += piece.length;
    if (size > most) throw new HoldfastError("malformed", `${path} is longer than any certificate`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** SHA-256 of a file of whatever size, lower-case hex. */
async function digestOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash("sha256");
  for await (const _ of hashed(path, hash)) refuseAborted(signal);
  return hash.digest("hex");
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new HoldfastError("interrupted", "interrupted before the whole certificate was checked");
}

async function* hashed(path: string, hash: ReturnType<typeof createHash>): AsyncGenerator<Uint8Array> {
  for await (const piece of reading(path)) {
    hash.update(piece);
    yield piece;
  }
}

async function* reading(path: string): AsyncGenerator<Uint8Array> {
  try {
    // To open a FIFO that no one writes to would wait forever, and no signal ends that.
    if (!(await stat(path)).isFile()) throw new HoldfastError("incomplete", `${path} is not a file`);
    yield* createReadStream(path) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    // What cannot be read says nothing of what is in it.
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw fileError(cause, path, "read");
    throw new HoldfastError("incomplete", `${path} is missing`, { cause });
  }
}

function unverified(what: string): HoldfastError {
  return new HoldfastError("unverified", `the certificate was changed: ${what}`);
}
