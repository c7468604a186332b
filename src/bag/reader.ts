import { createHash, type X509Certificate } from "node:crypto";
import { approve } from "../approval/approval.ts";
import { FOR_RETRIEVAL } from "../approval/signature.ts";
import { openCheckpoint } from "../audit/checkpoint.ts";
import { differentKey } from "../audit/different-key.ts";
import { decodeEntry, type Entry, type RecordStored, type RetrievalPrepared } from "../audit/entry.ts";
import { leafHash, verifyInclusion } from "../audit/merkle.ts";
import { openNote, parseVerifier, type Verifier } from "../audit/note.ts";
import { parseProof } from "../audit/proof.ts";
import { checkTimestamp, type Timestamp } from "../audit/timestamp/check.ts";
import { parseToken } from "../audit/timestamp/token.ts";
import { HoldfastError } from "../core/error.ts";
import { parseApprover } from "../core/ssh-key.ts";
import { parseDescription } from "../vault/description.ts";
import { BAGIT, DECLARATION, MANIFEST, type Manifest, parseManifest, TAG_MANIFEST } from "./bagit.ts";
import { type BagFiles, MAX_MANIFEST, notAsMade, readFolder, readTag } from "./folder.ts";
import { lastStored } from "./last-stored.ts";
import {
  APPROVAL,
  bagNoteText,
  CHECKPOINT,
  dataPath,
  entryPath,
  NOTE,
  proofPath,
  REQUEST,
  RESEAL,
  RETRIEVAL,
  TIMESTAMP,
  VAULT,
} from "./layout.ts";
import { parseRequest, type ReadRetrievalRequest } from "./request.ts";
import { asMade, checkReseal, parseReseal, type Reseal } from "./reseal.ts";
import { commitment, parseRetrieval, type Retrieval } from "./retrieval.ts";
import { type Numbered, wholeRecord } from "./whole-record.ts";

type Read = (path: string) => Promise<Buffer>;

/** A bag of which everything was checked. */
export interface SoundBag {
  readonly retrieval: Retrieval;
  /** The entries that its records were logged by, each with all files of its record. */
  readonly records: readonly RecordStored[];
  readonly entries: number;
  /** The payload's files, as the bag was made, with their digests. */
  readonly data: Manifest;
  /** The same files with their digests as they are in the folder: of a bag that was handed on, they are others. */
  readonly here: Manifest;
  readonly bytes: number;
  /** What macOS or Windows left in the folder, and was passed over. */
  readonly ignored: readonly string[];
  /** Of the log, that all of it was checked with. */
  readonly vkey: string;
  /** Of a bag that was handed on to other recipients. */
  readonly reseal: Reseal | undefined;
  /** When the log's head existed at the latest; without an authority where no one said whom to trust. */
  readonly timestamp: (Pick<Timestamp, "time"> & Partial<Timestamp>) | undefined;
}

/**
 * Checks a bag, all of which is untrusted, without anything else: that it is whole and nothing was added, who signed
 * it, that every entry is in the log that the checkpoint signs, and that every sealed object is the one that was logged.
 * Throws `incomplete`, `malformed` or `unverified` for the first thing that is not so, and names the file.
 * @param vkey the log's public key that is trusted; else the word of the bag itself is taken
 * @param anchors root certificates of the time-stamping authority; the bag must have a time stamp then
 */
export async function checkBag(folder: string, vkey?: string, anchors?: readonly X509Certificate[]): Promise<SoundBag> {
  const here = await readFolder(folder);
  if (!here.sizes.has(RESEAL)) return checkMade(here, vkey, anchors);
  // The lists of the one who handed it on say that it is whole. What it proves is about the bag before that.
  const { data } = await checkLists(here, [TAG_MANIFEST]);
  const reseal = parseReseal(await readTag(here, RESEAL));
  const files = await asMade(here);
  const checked = await checkMade(files, vkey, anchors);
  checkReseal(reseal, { files: here, data }, { files, data: checked.data });
  return { ...checked, reseal, here: data };
}

async function checkMade(
  files: BagFiles,
  vkey: string | undefined,
  anchors: readonly X509Certificate[] | undefined,
): Promise<SoundBag> {
  const { data, digest } = await checkLists(files, [TAG_MANIFEST, NOTE]);
  const read: Read = (path) => readTag(files, path);

  const { log } = parseDescription(await read(VAULT));
  if (vkey !== undefined && vkey !== log.vkey) throw differentKey("this bag", log.vkey);
  const verifiers = [parseVerifier(log.vkey)];
  if (openNote(await read(NOTE), verifiers).text !== bagNoteText(log.origin, digest)) {
    throw new HoldfastError("unverified", `${NOTE} is for a different bag`);
  }
  const retrieval = parseRetrieval((await read(RETRIEVAL)).toString("utf8"));
  const proven = new BagLog(read, log.origin, verifiers);
  const records = await checkContents(retrieval, data, files.sizes, proven, read);
  const timestamp = await checkTime(files, read, anchors);
  let bytes = 0;
  for (const path of data.keys()) bytes += files.sizes.get(path)!;
  const { ignored } = files;
  const common = { retrieval, records, entries: proven.checked, bytes, ignored, vkey: log.vkey, timestamp };
  return { ...common, data, here: data, reseal: undefined };
}

/** That the time stamp is of this bag's checkpoint, and of an authority that is trusted, where one is. */
async function checkTime(
  { sizes }: BagFiles,
  read: Read,
  anchors: readonly X509Certificate[] | undefined,
): Promise<SoundBag["timestamp"]> {
  if (!sizes.has(TIMESTAMP)) {
    if (anchors === undefined) return undefined;
    throw new HoldfastError("incomplete", "this bag has no time stamp", {
      hint: "Leave --tsa-ca out: everything else can be checked without. Or ask for a new bag, made when the authority answers.",
    });
  }
  const bytes = await read(TIMESTAMP);
  const digest = createHash("sha256")
    .update(await read(CHECKPOINT))
    .digest("hex");
  if (anchors) return checkTimestamp(bytes, { digest, anchors });
  const { time, imprint } = parseToken(bytes);
  if (imprint !== digest)
    throw new HoldfastError("unverified", `${TIMESTAMP} stamps something else than ${CHECKPOINT}`);
  return { time };
}

/** Entries of a bag, each proven to be in the log that the bag's checkpoint signs. */
class BagLog {
  readonly #read: (path: string) => Promise<Buffer>;
  readonly origin: string;
  readonly #verifiers: readonly Verifier[];
  readonly #entries = new Map<number, Entry | null>();

  constructor(read: (path: string) => Promise<Buffer>, origin: string, verifiers: readonly Verifier[]) {
    this.#read = read;
    this.origin = origin;
    this.#verifiers = verifiers;
  }

  get checked(): number {
    return this.#entries.size;
  }

  async entry(index: number): Promise<Entry | null> {
    const known = this.#entries.get(index);
    if (known !== undefined) return known;
    const note = await this.#read(CHECKPOINT);
    const { size, root } = openCheckpoint(note, this.origin, this.#verifiers);
    const bytes = await this.#read(entryPath(index));
    const proof = parseProof(await this.#read(proofPath(index)));
    if (proof.index !== index || proof.checkpoint !== note.toString("utf8")) {
      throw new HoldfastError("unverified", `${proofPath(index)} is the proof of a different entry`);
    }
    verifyInclusion(leafHash(bytes), index, size, proof.hashes, root);
    const entry = decodeEntry(bytes);
    this.#entries.set(index, entry);
    return entry;
  }
}

/** What the retrieval says of its records is what the log says, and all of the payload was logged. */
async function checkContents(
  retrieval: Retrieval,
  data: Manifest,
  found: ReadonlyMap<string, number>,
  log: BagLog,
  read: Read,
): Promise<RecordStored[]> {
  /** What was stored again has another digest in its later entry: the bag has one of them. */
  const promised = new Map<string, Set<string>>();
  /** Path to the entry that says it was destroyed, and to the last that stored it. */
  const purged = new Map<string, number>();
  const stored = new Map<string, number>();
  const records: RecordStored[] = [];
  for (const { subject, records: versions, trail } of retrieval.subjects) {
    const told: Numbered[] = [];
    for (const index of trail) {
      const entry = await log.entry(index);
      if (entry === null) continue;
      told.push({ index, entry });
      if (entry.type !== "record.purged" || entry.subject !== subject) continue;
      for (const { key } of entry.objects) purged.set(dataPath(key), index);
    }
    const ofRecords = told.filter(({ entry }) => "subject" in entry && entry.subject === subject);
    for (const { version, entry: index } of versions) {
      const entry = await log.entry(index);
      if (entry?.type !== "record.stored" || entry.subject !== subject || entry.version !== version) {
        throw new HoldfastError("unverified", `entry ${index} did not store version ${version} of ${subject}`);
      }
      const whole = wholeRecord({ index, entry }, told);
      records.push(whole);
      for (const { key, size, sha256 } of [whole.object, ...whole.files]) {
        const path = dataPath(key);
        promised.set(path, (promised.get(path) ?? new Set()).add(`${size} ${sha256}`));
      }
      ofRecords.push({ index, entry });
    }
    for (const [key, index] of lastStored(ofRecords)) stored.set(dataPath(key), index);
  }
  for (const [path, contents] of promised) {
    if (!found.has(path) && (purged.get(path) ?? -1) > (stored.get(path) ?? -1)) continue;
    if (!contents.has(`${found.get(path)} ${data.get(path)}`))
      throw notAsMade(`${path} is not what the log says was stored`);
  }
  for (const path of data.keys()) if (!promised.has(path)) throw notAsMade(`${path} belongs to no record of this bag`);
  const named = new Set<string>();
  for (const index of retrieval.retrieval) {
    const entry = await log.entry(index);
    if (entry?.type !== "retrieval.prepared" || entry.commitment !== commitment(retrieval, retrieval.salt)) {
      throw new HoldfastError(
        "unverified",
        `entry ${index} logged another retrieval than evidence/retrieval.json tells`,
      );
    }
    if (entry.request !== undefined) await checkApproval(retrieval, log.origin, entry, read);
    for (const subject of entry.subjects) named.add(subject);
  }
  const told = retrieval.subjects.map(({ subject }) => subject);
  if (named.size !== told.length || !told.every((subject) => named.has(subject))) {
    throw new HoldfastError("unverified", "the subjects of evidence/retrieval.json are not those that were logged");
  }
  return records;
}

/** A second person signed for this very retrieval, with the key that the log names, within the request's seven days. */
async function checkApproval(
  retrieval: Retrieval,
  origin: string,
  entry: RetrievalPrepared,
  read: Read,
): Promise<void> {
  const asked = requestOf(await read(REQUEST));
  const { request } = asked;
  const named = new Set(request.subjects);
  const same =
    asked.sha256 === entry.request &&
    request.client === retrieval.client &&
    request.origin === origin &&
    commitment(request, request.salt) === entry.commitment &&
    retrieval.subjects.every(({ subject }) => named.has(subject));
  if (!same) throw new HoldfastError("unverified", `${REQUEST} is not the request that was logged as approved`);
  const approvers = [parseApprover(entry.approvedBy ?? "")];
  // By the clock of the machine that made the bag, which wrote the entry.
  const approval = approve(asked, await read(APPROVAL), approvers, Temporal.Instant.from(entry.time), FOR_RETRIEVAL);
  if (approval === "expired")
    throw new HoldfastError("unverified", `${REQUEST} was not made within the seven days before the bag`);
  if (typeof approval === "string")
    throw new HoldfastError("unverified", `${APPROVAL} is not the signature of the key that the log names`);
}

function requestOf(bytes: Uint8Array): ReadRetrievalRequest {
  try {
    return parseRequest(bytes);
  } catch (cause) {
    throw new HoldfastError("malformed", `${REQUEST} is not, to the byte, a request as retrieve writes it`, { cause });
  }
}

/** Holds every file to the bag's own lists (RFC 8493), and gives these. */
async function checkLists(files: BagFiles, unlisted: readonly string[]) {
  if ((await readTag(files, BAGIT)).toString("utf8") !== DECLARATION)
    throw new HoldfastError("malformed", `${BAGIT} is not that of BagIt 1.0`);
  const tagManifest = await readTag(files, TAG_MANIFEST, MAX_MANIFEST);
  const tags = parseManifest(TAG_MANIFEST, tagManifest.toString("utf8"));
  await checkDigests(files, tags, TAG_MANIFEST);
  const data = parseManifest(MANIFEST, (await readTag(files, MANIFEST, MAX_MANIFEST)).toString("utf8"));
  if (!tags.has(MANIFEST)) throw notAsMade(`${TAG_MANIFEST} does not list ${MANIFEST}`);
  for (const path of data.keys())
    if (!path.startsWith("data/")) throw notAsMade(`${MANIFEST} lists ${path}, no payload`);
  await checkDigests(files, data, MANIFEST);
  for (const path of files.sizes.keys()) {
    const listed = path.startsWith("data/") ? data.has(path) : tags.has(path) || unlisted.includes(path);
    if (!listed) throw notAsMade(`${path} is in no manifest: it was added, or renamed`);
  }
  return { data, digest: createHash("sha256").update(tagManifest).digest("hex") };
}

async function checkDigests(files: BagFiles, manifest: Manifest, name: string) {
  for (const [path, digest] of manifest) {
    if (!files.sizes.has(path)) throw notAsMade(`${path} is missing: ${name} lists it`);
    const hash = createHash("sha256");
    for await (const chunk of files.stream(path)) hash.update(chunk);
    if (hash.digest("hex") !== digest) throw notAsMade(`${path} was changed: its digest is not the one in ${name}`);
  }
}
