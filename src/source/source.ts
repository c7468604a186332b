import type { FileRef, Identity } from "../core/identity.ts";
import type { LimitsView } from "./rate/limits.ts";

/**
 * A connection to an identity-verification provider for one client. Wide enough for those that page by cursor or by
 * number, filter by date or not, hand out file URLs that expire, or mark what they redacted.
 *
 * Contract: calls are read-only and may run twice. Rate, concurrency, timeouts, retry and Retry-After are the source's
 * own business: what it throws has been retried as far as that helps. Codes: source-key (the API key is refused: no
 * call will succeed), source-denied, source-missing, source-rejected, source-response, source-unavailable. No message
 * holds an id, a datum or the key. Everything that comes back is untrusted and personal.
 */
export interface Source {
  /** Names the provider in subjects and records; never changes for one provider. */
  readonly kind: string;
  /** For people: the API's address. */
  readonly api: string;

  project(): Promise<Project>;

  /**
   * Every identity, a page at a time; one page is held. Starts after `cursor`, an earlier page's. A source that can
   * filter lists those updated since `since` only; one that cannot lists all.
   */
  pages(options?: { cursor?: string; since?: Temporal.Instant }): AsyncIterable<Page>;

  /** Throws source-missing when the provider has it no more. */
  identity(id: string): Promise<FetchedIdentity>;

  resources(id: string): Promise<FetchedResources>;

  /** The bytes as they arrive. Throws source-denied when the provider withholds it, source-missing. A cut one throws. */
  file(identity: string, file: FileRef): Promise<FetchedFile>;

  /** The rate now and what bounds it; `limitsText` shows it. */
  readonly limits: LimitsView;

  /** Requests sent so far, retries included. */
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
  /** Ids of those whose entry in the list cannot be read, or is too large: only fetching them says what they are. */
  readonly unread: readonly string[];
  /** Entries of which not even the id can be read: they cannot be exported, nor told apart. */
  readonly unreadable: number;
  /** Goes on after this page; null at the end. */
  readonly cursor: string | null;
}

export interface ListedIdentity {
  readonly id: string;
  /** RFC 3339 UTC. */
  readonly created: string;
  readonly updated: string;
  /** The provider's own word; `unknown` if it says none. */
  readonly status: string;
  /** What the list says of it, parsed without loss: equal content means nothing changed. */
  readonly raw: unknown;
}

export interface FetchedIdentity {
  readonly identity: Identity;
  /** The answer to the byte, and the same parsed without loss. */
  readonly text: string;
  readonly raw: unknown;
  /** Nothing personal is left at the provider. */
  readonly redacted: boolean;
}

export interface FetchedResources {
  /** The answer of each page to the byte. */
  readonly texts: readonly string[];
  readonly files: readonly FileRef[];
}

export interface FetchedFile {
  readonly mediaType: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}
