import type { HttpOptions } from "../../../src/source/http-options.ts";
import type { Source } from "../../../src/source/source.ts";

/**
 * One provider as the suite knows it. A new source gets the whole suite by one file with this, and a line in
 * `providers.ts`; one over HTTP is an `HttpProvider`. What a provider cannot do is a fact here; the suite then leaves
 * out the tests about it.
 */
export interface Provider {
  readonly kind: string;
  /** For the names of tests, if there are several of the kind. */
  readonly title?: string;
  /** Why it cannot be tried here. */
  readonly skip?: string | false;
  readonly can: Source["can"];
  /** What can change alone. `told`: the list and the changes show it; otherwise only the dossier does. */
  readonly parts: readonly { readonly name: string; readonly told: boolean }[];
  /** The list tells the status and the last change of each. Otherwise it tells little more than who there is. */
  readonly listTells: boolean;
  /** Identities can be redacted. Otherwise they are only deleted as a whole. */
  readonly redacts: boolean;
  /** Some people send videos. Otherwise all files are small. */
  readonly hasVideos: boolean;
  /** Every identity has a name. Otherwise only one with a result. */
  readonly alwaysNames: boolean;
  /** The answer that a minimal record needs has the date of birth. Otherwise it takes a right that no minimal record needs. */
  readonly minimalTellsAge: boolean;
  /** The last document of a person is all that a dossier reads. Otherwise it reads every one that was shown. */
  readonly readsOneDocument?: boolean;
  /** Nothing says whether a project is a sandbox. */
  readonly hidesEnvironment?: boolean;
  /** Seconds from an event until the provider shows it in full. */
  readonly delays: {
    /** From a change until `changes` names it. */
    readonly changes: number;
    /** From a redaction until everything is empty. */
    readonly redaction: number;
    /** Until a source that is open looks again at what it has read. Default: at once. */
    readonly reread?: number;
  };
  start(options: StageOptions): Promise<Stage>;
}

export interface StageOptions {
  /** How many invented people there are at the start: those of seed 1, one identity each, by index. */
  readonly people: number;
  /** The length of every selfie video, in bytes. */
  readonly videoBytes?: number | undefined;
}

/** A provider that was started. Everything takes an index, which names the same invented person at every provider. */
export interface Stage extends AsyncDisposable {
  /** A source that asks it. The caller closes it. */
  open(options: Opening): Source;
  /** The provider's id of the identity, deleted or not. */
  id(index: number): string;
  /** All ids that the provider has now. */
  ids(): string[];
  /** All objects that the provider has of a person and that a full dossier must hold. */
  said(index: number): readonly unknown[];
  /** Every file that the provider has of a person, each content once. */
  files(index: number): Promise<StagedFile[]>;

  /** Changes one of `Provider.parts`. */
  change(index: number, part: string): void | Promise<void>;
  /** Takes the person's pictures again. */
  recapture(index: number): void | Promise<void>;
  vanish(index: number): void | Promise<void>;
  redact(index: number): void;
  /** Adds people; returns their indexes. */
  add(count: number): number[] | Promise<number[]>;
  now(): Temporal.Instant;
  /** Moves the stage's clock forward. */
  advance(seconds: number): void;

  /** Personal strings, ids and secrets that no message may contain. */
  canaries(): string[];
  /** The API key, and what tokens in its answers begin with. */
  secrets(): string[];
  /** What the provider would object to in how it was asked. */
  objections(): readonly string[];
}

export interface StagedFile {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** What the suite sets of the options of a source. One without HTTP leaves out what it does not have. */
export type Opening = Pick<
  HttpOptions,
  "rate" | "concurrency" | "retry" | "timeouts" | "maxFile" | "onRetry" | "onRequest"
>;
