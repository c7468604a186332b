import type { Located, Roster } from "../catalog/roster.ts";
import type { SourceConfig } from "../config/source-config.ts";
import { errorFields, type Log } from "../observe/log.ts";
import type { Handles } from "../record/handles.ts";
import type { Source } from "../source/source.ts";

export interface LocateParts {
  readonly source: Pick<Source, "kind">;
  readonly sourceConfig: Pick<SourceConfig, "name">;
  readonly handles: Handles;
  readonly catalog: {
    readonly roster: Pick<Roster, "handle" | "open" | "failed" | "withheld" | "between" | "deleted">;
  };
  readonly log: Log;
}

/** Someone whom the source can be asked about. */
export interface Found {
  readonly id: string;
  readonly subject: string;
}

/** Candidates at once, where no page of a list says how many. */
const BATCH = 100;

/** Opens provider ids. One that does not open is left out: the log or the state holds what this client did not write. */
export function* located({ handles, source, log }: LocateParts, closed: Iterable<Located>): Generator<Found> {
  for (const { subject, handle } of closed) {
    let id: string;
    try {
      id = handles.open(subject, source.kind, handle);
    } catch (error) {
      log.warn("cannot open this subject's provider id", { subject, ...errorFields(error) });
      continue;
    }
    yield { id, subject };
  }
}

export function* batched<T>(all: Iterable<T>): Generator<T[]> {
  let batch: T[] = [];
  for (const one of all) {
    batch.push(one);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
