import type { Due } from "../retention/due.ts";
import type { Lock } from "../vault/vault.ts";

/** Dates that are told apart. Nearly all due objects share one; further dates are left to the nightly run. */
const MOST = 256;

/** Due objects that get the same lock: what one job of S3 Batch Operations can do. */
export interface LockGroup {
  readonly lock: Lock;
  objects: number;
}

/** Sorts due objects by the lock that they must get. */
export class LockGroups {
  readonly #groups = new Map<string, LockGroup>();
  /** Objects that no job can take. */
  rest = 0;

  /** The object's group, which counts it. Undefined: the nightly run extends it. */
  add({ kind, lock: { until }, harden, mode }: Due): LockGroup | undefined {
    const name = `${mode} ${until}`;
    // A job that may bypass governance to harden locks would also shorten a lock that lasts longer than the log says. Notes
    // are few, and the exporter may not ask for their locks.
    const isFit = !harden && kind !== "note";
    const group = isFit ? (this.#groups.get(name) ?? this.#begin(name, { mode, until })) : undefined;
    if (group) group.objects += 1;
    else this.rest += 1;
    return group;
  }

  #begin(name: string, lock: Lock): LockGroup | undefined {
    if (this.#groups.size >= MOST) return undefined;
    const group = { lock, objects: 0 };
    this.#groups.set(name, group);
    return group;
  }

  /** Those that are worth a job, the largest first. */
  of(least: number): LockGroup[] {
    return [...this.#groups.values()].filter(({ objects }) => objects >= least).sort((a, b) => b.objects - a.objects);
  }
}
