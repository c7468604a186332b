import type { IncomingMessage } from "node:http";
import type { HttpOptions } from "../../../src/source/http.ts";
import type { Source } from "../../../src/source/source.ts";
import type { Reply } from "../../faults/requests.ts";
import type { Interceptor } from "../../sandbox/send.ts";

/**
 * One provider as the suite knows it. A new source gets the whole suite by one file with this, and a line in
 * `providers.ts`. What a provider cannot do is a fact here; the suite then leaves out the tests about it.
 */
export interface Provider {
  readonly kind: string;
  readonly can: Source["can"];
  /** What can change alone. `told`: the list and the changes show it; otherwise only the dossier does. */
  readonly parts: readonly { readonly name: string; readonly told: boolean }[];
  /** The list tells the status and the last change of each. Otherwise it tells little more than who there is. */
  readonly listTells: boolean;
  /** Identities can be redacted. Otherwise they are only deleted as a whole. */
  readonly redacts: boolean;
  /** Some parts of a dossier have pages. */
  readonly partsHavePages: boolean;
  /** A page may be empty and still not be the last: the cursor is the provider's own, not the last entry's id. */
  readonly emptyPages: boolean;
  /** The API marks what it redacted. Otherwise a source can only tell by what is no longer there. */
  readonly marksRedaction: boolean;
  /** Some people send videos. Otherwise all files are small. */
  readonly hasVideos: boolean;
  /** Every identity has a name. Otherwise only one with a result. */
  readonly alwaysNames: boolean;
  /** The answer that a minimal record needs has the date of birth. Otherwise it takes a right that no minimal record needs. */
  readonly minimalTellsAge: boolean;
  /** After a refusal the source asks once more for less: the key may lack a right to a part of the answer. */
  readonly asksForLess: boolean;
  /** The last document of a person is all that a dossier reads. Otherwise it reads every one that was shown. */
  readonly readsOneDocument?: boolean;
  /** The API does not say whether a project is a sandbox. */
  readonly hidesEnvironment?: boolean;
  /** Files are on a second host, which must never see the key. */
  readonly filesElsewhere: boolean;
  /** Seconds from an event until the API shows it in full. */
  readonly delays: {
    /** From a change until `changes` names it. */
    readonly changes: number;
    /** From a redaction until everything is empty. */
    readonly redaction: number;
    /** From an answer until its file URLs no longer open. Undefined if files have no URLs of their own. */
    readonly urls: number | undefined;
  };
  start(options: StageOptions): Promise<Stage>;
}

export interface StageOptions {
  /** How many invented people there are at the start: those of seed 1, one identity each, by index. */
  readonly people: number;
  /** The length of every selfie video, in bytes. */
  readonly videoBytes?: number | undefined;
}

/** A started sandbox. Everything takes an index, which names the same invented person at every provider. */
export interface Stage extends AsyncDisposable {
  /** A source that asks this sandbox. The caller closes it. */
  open(options: StageHttp): Source;
  /** The provider's id of the identity, deleted or not. */
  id(index: number): string;
  /** All ids that the provider has now. */
  ids(): string[];
  /** All objects that the provider has of a person and that a full dossier must hold. */
  said(index: number): readonly unknown[];
  /** Every file that the provider has of a person, each content once. */
  files(index: number): Promise<StagedFile[]>;

  /** Changes one of `Provider.parts`. */
  change(index: number, part: string): void;
  /** Takes the person's pictures again. */
  recapture(index: number): void;
  vanish(index: number): void;
  redact(index: number): void;
  /** Adds people; returns their indexes. */
  add(count: number): number[];
  now(): Temporal.Instant;
  /** Moves the sandbox's clock forward. */
  advance(seconds: number): void;

  /** What URLs of files begin with, where they are on a second host. */
  readonly filesOrigin?: string;

  /** The header with a signature over an answer's body, and the name under which a dossier keeps all of them. */
  readonly signature?: string;

  /** An answer as a dossier keeps it, where that is not byte for byte. */
  kept?(text: string): string;

  /** What a request asks for. */
  asked(request: IncomingMessage): Asked;
  /** What the provider's documentation forbids about a request, or asks for and does not find in it. */
  wrongIn(request: IncomingMessage): string | undefined;
  /** A hook that runs before the sandbox answers, on all its hosts. */
  intercept(hook: Interceptor | undefined): void;
  /** The list's entry about a person as JSON, with this id in place of its own. */
  entry(index: number, id: unknown): string;
  /** An answer of the list or of the changes: these entries, and a cursor that leads to a page of that number. */
  page(of: "list" | "changes", entries: readonly string[], next: number | null): string | Reply;
  /** An answer about a part, whose cursor now leads to one more page; the same text if it has no pages. */
  goesOn(text: string): string;

  /** Personal strings, ids and secrets that no message may contain. */
  canaries(): string[];
  /** The API key, and what tokens in its answers begin with. */
  secrets(): string[];
  /** Requests that took the key to a host that must not see it. */
  leaks(): readonly string[];
}

/** What a request is about, in words that fit every provider. */
export const ASKED = ["project", "list", "changes", "identity", "part", "file", "other"] as const;
/** `identity` is the main answer about one identity, `part` any other that belongs to its dossier. */
export type Asked = (typeof ASKED)[number];

export interface StagedFile {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** What the suite sets of the options that every source over HTTP takes. */
export type StageHttp = Pick<
  HttpOptions,
  "rate" | "concurrency" | "retry" | "timeouts" | "maxFile" | "onRetry" | "onRequest"
>;
