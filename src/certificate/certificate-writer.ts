import { join } from "node:path";
import { Entries, type LogAt } from "../audit/entries.ts";
import type { Policy, RecordPurged } from "../audit/entry.ts";
import { type Signer, signNote } from "../audit/note.ts";
import { HoldfastError } from "../core/error.ts";
import { syncFolder, writeDurable } from "../io/durable-file.ts";
import { writingFile } from "../io/file-error.ts";
import { Unfinished } from "../io/unfinished-folder.ts";
import { parsePolicy } from "../retention/policy.ts";
import {
  CERTIFICATE,
  type CertificateV3,
  certificateNoteText,
  DESTROYED,
  DESTROYED_HEAD,
  DestroyedTotals,
  destroyedRows,
  ENTRIES,
  formatEntryLine,
  PAGE,
  SIGNATURE,
  sha256,
} from "./certificate.ts";
import { checkCertificate } from "./certificate-check.ts";
import { certificatePage, SHOWN } from "./certificate-page.ts";
import { HashedFile } from "./hashed-file.ts";
import { RunEntries } from "./run-entries.ts";
import { Trail } from "./trail.ts";

export interface CertificateOptions {
  /** Must not be there; appears whole or not at all. */
  readonly folder: string;
  readonly client: string;
  readonly company?: CertificateV3["company"];
  /** Purges as the log names them. */
  readonly runs: readonly string[];
  /** More of them, that were stopped: covered where they destroyed something. */
  readonly stopped: readonly string[];
  /** The client's rules as they are now, for a log that tells none. */
  readonly policy: Policy;
  readonly legalBasis: readonly string[];
  readonly log: LogAt;
  readonly signer: Signer;
  readonly now: Temporal.Instant;
  readonly signal: AbortSignal;
  readonly onEntries?: (done: number) => void;
}

/**
 * Writes what purges destroyed, signed, with the proofs that the log says so and what led there. Undefined where none is
 * named but stopped ones, and these destroyed nothing. Throws `usage` for another that destroyed nothing, `unverified`
 * where the log itself did not allow it, `usage` and `state` for a place that cannot be written.
 */
export async function writeCertificate(of: CertificateOptions): Promise<CertificateV3 | undefined> {
  const place = await Unfinished.folder(of.folder);
  try {
    const certificate = await writeTo(place.path, of);
    if (certificate === undefined) {
      await place.abandon();
      return undefined;
    }
    // Holdfast checks what it made before anyone else does: what fails gets no name.
    const { now, signal } = of;
    await checkCertificate(place.path, { vkey: of.signer.verifier.vkey, now, signal, scratch: place.path });
    await writingFile(place.path, () => syncFolder(place.path));
    await place.finish();
    await writingFile(of.folder, () => syncFolder(join(place.path, "..")));
    return certificate;
  } catch (error) {
    await place.abandon();
    throw error;
  }
}

async function writeTo(folder: string, of: CertificateOptions): Promise<CertificateV3 | undefined> {
  const { client, company, legalBasis, log, signer, now } = of;
  using entries = await RunEntries.find(log, new Set([...of.runs, ...of.stopped]), folder);
  const unknown = of.runs.find((run) => !entries?.runs.includes(run));
  if (unknown !== undefined) throw noPurge(unknown);
  if (entries === undefined) return undefined;
  const { runs } = entries;
  const written = await writeEntries(folder, entries, of);
  const certificate: CertificateV3 = {
    holdfast: "certificate-of-destruction/3",
    client,
    ...(company && { company }),
    origin: signer.name,
    vkey: signer.verifier.vkey,
    runs: [...runs],
    made: now.toString({ smallestUnit: "second" }),
    policy: written.rules ?? of.policy,
    legalBasis: [...legalBasis],
    totals: written.totals,
    checkpoint: Buffer.from(log.head.note).toString("utf8"),
    files: { [ENTRIES]: written.entries, [DESTROYED]: written.destroyed },
  };
  const json = `${JSON.stringify(certificate, null, 2)}\n`;
  const page = certificatePage({ certificate, digest: sha256(json), ...written });
  const write = (name: string, content: string): Promise<void> =>
    writingFile(join(folder, name), () => writeDurable(join(folder, name), content));
  await write(CERTIFICATE, json);
  await write(SIGNATURE, signNote(certificateNoteText(signer.name, sha256(json), sha256(page)), [signer]));
  await write(PAGE, page);
  return certificate;
}

/** The two files that grow with what was destroyed. Of them a few are kept, for the page. */
async function writeEntries(
  folder: string,
  found: RunEntries,
  { log, policy, signer, now, ...of }: CertificateOptions,
) {
  await using entries = await HashedFile.create(join(folder, ENTRIES));
  await using destroyed = await HashedFile.create(join(folder, DESTROYED));
  using trail = new Trail({ origin: signer.name, policy: parsePolicy(policy), now, folder });
  const proofs = new Entries(log);
  const totals = new DestroyedTotals();
  const runs = new Set(found.runs);
  const shown: RecordPurged[] = [];
  const approvers = new Set<string>();
  let [objects, done] = [0, 0];
  let days: [string, string] | undefined;
  await destroyed.write(DESTROYED_HEAD);
  for await (const { index, entry, bytes } of found.all()) {
    if (of.signal.aborted) throw new HoldfastError("interrupted", "interrupted before the certificate was complete");
    trail.take({ index, entry });
    const hashes = (await proofs.hashes(index)).map((hash) => Buffer.from(hash).toString("base64"));
    await entries.write(formatEntryLine({ index, entry: Buffer.from(bytes).toString("utf8"), hashes }));
    of.onEntries?.(++done);
    if (entry.type === "purge.begun" && entry.approvedBy !== undefined && runs.has(entry.run))
      approvers.add(entry.approvedBy);
    if (entry.type !== "record.purged" || !runs.has(entry.run)) continue;
    totals.add(entry);
    await destroyed.write(destroyedRows(entry));
    const day = entry.time.slice(0, 10);
    days = [days && days[0] < day ? days[0] : day, days && days[1] > day ? days[1] : day];
    if (objects < SHOWN) shown.push(entry);
    objects += entry.objects.length;
  }
  const { rules } = trail.end();
  return {
    rules,
    totals: totals.of(found.people),
    shown,
    approvers: [...approvers],
    days: days!,
    entries: await entries.end(),
    destroyed: await destroyed.end(),
  };
}

export function noPurge(run: string): HoldfastError {
  return new HoldfastError("usage", `the log has no purge of the run ${run}`, {
    hint: "The output of `holdfast retention purge` names the run, and so does the log.",
  });
}
