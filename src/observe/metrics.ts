import { Counter, collectDefaultMetrics, Gauge, Histogram, Pushgateway, Registry } from "prom-client";

/** The counts of one run so far. They only grow. */
export interface RunCounts extends Readonly<Record<(typeof OUTCOMES)[number], number>> {
  /** Files stored; files the provider withheld. */
  readonly files: number;
  readonly withheld: number;
  /** Sealed bytes stored. */
  readonly bytes: number;
}

/** What is known about a client without a run. Undefined values are not shown. */
export interface Standing {
  /** Seconds since 1970. */
  readonly lastSuccess?: number | undefined;
  readonly lastVerify?: { readonly time: number; readonly problems: number; readonly unlocked?: number } | undefined;
  readonly nextRun?: number | undefined;
  /** The provider's change time of the newest kept identity. */
  readonly newestKept?: number | undefined;
  /** People with an object whose lock ends within so many days although it must be kept longer. */
  readonly locksDue?: Readonly<Record<"7d" | "30d", number>> | undefined;
  /** By source: drops that had not been complete for more than three days at the last run. */
  readonly stalled?: Readonly<Record<string, number>> | undefined;
}

/** What is known about a source's inbox. Times are in seconds since 1970; undefined where nothing waits or came. */
export interface InboxStanding {
  readonly pending: number;
  readonly oldest: number | undefined;
  /** When a verified event last arrived. */
  readonly last: number | undefined;
}

export type Side = "source" | "vault";

const OUTCOMES = ["new", "changed", "unchanged", "past", "again", "gone", "failed"] as const;
const RUN_OUTCOMES = ["done", "partial", "failed", "interrupted"] as const;
const PUSH_TIMEOUT = 10_000;
/** In seconds: from a local disk to a provider that almost times out. */
const BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * The metrics of Holdfast, by Prometheus' conventions: seconds, bytes, counters that end in _total. Every label has a
 * bounded set of values, and no value is personal: clients are config names, codes are those of HoldfastError.
 * docs/MONITORING.md lists them all.
 */
export class Metrics {
  readonly registry = new Registry();
  /** Called before each scrape and each push, to update values that are quick to read. */
  refresh: () => void = () => {};

  readonly #records = this.#counter("records_total", "Identities examined, by outcome", "outcome");
  readonly #failures = this.#counter("failures_total", "Records that failed, by stage and code", "stage", "code");
  readonly #files = this.#counter("files_stored_total", "Document files sealed and stored");
  readonly #withheld = this.#counter("files_withheld_total", "Document files that the provider withheld");
  readonly #bytes = this.#counter("sealed_bytes_total", "Sealed bytes stored");
  readonly #retries = this.#counter("retries_total", "Requests that were retried", "at");
  readonly #runs = this.#counter("runs_total", "Finished runs over all identities", "outcome");
  readonly #requests: Record<Side, Histogram> = {
    source: this.#histogram("source_request", "Time from a request to the provider to its response headers"),
    vault: this.#histogram("vault_request", "Time of one request to the vault"),
  };
  readonly #running = this.#gauge("run_in_progress", "Whether a run over all identities is active");
  readonly #duration = this.#gauge("last_run_duration_seconds", "Duration of the last of those runs");
  readonly #success = this.#gauge("last_success_timestamp_seconds", "When a run last finished everything");
  readonly #next = this.#gauge("next_run_timestamp_seconds", "When the daemon's next run is due");
  readonly #rate = this.#gauge("source_rate_limit", "Current limit of requests per second to the provider");
  readonly #ceiling = this.#gauge("source_rate_limit_configured", "Configured limit of requests per second");
  readonly #newestSeen = this.#gauge("source_newest_timestamp_seconds", "Latest change in the provider's list");
  readonly #newestKept = this.#gauge(
    "kept_newest_timestamp_seconds",
    "Latest change at the provider that the vault has",
  );
  readonly #verified = this.#gauge("last_verify_timestamp_seconds", "When verify last finished on this machine");
  readonly #problems = this.#gauge("last_verify_problems", "Problems that verify found");
  readonly #unlocked = this.#gauge(
    "last_verify_unlocked_objects",
    "Objects that verify found unlocked but that must be locked",
  );
  readonly #locks = this.#gauge(
    "locks_due",
    "People with an object whose lock ends within this time although it must be kept longer",
    "within",
  );

  readonly #stalled = this.#gauge(
    "drops_stalled",
    "Drops of a folder that began more than three days before the last run and are not complete",
    "source",
  );

  readonly #received = this.#counter("webhooks_total", "Webhooks, by what became of them", "source", "result");
  readonly #signed = this.#counter(
    "webhooks_signed_total",
    "Verified webhooks, by the secret's place",
    "source",
    "secret",
  );
  readonly #lastEvent = this.#gauge(
    "inbox_last_event_timestamp_seconds",
    "When a verified webhook last came",
    "source",
  );
  readonly #pending = this.#gauge("inbox_pending", "Events that no run has settled", "source");
  readonly #oldest = this.#gauge("inbox_oldest_timestamp_seconds", "When the oldest of those arrived", "source");

  /** @param version Holdfast's version */
  constructor(version: string) {
    collectDefaultMetrics({ register: this.registry });
    new Gauge({ name: "holdfast_build_info", help: "1", labelNames: ["version"], registers: [this.registry] }).set(
      { version },
      1,
    );
  }

  /** The metrics in Prometheus' text format. */
  async text(): Promise<string> {
    this.refresh();
    return this.registry.metrics();
  }

  /** Replaces one client's metrics on the gateway. The registry must hold only that client. Throws on failure. */
  async push(url: string, job: string, client: string): Promise<void> {
    this.refresh();
    const gateway = new Pushgateway(url, { timeout: PUSH_TIMEOUT }, this.registry);
    await gateway.push({ jobName: `holdfast-${job}`, groupings: { client } });
  }

  /**
   * Counts a webhook. Without a route it was for no source.
   * @param secret which of the source's secrets it was signed with, from 0
   * @param by 0 to show the counters before the first
   */
  received(route: { client: string; source: string } | undefined, result: string, secret?: number, by = 1): void {
    const { client = "", source = "" } = route ?? {};
    this.#received.inc({ client, source, result }, by);
    if (secret !== undefined) this.#signed.inc({ client, source, secret: String(secret + 1) }, by);
  }

  /** The metrics of one client. Counters start at 0, so that Prometheus sees the first increase. */
  client(client: string): ClientMetrics {
    for (const outcome of OUTCOMES) this.#records.inc({ client, outcome }, 0);
    for (const outcome of RUN_OUTCOMES) this.#runs.inc({ client, outcome }, 0);
    for (const at of ["source", "vault"]) this.#retries.inc({ client, at }, 0);
    this.#running.inc({ client }, 0);
    for (const counter of [this.#files, this.#withheld, this.#bytes]) counter.inc({ client }, 0);
    return {
      counted: () => {
        let before: RunCounts | undefined;
        return (counts) => {
          for (const outcome of OUTCOMES)
            this.#records.inc({ client, outcome }, counts[outcome] - (before?.[outcome] ?? 0));
          this.#files.inc({ client }, counts.files - (before?.files ?? 0));
          this.#withheld.inc({ client }, counts.withheld - (before?.withheld ?? 0));
          this.#bytes.inc({ client }, counts.bytes - (before?.bytes ?? 0));
          before = { ...counts };
        };
      },
      failed: (stage, code) => this.#failures.inc({ client, stage, code }),
      retried: (at) => this.#retries.inc({ client, at }),
      requested: (side, operation, outcome, seconds) =>
        this.#requests[side].observe({ client, operation, outcome }, seconds),
      rate: (now, configured) => {
        this.#rate.set({ client }, now);
        this.#ceiling.set({ client }, configured);
      },
      newest: (seconds) => this.#newestSeen.set({ client }, seconds),
      running: (is) => this.#running.set({ client }, is ? 1 : 0),
      ended: (outcome, seconds) => {
        this.#runs.inc({ client, outcome });
        this.#duration.set({ client }, seconds);
      },
      inbox: (source, { last, pending, oldest }) => {
        this.#pending.set({ client, source }, pending);
        if (last !== undefined) this.#lastEvent.set({ client, source }, last);
        if (oldest === undefined) this.#oldest.remove({ client, source });
        else this.#oldest.set({ client, source }, oldest);
      },
      standing: ({ lastSuccess, lastVerify, nextRun, newestKept, locksDue, stalled }) => {
        const set = (gauge: Gauge, value: number | undefined): void => {
          if (value === undefined) gauge.remove({ client });
          else gauge.set({ client }, value);
        };
        set(this.#success, lastSuccess);
        set(this.#verified, lastVerify?.time);
        set(this.#problems, lastVerify?.problems);
        set(this.#unlocked, lastVerify?.unlocked);
        set(this.#next, nextRun);
        set(this.#newestKept, newestKept);
        for (const within of ["7d", "30d"] as const) {
          if (locksDue) this.#locks.set({ client, within }, locksDue[within]);
        }
        for (const [source, count] of Object.entries(stalled ?? {})) this.#stalled.set({ client, source }, count);
      },
    };
  }

  #counter(name: string, help: string, ...labels: string[]): Counter {
    return new Counter({ ...this.#named(name, help, labels) });
  }

  #gauge(name: string, help: string, ...labels: string[]): Gauge {
    return new Gauge({ ...this.#named(name, help, labels) });
  }

  #histogram(name: string, help: string): Histogram {
    const named = this.#named(`${name}_duration_seconds`, help, ["operation", "outcome"]);
    return new Histogram({ ...named, buckets: BUCKETS });
  }

  #named(name: string, help: string, labels: readonly string[]) {
    return { name: `holdfast_${name}`, help, labelNames: ["client", ...labels], registers: [this.registry] };
  }
}

/** The `outcome` of a request is `ok` or the error's code. */
export interface ClientMetrics {
  /** For one run. Call it with the current counts as often as you like. */
  counted(): (counts: RunCounts) => void;
  failed(stage: string, code: string): void;
  retried(at: Side): void;
  requested(side: Side, operation: string, outcome: string, seconds: number): void;
  /** Requests per second: the current limit and the maximum. */
  rate(now: number, configured: number): void;
  /** Seconds since 1970. */
  newest(seconds: number): void;
  running(is: boolean): void;
  ended(outcome: (typeof RUN_OUTCOMES)[number], seconds: number): void;
  standing(standing: Standing): void;
  inbox(source: string, standing: InboxStanding): void;
}
