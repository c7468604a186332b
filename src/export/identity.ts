import type { StoredFile } from "../audit/entry.ts";
import { HoldfastError, hasCode } from "../error.ts";
import type { FileRef } from "../identity.ts";
import { lookupTokens } from "../record/lookups.ts";
import { minimalIdentity } from "../record/minimal.ts";
import { encodeRecord, type RecordFile, type SealedRecord, type WithheldFile } from "../record/record.ts";
import type { FetchedIdentity } from "../source/source.ts";
import { recordKey } from "../vault/layout.ts";
import { lockFor } from "../vault/lock.ts";
import type { Lock } from "../vault/vault.ts";
import type { Run } from "./context.ts";
import { exportFile } from "./file.ts";
import type { Candidate } from "./plan.ts";
import { storeSealed } from "./store.ts";
import { timestamp } from "./time.ts";

/** What became of one identity. */
export type IdentityOutcome =
  | {
      readonly kind: "new" | "changed" | "again";
      readonly files: number;
      readonly withheld: number;
      readonly bytes: number;
    }
  | { readonly kind: "unchanged" }
  | { readonly kind: "gone" };

/**
 * One identity's way: fetched, its files and its record sealed and stored, then logged. In this order, so that nothing
 * is logged that is not in the vault. May be done again from any point: every key is the same the second time.
 */
export async function exportIdentity(run: Run, { id, subject, listed }: Candidate): Promise<IdentityOutcome> {
  const { source, tokens, catalog } = run;
  const known = catalog.known(subject);
  const fetched = await present(source.identity(id));
  if (fetched === null) {
    // A name from the command line that nobody knows is a typing error, and no evidence of anything.
    if (!known && listed === undefined) throw new HoldfastError("source-missing", "the provider has no such identity");
    return logGone(run, subject, "deleted");
  }
  const version = tokens.version(fetched.identity.updated, fetched.raw);
  const again = catalog.hasVersion(subject, version);
  if (again && !run.again) {
    // The list tells it otherwise than the identity itself; remembered, so that it is not fetched every night.
    if (listed !== undefined) catalog.noteListed([{ subject, listed }]);
    return { kind: "unchanged" };
  }
  if (fetched.redacted && catalog.hadContent(subject)) return logGone(run, subject, "redacted", listed ?? version);
  const outcome = await store(run, subject, version, fetched);
  if (outcome === null) return logGone(run, subject, "deleted");
  if (listed !== undefined && listed !== version) catalog.noteListed([{ subject, listed }]);
  return { kind: again ? "again" : known ? "changed" : "new", ...outcome };
}

async function store(run: Run, subject: string, version: string, fetched: FetchedIdentity) {
  const { config, source, sealer, tokens, ledger, catalog, now } = run;
  const lock = lockFor(config.vault.lock, config.retention.initialLock, now());
  const full = config.collect === "full";
  const resources = full ? await present(source.resources(fetched.identity.id)) : { texts: [], files: [] };
  if (resources === null) return null;
  const files = await exportFiles(run, fetched.identity.id, subject, resources.files, lock);
  const at = now();
  const record: SealedRecord = {
    holdfast: "record/1",
    client: config.id,
    source: { kind: source.kind, api: source.api, project: run.project.id },
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
  // Beside an earlier copy of the same version the new one is never that copy taken up.
  const fresh = catalog.hasVersion(subject, version);
  const object = await storeSealed(
    run,
    recordKey(subject, version),
    await sealer.seal(encodeRecord(record)),
    lock,
    fresh,
  );
  await ledger.log({
    type: "record.stored",
    time: timestamp(now()),
    run: run.id,
    subject,
    version,
    updated: fetched.identity.updated,
    object: { key: object.key, versionId: object.versionId, size: object.size, sha256: object.sha256 },
    files: files.logged,
    withheld: files.withheld.length,
    recipients: [...sealer.fingerprints],
    lockedUntil: lock.until.toString(),
    lockMode: lock.mode,
    lookups: lookupTokens(fetched.identity, config.lookups.fields, tokens),
  });
  return { files: files.stored, withheld: files.withheld.length, bytes: object.size + files.bytes };
}

/** One file after the other: what is held in memory is one file's part, whatever the number of files. */
async function exportFiles(run: Run, id: string, subject: string, refs: readonly FileRef[], lock: Lock) {
  const records: RecordFile[] = [];
  const logged: StoredFile[] = [];
  const withheld: WithheldFile[] = [];
  let bytes = 0;
  let stored = 0;
  for (const ref of refs) {
    const outcome = await exportFile(run, id, subject, ref, lock);
    if ("withheld" in outcome) {
      withheld.push(outcome.withheld);
      continue;
    }
    records.push(outcome.record);
    logged.push(outcome.logged);
    bytes += outcome.bytes;
    if (outcome.bytes > 0) stored += 1;
  }
  return { records, logged, withheld, bytes, stored };
}

/** The copy that is kept stays; what is logged is that the provider has it no more. Said once, not every night. */
export async function logGone(
  run: Run,
  subject: string,
  reason: "deleted" | "redacted" | "unlisted",
  redacted?: string,
): Promise<IdentityOutcome> {
  const known = run.catalog.known(subject);
  if (known?.gone !== reason || reason === "redacted") {
    await run.ledger.log({
      type: "record.gone",
      time: timestamp(run.now()),
      run: run.id,
      subject,
      reason,
      ...(redacted === undefined ? {} : { redacted }),
      ...(known ? { kept: known.version } : {}),
    });
  }
  return { kind: "gone" };
}

async function present<T>(fetched: Promise<T>): Promise<T | null> {
  try {
    return await fetched;
  } catch (error) {
    if (hasCode(error, "source-missing")) return null;
    throw error;
  }
}
