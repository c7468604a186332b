import { open as openFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { openCheckpoint } from "../audit/checkpoint.ts";
import { decodeEntry, type RecordPurged } from "../audit/entry.ts";
import { leafHash, verifyInclusion } from "../audit/merkle.ts";
import { openNote, parseVerifier, type Verifier } from "../audit/note.ts";
import { parseProof } from "../audit/proof.ts";
import { HoldfastError } from "../error.ts";
import {
  CERTIFICATE,
  type Certificate,
  noteText,
  PAGE,
  type ProvenEntry,
  parseCertificate,
  SIGNATURE,
  sha256,
  totalsOf,
} from "./certificate.ts";
import { type Replayed, replayTrail, rulesIn, TRAIL } from "./trail.ts";

/** Bytes of the largest that is read: some 100,000 people. */
const MAX_CERTIFICATE = 1024 ** 3;

/**
 * Whether what led to the purge was checked: all of it; all but the rules, because the log told none before it; or
 * nothing, because a certificate of the first form does not hold it.
 */
export type LedThere = "checked" | "no-policy" | "not-in-it";

/**
 * Checks a certificate, all of which is untrusted: signed by the log's key, each entry in the log, the sums theirs, and
 * the purge one that the entries before it allow. That no such entry was left out shows in the vault only.
 * Throws `malformed`, `unverified` or `incomplete`.
 * @param vkey the log's public key that is trusted; else the certificate's own word is taken
 */
export async function checkCertificate(
  folder: string,
  vkey?: string,
  now: Temporal.Instant = Temporal.Now.instant(),
): Promise<Certificate & { readonly ledThere: LedThere }> {
  const bytes = await readWhole(join(folder, CERTIFICATE), MAX_CERTIFICATE);
  const certificate = parseCertificate(bytes.toString("utf8"));
  if (vkey !== undefined && vkey !== certificate.vkey) {
    throw new HoldfastError(
      "unverified",
      `it was signed by another log key than the one that is trusted: ${certificate.vkey}`,
      {
        mend: "Ask who made it for the log's public key, on another way than with it.",
      },
    );
  }
  const verifier = parseVerifier(certificate.vkey);
  if (verifier.name !== certificate.origin) throw unverified("its key is of another log than its own");
  const note = await readWhole(join(folder, SIGNATURE), 100_000);
  // By its digest: another version of Holdfast may lay it out otherwise.
  const page = await readWhole(join(folder, PAGE), MAX_CERTIFICATE);
  if (openNote(note, [verifier]).text !== noteText(certificate.origin, sha256(bytes), sha256(page)))
    throw unverified(`${SIGNATURE} signs another certificate, or another page of it`);
  const trail = certificate.holdfast === "certificate-of-destruction/2" ? certificate.trail : [];
  const open = opening(certificate.origin, verifier);
  const all = [...trail, ...certificate.entries].map(open);
  if (new Set(all.map(({ index }) => index)).size !== all.length) throw unverified("an entry stands in it twice");
  const purged = all.slice(trail.length).map(({ index, entry }): RecordPurged => {
    if (entry.type !== "record.purged" || entry.run !== certificate.run)
      throw unverified(`entry ${index} is no purge of this run`);
    return entry;
  });
  if (JSON.stringify(totalsOf(purged)) !== JSON.stringify(certificate.totals))
    throw unverified("its sums are not those of its entries");
  return { ...certificate, ledThere: ledThere(certificate, all, purged, now) };
}

/** Opens entries whose proofs lead to a checkpoint that the log's key signed. It is the same one for nearly all. */
function opening(origin: string, verifier: Verifier): (proven: ProvenEntry) => Replayed {
  let last: { readonly note: string; readonly size: number; readonly root: Uint8Array } | undefined;
  return ({ index, entry, proof }) => {
    const proven = parseProof(proof);
    if (proven.index !== index) throw unverified(`the proof of entry ${index} is that of another`);
    if (last?.note !== proven.checkpoint)
      last = { note: proven.checkpoint, ...openCheckpoint(proven.checkpoint, origin, [verifier]) };
    const leaf = Buffer.from(entry);
    verifyInclusion(leafHash(leaf), index, last.size, proven.hashes, last.root);
    const read = decodeEntry(leaf);
    if (read === null || !TRAIL.has(read.type)) throw unverified(`entry ${index} has no place in it`);
    return { index, entry: read };
  };
}

function ledThere(
  { holdfast, origin, policy }: Certificate,
  all: readonly Replayed[],
  purged: readonly RecordPurged[],
  now: Temporal.Instant,
): LedThere {
  if (holdfast === "certificate-of-destruction/1") {
    for (const { time, objects } of purged) refuseEarly(time, objects);
    return "not-in-it";
  }
  const subjects = new Set(purged.map(({ subject }) => subject));
  const stranger = all.find(({ entry }) => "subject" in entry && !subjects.has(entry.subject));
  if (stranger) throw unverified(`entry ${stranger.index} is of nobody whom this purge took`);
  const inOrder = all.toSorted((a, b) => a.index - b.index);
  const withoutPolicy = replayTrail(inOrder, { origin, policy: undefined, now });
  const rules = rulesIn(inOrder);
  if (rules && !isDeepStrictEqual(rules, policy)) throw unverified("it names other rules than the log");
  return withoutPolicy > 0 ? "no-policy" : "checked";
}

/** All that can be said of a purge without what led there. */
function refuseEarly(time: string, objects: RecordPurged["objects"]): void {
  const early = objects.find(({ due }) => Temporal.Instant.compare(due, time) > 0);
  if (early) throw unverified(`${early.key} was purged ${time}, and had to be kept until ${early.due}`);
}

export function isCertificate(folder: string): Promise<boolean> {
  return stat(join(folder, CERTIFICATE)).then(
    () => true,
    () => false,
  );
}

async function readWhole(path: string, most: number): Promise<Buffer> {
  let file: Awaited<ReturnType<typeof openFile>>;
  try {
    file = await openFile(path, "r");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new HoldfastError("incomplete", `${path} ${code === "ENOENT" ? "is missing" : `cannot be read (${code})`}`, {
      cause,
    });
  }
  try {
    if ((await file.stat()).size > most) throw new HoldfastError("malformed", `${path} is longer than any certificate`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function unverified(what: string): HoldfastError {
  return new HoldfastError("unverified", `the certificate was changed: ${what}`);
}
