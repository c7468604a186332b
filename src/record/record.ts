import type { Identity } from "../core/identity.ts";
import type { MinimalIdentity } from "./minimal.ts";

/**
 * One immutable version of one identity, the content of a sealed object (docs/FORMAT.md). All of it is personal data.
 */
export interface SealedRecord {
  readonly holdfast: "record/2";
  readonly client: string;
  readonly source: {
    /** Its name in the client's config. */
    readonly name: string;
    readonly kind: string;
    readonly api: string;
    readonly project: string;
  };
  /** RFC 3339 UTC, milliseconds. */
  readonly fetched: string;
  readonly collect: "full" | "minimal";
  readonly legalBasis: readonly string[];
  readonly identity: Identity | MinimalIdentity;
  /** The provider's answers, byte for byte, so that nothing outside the schema is lost. Missing in minimal records. */
  readonly raw?: readonly { readonly endpoint: string; readonly text: string }[];
  readonly files: readonly RecordFile[];
  readonly withheld: readonly WithheldFile[];
  /** What the provider has and the record lacks, because the key could not read it. Left out if there is nothing. */
  readonly gaps?: readonly string[];
  /** Requests that the config left out, so that their absence says nothing about the person. Left out if there is nothing. */
  readonly notAsked?: readonly string[];
}

export interface RecordFile {
  readonly id: string;
  readonly resource: string;
  readonly type: string;
  readonly page: number | null;
  readonly mediaType: string;
  /**
   * Bytes and SHA-256 of the file itself; null if it was stored with an earlier record, of the version `storedWith`.
   */
  readonly size: number | null;
  readonly sha256: string | null;
  readonly storedWith?: string;
  /** The key of the sealed file in the vault. */
  readonly key: string;
}

/** A file that the provider lists but the vault does not have. */
export interface WithheldFile {
  readonly id: string;
  readonly resource: string;
  /**
   * `forbidden`: the provider answered 403; `missing`: it lists the file but does not have it; `purged`: the vault had
   * it until its retention period ended, so it was not fetched again.
   */
  readonly reason: "forbidden" | "missing" | "purged";
}

export function encodeRecord(record: SealedRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}
