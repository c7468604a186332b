import type { Rate } from "../config/rate.ts";
import type { FileRef, Identity } from "../core/identity.ts";
import type { LimitsView } from "./rate/limits.ts";

/**
 * A connection to an identity-verification provider for one client. Fits providers that list everyone or no one, page
 * by cursor or by number, name changes or not, return file URLs that expire, or mark what they redacted. Nothing above
 * it asks which provider it is.
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

  readonly can: Abilities;

  project(): Promise<Project>;

  /**
   * Every identity, one page at a time; only one page is in memory. Starts after `cursor`, from an earlier page. Only
   * where the source can list.
   */
  pages(options?: { cursor?: string }): AsyncIterable<Page>;

  /**
   * Who changed since then, by the provider's word, in groups. Someone may come twice, and late: the source itself asks
   * for some time before `since` as well. Only where the source can name changes. Throws source-denied if the key lacks
   * that right; then walk the list.
   */
  changes(since: Temporal.Instant): AsyncIterable<readonly Change[]>;

  /**
   * The id of the identity with this reference of the client's own; undefined if the provider has no such identity. Only
   * where it can look up references.
   */
  idOf?(reference: string): Promise<string | undefined>;

  /**
   * Everything the provider has of one identity. Throws source-missing if it no longer has it.
   * @param options `full: false` asks only for what a minimal record needs, and names no files
   */
  dossier(id: string, options: { readonly full: boolean }): Promise<Dossier>;

  /**
   * A few answers about an identity that is still open. If they are as in its last dossier (`Dossier.glance`), nothing
   * moved, as far as is worth asking for each night; its turn shows the rest. Throws source-missing like `dossier`.
   */
  glance?(id: string): Promise<unknown>;

  /**
   * The bytes of a file in the identity's dossier, as they arrive. Where its URL has expired, the source asks for a new
   * one, once. Throws source-denied if the provider withholds it, source-missing, and if it is cut off.
   */
  file(identity: string, file: FileRef): Promise<FetchedFile>;

  /**
   * What is wrong with the key or its settings, for `doctor`: what would make records incomplete without an error.
   * @param known ids of a few people whom the vault has, for what only an answer about someone shows
   */
  checks?(known: readonly string[]): Promise<readonly SourceCheck[]>;

  /** What the source has and does not hand out yet, as far as it has looked. Undefined where there is no such thing. */
  readonly waiting?: WaitingDrops | undefined;

  /** What the provider limits apart from the rate of all requests. */
  readonly apart?: readonly Apart[];

  /** The current rate and its limit; `limitsText` shows it. */
  readonly limits: LimitsView;

  /** Requests sent so far, including retries. */
  readonly requests: number;

  close(): Promise<void>;
}

/** A limit of some requests, which also count for the rate of all. */
export interface Apart {
  /** What they get, for people: `AML cases`. */
  readonly of: string;
  readonly rate: Rate;
  /** Sent so far, including retries. */
  readonly requests: number;
  /** Whether a file costs one as well. */
  readonly ofFiles: boolean;
}

/** One check of a source's key: nothing secret or personal. */
export type SourceCheck =
  | { readonly outcome: "ok" | "unknown"; readonly message: string; readonly hint?: undefined }
  | { readonly outcome: "warning"; readonly message: string /** How to fix it. */; readonly hint: string };

/** Deliveries that may still be written, so that no one in them was seen. */
export interface WaitingDrops {
  readonly count: number;
  /** Of these, how many began more than three days ago: something is wrong with them. */
  readonly stalled: number;
}

/** What the provider's API can do. */
export interface Abilities {
  /** List everyone. */
  readonly list: boolean;
  /** Name who changed since a time. */
  readonly changes: boolean;
  /** False: someone who is missing there was not deleted, so no one is concluded to be gone. Default: true. */
  readonly deletes?: boolean;
}

export interface Project {
  readonly id: string;
  readonly name: string;
  /** For example `sandbox` or `production`. */
  readonly environment: string;
}

export interface Entries {
  readonly identities: readonly ListedIdentity[];
  /** Ids whose list entry is invalid or too large: fetch them to learn more. */
  readonly unread: readonly string[];
  /** Entries whose id is unreadable: they cannot be exported or told apart. */
  readonly unreadable: number;
}

export interface Page extends Entries {
  /** Continues after this page; null at the end. */
  readonly cursor: string | null;
  /** False if the source knows that the walk has missed someone: then its end proves no one gone. */
  readonly whole: boolean;
  /** The same entries before they are parsed, where the source parses them only when they are asked for. */
  readonly unparsed?: Unparsed;
}

export interface Unparsed {
  readonly entries: readonly UnparsedEntry[];
  /** Parses all entries but those at these positions. */
  except(skipped: ReadonlySet<number>): Entries;
}

/** An entry as received. What it says is known only after it was parsed. */
export interface UnparsedEntry {
  /** What seems to be its id. */
  readonly id: string | undefined;
  /** Undefined if it was too large to hold. */
  readonly bytes: Uint8Array | undefined;
}

export interface Change {
  readonly id: string;
  /** RFC 3339 UTC. */
  readonly at: string;
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
  /** The list still shows it, and says that it is deleted. */
  readonly deleted?: boolean;
  /** The entry as received, if the source can also leave it unparsed. Equal bytes say the same. */
  readonly bytes?: Uint8Array | undefined;
}

export interface Dossier {
  readonly identity: Identity;
  readonly answers: readonly Answer[];
  /**
   * What is compared to find changes: all answers, parsed without loss, without what changes by itself (tokens, links),
   * and with arrays in a fixed order where theirs means nothing.
   */
  readonly content: unknown;
  /**
   * `content` without what the config may leave out, where that is something else: what the same answers are compared by
   * once the config does leave it out.
   */
  readonly base?: unknown;
  /** Requests that the config leaves out (`aml: false`), by their names in the provider's documentation. */
  readonly notAsked?: readonly string[];
  /** What the list says about it, as `ListedIdentity.raw`. Undefined if these answers do not show it. */
  readonly listed: unknown;
  /** What the list has as `updated`, if that is not `identity.updated`. */
  readonly listedUpdated?: string;
  readonly files: readonly FileRef[];
  /**
   * What the provider has and this dossier lacks, because the key may not read it: endpoints and fields by the names in
   * the provider's documentation, never anything from an answer. When the key may, `content` differs.
   */
  readonly gaps: readonly string[];
  /** The provider is still working on it, and neither its list nor its changes would tell how that ends. */
  readonly open: boolean;
  /** What `glance` answers, as this dossier shows it. */
  readonly glance?: unknown;
  /** The provider has no personal data left, by its own mark where it has one. */
  readonly redacted: boolean;
}

/** One answer of the provider. */
export interface Answer {
  /** The request without ids, as the provider documents it: `GET /identities/{id}`. */
  readonly endpoint: string;
  /** Byte for byte. */
  readonly text: string;
}

export interface FetchedFile {
  readonly mediaType: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}
