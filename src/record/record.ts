import type { Identity } from "../core/identity.ts";
import type { MinimalIdentity } from "./minimal.ts";

/** One immutable version of one identity, as it lies inside a sealed object (docs/FORMAT.md). All personal data. */
export interface SealedRecord {
  readonly holdfast: "record/1";
  readonly client: string;
  readonly source: { readonly kind: string; readonly api: string; readonly project: string };
  /** RFC 3339 UTC, milliseconds. */
  readonly fetched: string;
  readonly collect: "full" | "minimal";
  readonly legalBasis: readonly string[];
  readonly identity: Identity | MinimalIdentity;
  /** The provider's answers to the byte, so that nothing the schema does not know is lost. Absent when minimal. */
  readonly raw?: { readonly identity: string; readonly resources: readonly string[] };
  readonly files: readonly RecordFile[];
  readonly withheld: readonly WithheldFile[];
}

export interface RecordFile {
  readonly id: string;
  readonly resource: string;
  readonly type: string;
  readonly page: number | null;
  readonly mediaType: string;
  /** Bytes and SHA-256 of the file itself; null where an earlier record was stored with it: of the version `storedWith`. */
  readonly size: number | null;
  readonly sha256: string | null;
  readonly storedWith?: string;
  /** Where the sealed file lies in the vault. */
  readonly key: string;
}

/** A file that the provider lists and that is not in the vault. */
export interface WithheldFile {
  readonly id: string;
  readonly resource: string;
  /**
   * `forbidden`: the provider answered 403; `missing`: it lists the file and does not have it; `purged`: the vault held
   * it until the law asked for it no more, so it was not fetched again.
   */
  readonly reason: "forbidden" | "missing" | "purged";
}

export function encodeRecord(record: SealedRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}
