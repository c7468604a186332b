import type { Catalog } from "../catalog/catalog.ts";
import { peekCatalog } from "../catalog/open-catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import { webhookSources } from "../config/sources.ts";
import type { Clock } from "../core/clock.ts";
import { peekInbox } from "../inbox/waiting.ts";
import type { InboxStanding, Metrics, Standing } from "../observe/metrics.ts";
import { fallingDue } from "../retention/locks-falling-due.ts";
import { readLastExport } from "../state/last-export.ts";
import { readLastVerify } from "../state/last-verify.ts";

/** Minimum time between two counts of locks, in ms. */
const PAUSE = 60_000;

/**
 * Shows in the metrics what this machine currently knows about each client, without a run. The count of locks reads a
 * catalog of perhaps a million people, so it runs in the background and no scrape waits for it.
 */
export class Standings {
  readonly #metrics: Metrics;
  readonly #clients: () => readonly ClientConfig[];
  readonly #now: Clock;
  readonly #due = new Map<string, LocksDue>();
  #counting: Promise<void> | undefined;
  #next = Number.NEGATIVE_INFINITY;

  constructor(metrics: Metrics, clients: () => readonly ClientConfig[], now: Clock) {
    this.#metrics = metrics;
    this.#clients = clients;
    this.#now = now;
  }

  /** For each scrape: quick facts, and the last count of locks. Starts a new count from time to time. */
  show(): void {
    for (const client of this.#clients()) {
      const of = this.#metrics.client(client.id);
      of.standing(standingOf(client, this.#due));
      for (const [source, standing] of inboxesOf(client)) of.inbox(source, standing);
    }
    if (this.#counting === undefined && performance.now() >= this.#next) void this.count();
  }

  /** At the end of a run: counts the locks now. Never throws. */
  async count(): Promise<void> {
    // An active count started before the changes that this one must see.
    await this.#counting;
    this.#counting ??= this.#count().finally(() => {
      this.#counting = undefined;
    });
    await this.#counting;
  }

  async #count(): Promise<void> {
    const begun = performance.now();
    for (const client of this.#clients()) {
      const due = await locksDue(client, this.#now()).catch(() => undefined);
      if (due) this.#due.set(client.id, due);
      else this.#due.delete(client.id);
    }
    const ended = performance.now();
    // Spend at most a twentieth of the time on it.
    this.#next = ended + Math.max(PAUSE, 19 * (ended - begun));
  }
}

type LocksDue = NonNullable<Standing["locksDue"]>;

async function locksDue({ state, log, retention }: ClientConfig, now: Temporal.Instant): Promise<LocksDue | undefined> {
  const catalog = peekCatalog({ state, log });
  if (catalog === undefined) return undefined;
  try {
    const within = (days: number) => fallingDue(catalog, retention, now.add({ hours: 24 * days }), now);
    return { "7d": await within(7), "30d": await within(30) };
  } finally {
    catalog.close();
  }
}

function standingOf({ id, state, log, sources }: ClientConfig, due: ReadonlyMap<string, LocksDue>): Standing {
  const { success, due: next } = readLastExport(state);
  const verified = readLastVerify(state);
  const catalog = peekCatalog({ state, log });
  try {
    const newest = catalog?.totals.newest();
    return {
      lastSuccess: success && unixSeconds(success),
      lastVerify: verified && {
        time: unixSeconds(verified.time),
        problems: verified.problems,
        unlocked: verified.unlocked,
      },
      nextRun: next && unixSeconds(next),
      newestKept: newest && unixSeconds(newest),
      locksDue: due.get(id),
      stalled: catalog && stalledOf(sources, catalog),
    } as Standing;
  } finally {
    catalog?.close();
  }
}

/** Of each folder that a run has read. */
function stalledOf(sources: ClientConfig["sources"], { runs }: Catalog): Record<string, number> {
  const folders = sources.filter(({ kind, retired }) => kind === "folder" && !retired);
  return Object.fromEntries(
    folders.flatMap(({ name }) => {
      const stalled = runs.lastOf(name)?.counts.stalled;
      return stalled === undefined ? [] : [[name, stalled]];
    }),
  );
}

/** What waits of each source whose webhooks are received. Nothing if the inbox cannot be read: runs say so. */
function inboxesOf(client: ClientConfig): (readonly [source: string, InboxStanding])[] {
  const names = webhookSources(client).map(({ name }) => name);
  if (names.length === 0) return [];
  try {
    const found = peekInbox(client.state, names);
    return [...found].map(([name, { count, oldest, last }]) => [
      name,
      { pending: count, oldest: oldest && unixSeconds(oldest), last: last && unixSeconds(last) },
    ]) as (readonly [string, InboxStanding])[];
  } catch {
    return [];
  }
}

/** Seconds since 1970. */
export function unixSeconds(time: string): number {
  return Temporal.Instant.from(time).epochMilliseconds / 1000;
}
