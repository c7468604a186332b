import type { ClientConfig } from "../config/config.ts";
import type { WebhookSourceConfig } from "../config/source-config.ts";
import { askedSources, webhookSources } from "../config/sources.ts";
import { firstThrown, hasCode } from "../core/error.ts";
import type { Summary } from "../export/summary.ts";
import { Inbox, type Untried } from "../inbox/inbox.ts";
import { errorFields } from "../observe/log.ts";
import type { Session } from "./client.ts";
import type { NamedRun } from "./export-named.ts";
import { scheduleOf } from "./last-runs.ts";
import { nextDue } from "./next-run.ts";
import { type Attempts, pauseAfter } from "./retry-run.ts";
import type { Schedules } from "./schedule.ts";

/** See `NamedExport`. */
export type WorkAtOnce = (
  named: NamedRun,
  session: Session,
  onWanted: () => void,
) => Promise<Pick<Summary, "outcome"> | undefined>;

/** How often to look at the inboxes, and how long to gather what arrives, in ms. The run must end within a minute. */
const LOOK = 5_000;
const GATHER = 10_000;
/** Runs at a time. A provider that hangs must not keep the other clients' people waiting, and many at once need memory. */
const MOST = 8;
/** How long another process may hold the vault until the first retry, in ms: most jobs take seconds. */
const HELD = 60_000;

/** One source's inbox. */
interface Watch {
  /** Events up to this number need no run at once: one has looked at them. */
  done: number;
  /** Whose numbers these are. */
  file?: number | undefined;
  /** When a run may begin, in ms since 1970; undefined while nothing new waits. */
  due?: number | undefined;
  /** Those that failed since. */
  attempts?: Attempts | undefined;
  isActive?: boolean;
}

/**
 * Exports whom webhooks name within a minute. It looks at the inboxes themselves, so it does not matter which process
 * received the webhook. A client's scheduled run goes first: it takes everything that waits, and nothing is left to do
 * here. Whatever fails stays in the inbox for that run.
 */
export class AtOnce {
  readonly #session: Session;
  readonly #schedules: Pick<Schedules, "take">;
  readonly #work: WorkAtOnce;
  readonly #inboxes = new Map<string, Inbox>();
  /** Clients whose inbox cannot be read, so that it is said once. */
  readonly #unreadable = new Set<string>();
  #watches = new Map<string, Watch>();
  readonly #runs = new Set<Promise<void>>();
  #clients: readonly ClientConfig[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looked = 0;

  constructor(session: Session, schedules: Pick<Schedules, "take">, work: WorkAtOnce) {
    this.#session = session;
    this.#schedules = schedules;
    this.#work = work;
  }

  /** Switches to these clients. Active runs continue as they started; one that waits to be retried begins soon. */
  replace(clients: readonly ClientConfig[]): void {
    this.#clients = clients.filter((client) => watched(client).length > 0);
    const before = this.#watches;
    this.#watches = new Map();
    for (const client of this.#clients) {
      for (const source of watched(client)) {
        const watch = before.get(keyOf(client, source)) ?? { done: 0 };
        this.#watches.set(keyOf(client, source), watch);
        rest(watch);
      }
    }
    clearTimeout(this.#timer);
    if (this.#clients.length === 0) return;
    this.#session.console.say("people named by webhooks are exported within a minute");
    this.#lookLater();
  }

  /** Starts nothing more. Resolves when the active runs have ended. */
  async stop(): Promise<void> {
    this.#clients = [];
    clearTimeout(this.#timer);
    await Promise.all(this.#runs);
    for (const inbox of this.#inboxes.values()) inbox.close();
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => {
      const now = this.#session.now().epochMilliseconds;
      // The clock was set back: what is due by the old one would wait too long.
      if (now < this.#looked) for (const watch of this.#watches.values()) watch.due &&= now;
      this.#looked = now;
      for (const client of this.#clients) this.#look(client, now);
      this.#lookLater();
    }, LOOK);
  }

  #look(client: ClientConfig, now: number): void {
    const untried = this.#untried(client);
    for (const source of watched(client)) {
      const watch = this.#watches.get(keyOf(client, source))!;
      if (watch.isActive) continue;
      // In another file, numbers begin again.
      if (untried !== "unreadable" && watch.file !== untried?.file)
        Object.assign(watch, { done: 0, file: untried?.file });
      const upTo = untried === "unreadable" ? 0 : (untried?.newest.get(source.name) ?? 0);
      if (upTo <= watch.done) {
        // Another run took what waited.
        rest(watch);
        continue;
      }
      watch.due ??= now + GATHER;
      if (now >= watch.due && this.#runs.size < MOST) this.#start(client, source, watch, upTo);
    }
  }

  #untried(client: ClientConfig): Untried | "unreadable" | undefined {
    const inbox = this.#inboxes.getOrInsertComputed(client.state, (state) => new Inbox(state));
    try {
      const untried = inbox.untried();
      this.#unreadable.delete(client.id);
      return untried;
    } catch (error) {
      if (!this.#unreadable.has(client.id))
        this.#session.console.log.error("cannot read the inbox: people named by webhooks are not exported at once", {
          client: client.id,
          ...errorFields(error),
        });
      this.#unreadable.add(client.id);
      return "unreadable";
    }
  }

  /** Starts a run, unless the client has one already: then it is tried again at the next look. */
  #start(client: ClientConfig, source: WebhookSourceConfig, watch: Watch, upTo: number): void {
    const wanted = new AbortController();
    const stop = (): void => wanted.abort();
    const taken = this.#schedules.take(client.id, stop);
    if (taken === undefined) return;
    watch.isActive = true;
    const signal = AbortSignal.any([this.#session.signal, wanted.signal]);
    const named: NamedRun = { client, source, untriedAfter: watch.done };
    const run = this.#work(named, { ...this.#session, clients: [client], signal }, stop)
      .then((summary) => {
        if (summary?.outcome !== "interrupted") watch.done = upTo;
        rest(watch);
      })
      .catch((error: unknown) => this.#failed(client, source, watch, firstThrown(error)))
      .finally(() => {
        watch.isActive = false;
        this.#runs.delete(run);
        taken[Symbol.dispose]();
      });
    this.#runs.add(run);
  }

  /** Tries again as a scheduled run does. Where that would not help, the next one takes them. It says both once. */
  #failed(client: ClientConfig, source: WebhookSourceConfig, watch: Watch, error: unknown): void {
    const { console, now, signal } = this.#session;
    if (hasCode(error, "interrupted") || signal.aborted) return;
    const { failed, since } = watch.attempts ?? { failed: 0, since: now() };
    const isBusy = hasCode(error, "busy");
    const pause = pauseAfter(error, { failed, since }, now());
    const next = nextDue(scheduleOf(client, source.name), now());
    const backoff = pause && isBusy ? Math.min(pause, HELD * 2 ** failed) : pause;
    const again = backoff === undefined ? next : now().add({ milliseconds: backoff });
    watch.due = again.epochMilliseconds;
    watch.attempts = backoff === undefined ? undefined : { failed: failed + 1, since };
    const fields = {
      client: client.id,
      ...(client.sources.length > 1 ? { source: source.name } : {}),
      due: again.toString({ smallestUnit: "second" }),
      ...errorFields(error),
    };
    if (backoff === undefined)
      console.log.warn("cannot export people named by webhooks at once: the next scheduled run takes them", fields);
    else if (failed === 0 && isBusy)
      console.log.info("another process holds the vault: people named by webhooks wait", fields);
    else if (failed === 0) console.log.warn("cannot export people named by webhooks at once: trying again", fields);
  }
}

/** Nothing is due, and nothing has failed. */
function rest(watch: Watch): void {
  watch.due = undefined;
  watch.attempts = undefined;
}

/** The client's sources that are asked, and whose webhooks are received. */
function watched(client: ClientConfig): readonly WebhookSourceConfig[] {
  const asked = new Set(askedSources(client).map(({ name }) => name));
  return webhookSources(client).filter(({ name }) => asked.has(name));
}

/** Of the inbox: its events' numbers are its own. */
const keyOf = ({ state }: ClientConfig, { name }: WebhookSourceConfig): string => JSON.stringify([state, name]);
