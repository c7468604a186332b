import type { FileRef, Identity } from "../core/identity.ts";
import type { LimitsView } from "./rate/limits.ts";

/**
 * A connection to an identity-verification provider for one client. Fits providers that page by cursor or by number,
 * filter by date or not, return file URLs that expire, or mark what they redacted.
 *
 * Contract: calls are read-only and may run twice. The source itself handles rate, concurrency, timeouts, retries and
 * Retry-After: when it throws, further retries do not help. Codes: source-key (the API key is refused: no call will
 * succeed), source-denied, source-missing, source-rejected, source-response, source-unavailable. No message contains an
 * id, personal data or the key. Everything it returns is untrusted and personal.
 */
export interface Source {
  /** Names the provider in subjects and records. Never change it for a provider. */
  readonly kind: string;
  /** The API's address, for people. */
  readonly api: string;

  project(): Promise<Project>;

  /**
   * Every identity, one page at a time; only one page is in memory. Starts after `cursor`, from an earlier page. A
   * source that can filter lists only those updated since `since`; others list all.
   */
  pages(options?: { cursor?: string; since?: Temporal.Instant }): AsyncIterable<Page>;

  /** Throws source-missing if the provider no longer has it. */
  identity(id: string): Promise<FetchedIdentity>;

  resources(id: string): Promise<FetchedResources>;

  /**
   * The bytes as they arrive. Throws source-denied if the provider withholds it, source-missing, and if it is cut off.
   */
  file(identity: string, file: FileRef): Promise<FetchedFile>;

  /** The current rate and its limit; `limitsText` shows it. */
  readonly limits: LimitsView;

  /** Requests sent so far, including retries. */
  readonly requests: number;

  close(): Promise<void>;
}

export interface Project {
  readonly id: string;
  readonly name: string;
  /** For example `sandbox` or `production`. */
  readonly environment: string;
}

export interface Page {
  readonly identities: readonly ListedIdentity[];
  /** Ids whose list entry is invalid or too large: fetch them to learn more. */
  readonly unread: readonly string[];
  /** Entries whose id is unreadable: they cannot be exported or told apart. */
  readonly unreadable: number;
  /** Continues after this page; null at the end. */
  readonly cursor: string | null;
}

export interface ListedIdentity {
  readonly id: string;
  /** RFC 3339 UTC. */
  readonly created: string;
  readonly updated: string;
  /** The status as the provider names it; `unknown` if it is missing. */
  readonly status: string;
  /** What the list says about it, parsed without loss: equal content means that nothing changed. */
  readonly raw: unknown;
}

export interface FetchedIdentity {
  readonly identity: Identity;
  /** The answer byte for byte, and the same parsed without loss. */
  readonly text: string;
  readonly raw: unknown;
  /** The provider has no personal data left. */
  readonly redacted: boolean;
}

export interface FetchedResources {
  /** The answer for each page, byte for byte. */
  readonly texts: readonly string[];
  readonly files: readonly FileRef[];
}

export interface FetchedFile {
  readonly mediaType: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}
