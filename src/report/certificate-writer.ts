import { mkdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Entries, type LogAt } from "../audit/entries.ts";
import { decodeEntry, type Policy, type RecordPurged } from "../audit/entry.ts";
import { type Signer, signNote } from "../audit/note.ts";
import { SignedLog } from "../audit/signed-log.ts";
import { isThere, writeDurable, writingOut } from "../durable.ts";
import { HoldfastError } from "../error.ts";
import { CERTIFICATE, type Certificate, noteText, PAGE, SIGNATURE, sha256, totalsOf } from "./certificate.ts";
import { checkCertificate } from "./certificate-check.ts";
import { certificatePage } from "./certificate-page.ts";

export interface Certified {
  /** Must not be there; appears whole or not at all. */
  readonly folder: string;
  readonly client: string;
  readonly run: string;
  readonly policy: Policy;
  readonly legalBasis: readonly string[];
  readonly log: LogAt;
  readonly signer: Signer;
  readonly now: Temporal.Instant;
}

/** Throws `usage` where a certificate cannot be written: before anything is destroyed for it. */
export async function refuseTaken(folder: string): Promise<void> {
  for (const path of [resolve(folder), partial(folder)]) {
    if (!(await isThere(path))) continue;
    throw new HoldfastError("usage", `${path} is there already`, {
      mend: "Name another --out: a certificate is never written over.",
    });
  }
  await writing(() => mkdir(partial(folder), { recursive: true, mode: 0o700 }));
  await rm(partial(folder), { recursive: true });
}

/** Writes what a purge destroyed, signed, with the proofs that the log says so. Throws `usage` where it destroyed nothing. */
export async function writeCertificate(of: Certified): Promise<Certificate> {
  const { folder, client, run, policy, legalBasis, log, signer, now } = of;
  const entries = new Entries(log);
  const found: { index: number; entry: string; proof: string; purged: RecordPurged }[] = [];
  for await (const { index, purged, bytes } of purgedIn(log, run)) {
    found.push({ index, entry: Buffer.from(bytes).toString("utf8"), proof: await entries.proof(index), purged });
  }
  if (found.length === 0) {
    throw new HoldfastError("usage", `the log has no purge of the run ${run}`, {
      mend: "A run's name stands in the output of retention purge, and in the log.",
    });
  }
  const certificate: Certificate = {
    ...{ holdfast: "certificate-of-destruction/1", client, origin: signer.name, vkey: signer.verifier.vkey, run },
    ...{ made: now.toString({ smallestUnit: "second" }), policy, legalBasis: [...legalBasis] },
    totals: totalsOf(found.map(({ purged }) => purged)),
    entries: found.map(({ purged: _, ...proven }) => proven),
  };
  const json = `${JSON.stringify(certificate, null, 2)}\n`;
  await refuseTaken(folder);
  await writing(() => mkdir(partial(folder), { recursive: true, mode: 0o700 }));
  try {
    const page = certificatePage(
      certificate,
      found.map(({ purged }) => purged),
      sha256(json),
    );
    await write(join(partial(folder), CERTIFICATE), json);
    await write(
      join(partial(folder), SIGNATURE),
      signNote(noteText(signer.name, sha256(json), sha256(page)), [signer]),
    );
    await write(join(partial(folder), PAGE), page);
    // Who makes evidence is its first reader: what its own check refuses gets no name.
    await checkCertificate(partial(folder), signer.verifier.vkey);
    await writing(() => rename(partial(folder), resolve(folder)));
  } catch (error) {
    await rm(partial(folder), { recursive: true, force: true });
    throw error;
  }
  return certificate;
}

async function* purgedIn({ log, head }: LogAt, run: string) {
  for await (const { index, bytes } of new SignedLog(log, head).entries(0)) {
    // A cheap look before a costly one: most entries are of something else.
    if (!Buffer.from(bytes).includes('"record.purged"')) continue;
    const purged = decodeEntry(bytes);
    if (purged?.type === "record.purged" && purged.run === run) yield { index, purged, bytes };
  }
}

function partial(folder: string): string {
  return `${resolve(folder)}.partial`;
}

function write(path: string, content: string): Promise<void> {
  return writing(() => writeDurable(path, content));
}

const writing = <T>(work: () => Promise<T>): Promise<T> => writingOut("the certificate", work);
