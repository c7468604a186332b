import PQueue from "p-queue";
import { HoldfastError } from "../../src/core/error.ts";
import type { Exporting } from "../../src/export/context.ts";
import type { Selection } from "../../src/export/plan.ts";
import { runExport } from "../../src/export/run.ts";
import type { Summary } from "../../src/export/summary.ts";
import type { Inbox } from "../../src/inbox/inbox.ts";
import { type Fields, type Log, silentLog } from "../../src/observe/log.ts";
import { noProgress } from "../../src/observe/progress.ts";
import { Sealer } from "../../src/seal/seal.ts";
import { handlesOf } from "../../src/session/client.ts";
import { openLog } from "../../src/session/open-log.ts";
import { openRunInbox } from "../../src/session/open-run-inbox.ts";
import type { Change, Dossier, Page, Source } from "../../src/source/source.ts";
import { silentConsole } from "./here.ts";
import type { Workplace } from "./workplace.ts";

interface Person {
  updated: string;
  says: string;
  open?: boolean;
  /** What a glance shows. Undefined: a dossier has nothing of the kind. */
  glance?: string;
  redacted?: boolean;
}

/** A provider in memory, behind the port: for what no real one does at will. */
export class Provider implements Source {
  kind = "passbase";
  readonly api = "memory:";
  readonly limits = { rate: 1, ceiling: 1, per: 1000, silences: 0, silent: 0, refusals: 0 };
  requests = 0;
  can: Source["can"] = { list: true, changes: true };
  name = "a project";
  readonly people = new Map<string, Person>();
  /** What `changes` answers, whatever it is asked for. */
  changed: string[] = [];
  /** Since when it was asked. */
  readonly since: string[] = [];
  /** Ids whose dossier fails. */
  readonly broken = new Set<string>();
  /** Ids that it lists and does not find. */
  readonly notFound = new Set<string>();
  /** It says of those whom it does not find that they are gone (410). */
  saysGone = false;
  mayAskChanges = true;
  whole = true;
  unreadable = 0;
  walks = 0;
  /** Who was asked for, since this was cleared. */
  asked: string[] = [];
  /** Who was only glanced at, since this was cleared. */
  glanced: string[] = [];
  /** Called with each id that is asked for. */
  onAsked: (id: string) => void = () => {};

  add(...ids: string[]): void {
    for (const id of ids) this.people.set(id, { updated: "2026-01-01T00:00:00Z", says: "at first" });
  }

  async project() {
    return { id: this.name, name: this.name, environment: "test" };
  }

  async *pages(): AsyncGenerator<Page> {
    this.walks += 1;
    const identities = Array.from(this.people, ([id, { updated, says }]) => ({
      ...{ id, updated, created: updated, status: "approved", raw: { id, says } },
    }));
    const { unreadable, whole } = this;
    for (let at = 0; at < identities.length || at === 0; at += 50) {
      const cursor = at + 50 < identities.length ? String(at + 50) : null;
      yield {
        identities: identities.slice(at, at + 50),
        unread: [],
        unreadable: at === 0 ? unreadable : 0,
        cursor,
        whole,
      };
    }
  }

  async *changes(since: Temporal.Instant): AsyncGenerator<readonly Change[]> {
    this.since.push(since.round("minute").toString());
    if (!this.mayAskChanges) throw new HoldfastError("source-denied", "the key may not search");
    yield this.changed.map((id) => ({ id, at: "2026-01-01T00:00:00Z" }));
  }

  async dossier(id: string): Promise<Dossier> {
    this.asked.push(id);
    this.onAsked(id);
    if (this.broken.has(id)) throw new HoldfastError("source-rejected", "the provider refuses");
    const person = this.#find(id);
    const { updated, says, open = false, redacted = false, glance } = person;
    const absent = { email: null, firstName: null, lastName: null };
    return {
      identity: {
        ...{ id, updated, created: updated, status: "approved", verified: true, score: null },
        owner: redacted ? absent : { ...absent, email: `${id}@example.org` },
        ...{ documents: [], metadata: null, watchlist: null, network: null },
      },
      answers: [{ endpoint: "GET /people/{id}", text: JSON.stringify({ id, says }) }],
      ...{ content: { id, says }, listed: { id, says }, files: [], gaps: [], open, redacted },
      ...(glance === undefined ? {} : { glance }),
    };
  }

  async glance(id: string): Promise<unknown> {
    this.glanced.push(id);
    return this.#find(id).glance;
  }

  #find(id: string): Person {
    const person = this.notFound.has(id) ? undefined : this.people.get(id);
    if (person) return person;
    throw new HoldfastError("source-missing", "the provider has no such identity", { gone: this.saysGone });
  }

  file(): never {
    throw new Error("there are no files");
  }

  async close(): Promise<void> {}
}

export interface NightOptions {
  readonly source?: string;
  /** The source is the only one, under another name than before. */
  readonly isRenamed?: boolean;
  readonly signal?: AbortSignal;
  /** How long the provider lets someone be read. Default: always. */
  readonly horizon?: Temporal.Duration;
  readonly selection?: Selection;
  readonly identities?: readonly string[];
  /** Named by webhooks. */
  readonly inbox?: Inbox;
}

export interface Night extends Summary {
  /** What the log said louder than info. */
  readonly said: readonly string[];
}

/** One run of an export against a provider in memory; the vault and the log are real. */
export async function night(place: Workplace, provider: Provider, at: string, of: NightOptions = {}): Promise<Night> {
  const config = await place.client();
  const said: string[] = [];
  const say = (message: string, fields?: Fields) => void said.push(`${message} ${JSON.stringify(fields ?? {})}`);
  const log: Log = { ...silentLog, warn: say, error: say, with: () => log };
  const { signal = new AbortController().signal } = of;
  const session = {
    clients: [config],
    console: silentConsole,
    signal,
    now: () => Temporal.Instant.from(at),
    skewOf: async () => 0,
  };
  await using held = await openLog(config, session, { job: "export" });
  const sources = [...(of.isRenamed ? [] : ["main"]), ...(of.source ? [of.source] : [])].map((name) => ({
    ...config.sources[0]!,
    name,
    ...(of.horizon && { horizon: of.horizon }),
  }));
  const handles = await handlesOf(config);
  const exporting: Exporting = {
    ...held,
    config: { ...config, sources },
    source: provider,
    sourceConfig: sources.at(-1)!,
    ...(of.inbox && openRunInbox(config, sources.at(-1)!, handles, session.now(), log)),
    handles,
    starts: undefined as never,
    sealer: new Sealer(config.recipients),
    vaultQueue: new PQueue(),
    log,
    again: of.selection?.kind === "subjects" ? "always" : false,
  };
  provider.asked = [];
  provider.glanced = [];
  const { selection = { kind: "changed" }, identities } = of;
  const summary = await runExport(exporting, {
    ...{ job: "export", version: "test", selection, identities, progress: noProgress },
  });
  return { ...summary, said };
}
