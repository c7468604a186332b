import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { openCheckpoint } from "../audit/checkpoint.ts";
import { decodeEntry } from "../audit/entry.ts";
import { leafHash, verifyInclusion } from "../audit/merkle.ts";
import { openNote, parseVerifier } from "../audit/note.ts";
import { parseProof } from "../audit/proof.ts";
import { HoldfastError } from "../error.ts";
import {
  CERTIFICATE,
  type Certificate,
  noteText,
  PAGE,
  parseCertificate,
  SIGNATURE,
  sha256,
  totalsOf,
} from "./certificate.ts";

/** Bytes of the largest that is read: some 100,000 people. */
const MAX_CERTIFICATE = 1024 ** 3;

/**
 * Checks a certificate, all of which is untrusted: signed by the log's key, each entry in the log, and the sums theirs.
 * Throws `malformed`, `unverified` or `incomplete`.
 * @param vkey the log's public key that is trusted; else the certificate's own word is taken
 */
export async function checkCertificate(folder: string, vkey?: string): Promise<Certificate> {
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
  const purged = certificate.entries.map(({ index, entry, proof }) => {
    const proven = parseProof(proof);
    if (proven.index !== index) throw unverified(`the proof of entry ${index} is that of another`);
    const { size, root } = openCheckpoint(proven.checkpoint, certificate.origin, [verifier]);
    const leaf = Buffer.from(entry);
    verifyInclusion(leafHash(leaf), index, size, proven.hashes, root);
    const read = decodeEntry(leaf);
    if (read?.type !== "record.purged" || read.run !== certificate.run)
      throw unverified(`entry ${index} is no purge of this run`);
    return read;
  });
  if (new Set(certificate.entries.map(({ index }) => index)).size !== purged.length)
    throw unverified("an entry stands in it twice");
  if (JSON.stringify(totalsOf(purged)) !== JSON.stringify(certificate.totals))
    throw unverified("its sums are not those of its entries");
  return certificate;
}

export function isCertificate(folder: string): Promise<boolean> {
  return stat(join(folder, CERTIFICATE)).then(
    () => true,
    () => false,
  );
}

async function readWhole(path: string, most: number): Promise<Buffer> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, "r");
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
