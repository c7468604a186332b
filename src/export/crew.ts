import { limitsText } from "../source/rate/limits.ts";
import { type Capture, captureIdentity } from "./capture.ts";
import type { Run } from "./context.ts";
import { keptIn } from "./kept.ts";
import type { Candidate } from "./plan.ts";

/** Who brings a run's identities into the vault: this process, or workers on other machines. */
export interface Crew {
  readonly size: number;
  capture(run: Run, candidate: Candidate): Promise<Capture>;
  /** The run is ending: start no further identity. `capture` throws `interrupted`. */
  stop?(): void;
  /** The outcome is in the log: done or failed. */
  settled?(candidate: Candidate): Promise<void>;
  /** Requests to the source that other processes sent. */
  readonly requests: number;
  /** Text shown next to the progress bar. */
  readonly note: string;
}

/** A folder has no key, and is asked by no requests. */
export const isAsked = ({ apiKey }: Run["sourceConfig"]): boolean => apiKey !== undefined;

/** Does the work in this process. */
export function thisProcess(run: Run): Crew {
  return {
    size: Math.max(run.sourceConfig.concurrency, 2) * 2,
    requests: 0,
    capture: (_, candidate) => captureIdentity(run, candidate, keptIn(run.catalog, candidate.subject)),
    get note() {
      return isAsked(run.sourceConfig) ? `provider: ${limitsText(run.source.limits)}` : "";
    },
  };
}
