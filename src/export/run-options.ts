import type { ErrorCode } from "../core/error.ts";
import type { Progress } from "../observe/progress.ts";
import type { Page } from "../source/source.ts";
import type { Capture } from "./capture.ts";
import type { Crew } from "./crew.ts";
import type { Selection } from "./plan.ts";
import type { Tally } from "./summary.ts";

export interface RunOptions {
  readonly job: string;
  /** The run's id, if it already has one. */
  readonly run?: string | undefined;
  /** Holdfast's version. */
  readonly version: string;
  /** Provider ids. Undefined: everyone whom the feed or the walk names. */
  readonly identities?: readonly string[] | undefined;
  /** Which identities of the walk to export. */
  readonly selection: Selection;
  /** A partial walk that reports its position. Default: the whole source, from the beginning. */
  readonly walk?: PartialWalk | undefined;
  /** Brings identities into the vault, several at once. Default: this process. */
  readonly crew?: Crew | undefined;
  readonly progress: Progress;
  readonly observer?: RunObserver | undefined;
  /** Called when an identity is settled: what came of it, or the code of its failure. */
  readonly onSettled?: ((id: string, outcome: Capture["kind"] | ErrorCode) => void) | undefined;
}

/** Whether it looks at everyone whom anything names: webhooks, the list, changes. */
export function asksInbox({ identities, walk, selection }: RunOptions): boolean {
  return identities === undefined && walk === undefined && selection.kind === "changed";
}

/** Receives updates during a run, for metrics. */
export interface RunObserver {
  /** The current counts. Called often. */
  counted(tally: Tally): void;
  failed(stage: string, code: ErrorCode): void;
  /** The latest change on a page of the provider's list, RFC 3339 UTC. */
  listed(updated: string): void;
}

/** It resumes after a page of an earlier run, or skips identities. */
export interface PartialWalk {
  /** Default: the source's list, from the beginning. */
  readonly pages?: AsyncIterable<Page>;
  /** Identities that earlier runs examined, and the total. */
  readonly before: number;
  readonly total: number | undefined;
  /** Everyone listed up to this cursor is settled; null at the end. */
  settled(cursor: string | null, examined: number): void;
}
