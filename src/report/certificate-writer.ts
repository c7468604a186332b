import { mkdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Entries, type LogAt } from "../audit/entries.ts";
import { decodeEntry, type Entry, type Policy, type RecordPurged } from "../audit/entry.ts";
import { type Signer, signNote } from "../audit/note.ts";
import { SignedLog } from "../audit/signed-log.ts";
import { isThere, writeDurable, writingOut } from "../durable.ts";
import { HoldfastError } from "../error.ts";
import { parsePolicy } from "../retention/policy.ts";
import {
  CERTIFICATE,
  type Certificate,
  noteText,
  PAGE,
  type ProvenEntry,
  SIGNATURE,
  sha256,
  totalsOf,
} from "./certificate.ts";
import { checkCertificate } from "./certificate-check.ts";
import { certificatePage } from "./certificate-page.ts";
import { type Replayed, replayTrail, rulesIn, TRAIL } from "./trail.ts";

export interface Certified {
  /** Must not be there; appears whole or not at all. */
  readonly folder: string;
  readonly client: string;
  readonly run: string;
  /** The client's rules as they are now, for a log that tells none. */
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

/**
 * Writes what a purge destroyed, signed, with the proofs that the log says so and what led there. Throws `usage` where
 * it destroyed nothing, `unverified` where the log itself did not allow it.
 */
export async function writeCertificate(of: Certified): Promise<Certificate> {
  const { folder, client, run, legalBasis, log, signer, now } = of;
  const found = await Array.fromAsync(purgedIn(log, run));
  if (found.length === 0) {
    throw new HoldfastError("usage", `the log has no purge of the run ${run}`, {
      mend: "A run's name stands in the output of retention purge, and in the log.",
    });
  }
  const purged = found.map(({ entry }) => entry);
  const trail = await trailOf(log, run, new Set(purged.map(({ subject }) => subject)), found.at(-1)!.index);
  const all = [...trail, ...found].sort((a, b) => a.index - b.index);
  replayTrail(all, { origin: signer.name, policy: parsePolicy(of.policy), now });
  const entries = new Entries(log);
  const prove = async (some: readonly Logged[]): Promise<ProvenEntry[]> => {
    const proven: ProvenEntry[] = [];
    for (const { index, bytes } of some)
      proven.push({ index, entry: Buffer.from(bytes).toString("utf8"), proof: await entries.proof(index) });
    return proven;
  };
  const certificate: Certificate = {
    ...{ holdfast: "certificate-of-destruction/2", client, origin: signer.name, vkey: signer.verifier.vkey, run },
    ...{ made: now.toString({ smallestUnit: "second" }), policy: rulesIn(trail) ?? of.policy },
    ...{ legalBasis: [...legalBasis], totals: totalsOf(purged) },
    ...{ entries: await prove(found), trail: await prove(trail) },
  };
  const json = `${JSON.stringify(certificate, null, 2)}\n`;
  await refuseTaken(folder);
  await writing(() => mkdir(partial(folder), { recursive: true, mode: 0o700 }));
  try {
    const page = certificatePage(certificate, purged, sha256(json));
    await write(join(partial(folder), CERTIFICATE), json);
    await write(
      join(partial(folder), SIGNATURE),
      signNote(noteText(signer.name, sha256(json), sha256(page)), [signer]),
    );
    await write(join(partial(folder), PAGE), page);
    // Who makes evidence is its first reader: what its own check refuses gets no name.
    await checkCertificate(partial(folder), signer.verifier.vkey, now);
    await writing(() => rename(partial(folder), resolve(folder)));
  } catch (error) {
    await rm(partial(folder), { recursive: true, force: true });
    throw error;
  }
  return certificate;
}

interface Logged<T extends Entry = Entry> extends Replayed {
  readonly entry: T;
  readonly bytes: Uint8Array;
}

async function* purgedIn({ log, head }: LogAt, run: string): AsyncGenerator<Logged<RecordPurged>> {
  for await (const { index, bytes } of new SignedLog(log, head).entries(0)) {
    // A cheap look before a costly one: most entries are of something else.
    if (!Buffer.from(bytes).includes('"record.purged"')) continue;
    const entry = decodeEntry(bytes);
    if (entry?.type === "record.purged" && entry.run === run) yield { index, entry, bytes };
  }
}

/**
 * What the log says of these subjects, and of the rules, up to an entry. Nightly runs extend a lock dozens of times: of
 * those entries the last and the longest tell all there is to tell of an object.
 */
async function trailOf(
  { log, head }: LogAt,
  run: string,
  subjects: ReadonlySet<string>,
  last: number,
): Promise<Logged[]> {
  const found: Logged[] = [];
  const locks = new Map<string, { last: number; longest: number; until: string }>();
  for await (const { index, bytes } of new SignedLog(log, head).entries(0)) {
    if (index > last) break;
    if (!speaksOf(bytes, subjects)) continue;
    const entry = decodeEntry(bytes);
    if (entry === null || (entry.type === "record.purged" && entry.run === run)) continue;
    found.push({ index, entry, bytes });
    if (entry.type !== "lock.extended") continue;
    for (const { key, versionId } of entry.objects) {
      const name = `${key} ${versionId}`;
      const longest = locks.get(name);
      const isLonger = longest === undefined || Temporal.Instant.compare(entry.lockedUntil, longest.until) > 0;
      locks.set(
        name,
        isLonger ? { last: index, longest: index, until: entry.lockedUntil } : { ...longest, last: index },
      );
    }
  }
  const telling = new Set(locks.values().flatMap(({ last, longest }) => [last, longest]));
  return found.filter(({ index, entry }) => entry.type !== "lock.extended" || telling.has(index));
}

/** Without all that `decodeEntry` checks: most entries are of others. */
function speaksOf(bytes: Uint8Array, subjects: ReadonlySet<string>): boolean {
  try {
    const { type, subject } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, unknown>;
    if (!(TRAIL as ReadonlySet<unknown>).has(type)) return false;
    return type === "policy.changed" || subjects.has(subject as string);
  } catch {
    return false; // verify names what does not parse.
  }
}

function partial(folder: string): string {
  return `${resolve(folder)}.partial`;
}

function write(path: string, content: string): Promise<void> {
  return writing(() => writeDurable(path, content));
}

const writing = <T>(work: () => Promise<T>): Promise<T> => writingOut("the certificate", work);
