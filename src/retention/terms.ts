import type { Catalog } from "../catalog/catalog.ts";
import type { CatalogFile, CatalogRecord, Copies } from "../catalog/kept.ts";
import type { RetentionConfig } from "../config/config.ts";
import { recordKey } from "../vault/layout.ts";
import { type Begun, fileUntil, type LastDay, laterOf, recordUntil } from "./keep.ts";

/** One sealed object, and until when the law requires it. */
export interface Term {
  readonly kind: "record" | "file";
  readonly key: string;
  readonly versionId: string;
  readonly size: number;
  readonly sha256: string;
  readonly lockedUntil: string;
  readonly lockMode: "governance" | "compliance";
  /** When it was stored, RFC 3339 UTC. */
  readonly stored: string;
  /** Undefined: not known yet, because the relationship lasts. */
  readonly until: Temporal.Instant | undefined;
}

/**
 * What the vault holds of a subject. A file is kept for the last version that lists it, and a record at least as long
 * as its files, which make no sense without it.
 */
export function termsOf(catalog: Catalog, retention: RetentionConfig, subject: string): Term[] {
  return termsAmong(catalog.kept.of(subject), retention, subject, catalog.relationships.ended(subject));
}

/** The same for someone of whom this is known already. */
export function termsAmong(
  { records, files, listings }: Copies,
  retention: RetentionConfig,
  subject: string,
  ended: LastDay,
): Term[] {
  const versions = new Map(records.map((record) => [record.version, record]));
  const listing = new Set([...listings.values()].flat());
  const recordEnd = (record: CatalogRecord): Temporal.Instant | undefined => {
    const own = recordUntil(retention, record, ended);
    return listing.has(record.version) ? laterOf(own, fileUntil(retention, record, ended)) : own;
  };
  return [
    ...records.map((record) => ({
      kind: "record" as const,
      key: recordKey(subject, record.version),
      versionId: record.versionId,
      size: record.size,
      sha256: record.sha256,
      stored: record.stored,
      until: recordEnd(record),
      lockedUntil: record.lockedUntil,
      lockMode: record.lockMode,
    })),
    ...files.map((file) => fileTerm(file, listings.get(file.key) ?? [], versions, retention, ended)),
  ];
}

function fileTerm(
  { key, versionId, size, sha256, lockedUntil, lockMode, storedWith }: CatalogFile,
  listed: readonly string[],
  versions: ReadonlyMap<string, Begun>,
  retention: RetentionConfig,
  ended: LastDay,
): Term {
  const listers = listed.flatMap((version) => versions.get(version) ?? []);
  const until = listers.map((begun) => fileUntil(retention, begun, ended)).reduce(laterOf, LONG_AGO);
  // It was stored with the first version that lists it; that version may have been purged.
  const stored = versions.get(storedWith)?.stored ?? listers[0]?.stored ?? String(LONG_AGO);
  return { kind: "file", key, versionId, size, sha256, lockedUntil, lockMode, stored, until };
}

const LONG_AGO = Temporal.Instant.fromEpochMilliseconds(0);
