import type { Policy } from "../audit/entry.ts";
import type { Head } from "../audit/log.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Hold } from "../catalog/holds.ts";
import type { ClientConfig } from "../config/config.ts";
import { askedSources } from "../config/sources.ts";
import { policyChange, policyOf } from "../retention/policy.ts";
import type { Coverage } from "./coverage.ts";
import { type Horizon, horizonOf, type Months } from "./horizon.ts";
import { type Leaving, leavingOf } from "./leaving.ts";
import { type Night, nightsOf, type SourceRun, sourceRunsOf } from "./nights.ts";
import { isExporting, type UnderWay } from "./under-way.ts";

/** The state of one client's vault, for the person responsible. Nothing personal: people are tokens. */
export interface Report {
  readonly client: string;
  /** As the page names it: the company's legal name, or the client's id. */
  readonly name: string;
  /** RFC 3339 UTC. */
  readonly made: string;
  readonly vault: string;
  readonly checkpoint: { readonly origin: string; readonly size: number; readonly root: string };
  readonly collect: ClientConfig["collect"];
  readonly legalBasis: readonly string[];
  readonly policy: Policy;
  /** Whether these are the rules that the log has: a changed config is logged by the next export. */
  readonly isPolicyLogged: boolean;
  readonly coverage: Coverage;
  /** Why the source was not asked, or could not be; null where it was. */
  readonly notAsked: string | null;
  /** Whether a run writes to the vault now. */
  readonly underWay: UnderWay;
  readonly nights: readonly Night[];
  /** Whether the client has sources that this report leaves out: the provider's figures are about `sources` only. */
  readonly isOfSome: boolean;
  /** In the config's order; with `--source`, only those. */
  readonly sources: readonly SourceRun[];
  /** Who may soon be unreadable at the provider, and is not stored in final form. */
  readonly leaving: readonly Leaving[];
  /** What was stored, by month. */
  readonly growth: Months;
  readonly horizon: Horizon;
  /** Legal holds in effect: how many, and the first of them. */
  readonly held: number;
  readonly holds: readonly (Pick<Hold, "case" | "placed"> & { readonly subject: string })[];
  /** Of each source whose webhooks are received: whom they named and no run has asked about yet. Null if that could not be read. */
  readonly webhooks: readonly WaitingWebhooks[] | null;
  /** What `verify` found last on this machine; null where it never ran here. */
  readonly verified: LastVerified | null;
}

export interface WaitingWebhooks {
  readonly source: string;
  readonly people: number;
  /** When the oldest event that waits came. */
  readonly oldest: string | null;
}

export interface LastVerified {
  readonly time: string;
  readonly problems: number;
  readonly unlocked?: number | undefined;
  /** Objects about which the store's listing was wrong: not everything could be checked. */
  readonly unlisted?: number | undefined;
  readonly entries: number;
  readonly readData: number;
  /** Whether anyone but the vault said that the log key is this client's. Not known of older ones. */
  readonly keyTrusted?: boolean | undefined;
  /** Of how many objects the lock was looked at. Older ones looked at all. */
  readonly locks?: { readonly looked: number; readonly of: number } | undefined;
}

/** Nights that the report shows. */
export const NIGHTS = 120;
/** People under a hold that are named. */
const HOLDS = 1_000;

/**
 * @param found what the report says beside what the log says
 * @param onSubject how many people were looked at; may throw
 */
export async function reportOf(
  config: ClientConfig,
  {
    vault,
    head,
    catalog,
  }: { readonly vault: { readonly url: string }; readonly head: Head; readonly catalog: Catalog },
  found: Pick<Report, "coverage" | "notAsked" | "verified" | "underWay" | "webhooks">,
  now: Temporal.Instant,
  onSubject: (done: number) => void,
): Promise<Report> {
  const { id: client, company, collect, legalBasis, retention } = config;
  const since = now.subtract({ hours: 24 * NIGHTS }).toString({ smallestUnit: "second" });
  const today = now.toZonedDateTimeISO("UTC").toPlainDate();
  return {
    client,
    name: company?.name ?? client,
    made: now.toString({ smallestUnit: "second" }),
    vault: vault.url,
    collect,
    legalBasis,
    ...found,
    checkpoint: { origin: head.origin, size: head.size, root: Buffer.from(head.root).toString("base64") },
    policy: policyOf(retention, config.vault.lock),
    isPolicyLogged: !catalog.runs.policy() || !policyChange(catalog, config),
    nights: nightsOf(catalog.runs.since(since), today, NIGHTS, isExporting(found.underWay)),
    isOfSome: config.sources.some(({ name }) => config.only?.includes(name) === false),
    sources: sourceRunsOf(
      config.sources.filter(({ name }) => config.only === undefined || config.only.includes(name)),
      catalog.runs,
      isExporting(found.underWay),
    ),
    leaving: leavingOf(askedSources(config), catalog, now),
    growth: catalog.totals.storedByMonth(),
    horizon: await horizonOf(catalog, { retention, mode: config.vault.lock }, now, onSubject),
    held: catalog.holds.count(),
    holds: catalog.holds
      .subjects()
      .slice(0, HOLDS)
      .flatMap((subject) =>
        catalog.holds.of(subject).map(({ case: token, placed }) => ({ subject, case: token, placed })),
      ),
  };
}
