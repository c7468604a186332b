import { join } from "node:path";
import { Catalog } from "../src/catalog/catalog.ts";
import { readLastExport } from "../src/catalog/last-export.ts";
import { readLastVerify } from "../src/catalog/last-verify.ts";
import type { ClientConfig } from "../src/config/config.ts";
import type { Metrics, Standing } from "../src/observe/metrics.ts";
import { fallingDue } from "../src/retention/falling-due.ts";

/** Shows what this machine knows of each client without a run, as it is now: nobody has to export for it to be true. */
export function showStanding(metrics: Metrics, clients: readonly ClientConfig[], now: Temporal.Instant): void {
  for (const client of clients) metrics.client(client.id).standing(standingOf(client, now));
}

function standingOf({ state, log, retention }: ClientConfig, now: Temporal.Instant): Standing {
  const { success, due } = readLastExport(state);
  const verified = readLastVerify(state);
  const catalog = Catalog.peek(join(state, "catalog.sqlite"), log.origin);
  try {
    const newest = catalog?.newest();
    const within = (days: number) => fallingDue(catalog!, retention, now.add({ hours: 24 * days }), now);
    return {
      lastSuccess: success && seconds(success),
      lastVerify: verified && { time: seconds(verified.time), problems: verified.problems },
      nextRun: due && seconds(due),
      newestKept: newest && seconds(newest),
      locksDue: catalog && { "7d": within(7), "30d": within(30) },
    } as Standing;
  } finally {
    catalog?.close();
  }
}

/** Since 1970. */
export function seconds(time: string): number {
  return Temporal.Instant.from(time).epochMilliseconds / 1000;
}

/** Does `work` when it is asked for, but spends no more than a twentieth of the time on it. */
export function sparing(work: () => void): () => void {
  let next = Number.NEGATIVE_INFINITY;
  return () => {
    const begun = performance.now();
    if (begun < next) return;
    work();
    const ended = performance.now();
    next = ended + 19 * (ended - begun);
  };
}
