import type { ClientConfig, InboxConfig } from "../config/config.ts";
import type { ActiveSourceConfig } from "../config/source-config.ts";
import { askedSources, retiredSources } from "../config/sources.ts";
import type { Clock } from "../core/clock.ts";
import type { RetryPolicy } from "../io/retry.ts";
import type { Source } from "../source/source.ts";
import type { Vault } from "../vault/vault.ts";
import { checkClock, skewOfServer } from "./clock.ts";
import { type Finding, failed, findings } from "./finding.ts";
import { checkInbox } from "./inbox.ts";
import { checkKeys } from "./keys.ts";
import { knownIds } from "./known.ts";
import { checkLeaving } from "./leaving.ts";
import { checkLog } from "./log.ts";
import { checkLookups } from "./lookups.ts";
import { checkNetwork } from "./network.ts";
import { checkSecrets } from "./secrets.ts";
import { checkKeyless, checkSource } from "./source.ts";
import { checkPrivate, checkState } from "./state.ts";
import { checkVault, describe } from "./vault.ts";

export interface Patient {
  readonly config: ClientConfig;
  /** Rejects if its key is unavailable. `isNew`: before `init`, when it must write nothing to the state. */
  readonly source: (config: ActiveSourceConfig, isNew: boolean) => Promise<Source>;
  /** Counts a request to a source beside its own. False if the month's budget is used up: then none may be sent. */
  readonly countRequest: (config: ActiveSourceConfig) => boolean;
  readonly vault: Vault;
  readonly now: Clock;
  readonly retry: RetryPolicy;
  /** Where webhooks are received. Undefined: not checked. */
  readonly inbox?: InboxConfig | undefined;
  /** Idle timeout of a connection, in ms. */
  readonly idleTimeout?: number;
}

/**
 * Checks everything a run of one client needs. Writes a small file and an inbox to the state directory, and probes to an S3 vault
 * (`probe.ts`), and removes them if it can. Before `init`, it says so once, and not for each key that `init` will make.
 */
export async function examine(patient: Patient): Promise<Finding[]> {
  const { config, vault, now, idleTimeout = 10_000 } = patient;
  const { description, found, isNew = false } = await describe(vault, config);
  const all = [
    ...(await checkSecrets(config, isNew)),
    ...checkNetwork(),
    ...(await checkState(config.state)),
    ...(await checkPrivate(config.state)),
    ...(await checkSources(patient, isNew, idleTimeout)),
    ...checkLeaving(config, now()),
    ...checkLookups(config),
    ...(isNew ? [] : await checkInbox(config, now, patient.inbox)),
    found,
    ...(description ? [await checkLog(vault, config.state, description)] : []),
    ...(await checkVault({ ...patient, description, isNew })),
    ...(await checkKeys(config, description, isNew)),
  ];
  // Several checks may need the same missing secret; report it once.
  return all.filter(({ level, text }, at) => level === "ok" || all.findIndex((other) => other.text === text) === at);
}

async function checkSources(patient: Patient, isNew: boolean, idleTimeout: number): Promise<Finding[]> {
  const { config, now } = patient;
  const found: Finding[] = [];
  for (const source of askedSources(config)) {
    const { url, name, apiKey } = source;
    const of = config.sources.length === 1 ? "the provider" : name;
    if (apiKey !== undefined)
      found.push(
        isNew || patient.countRequest(source)
          ? checkClock(of, await skewOfServer(url, now, idleTimeout))
          : findings("clock").warning(
              `not checked: this month's requests to ${of} are used up`,
              "Run doctor again next month, or raise the source's budget.",
            ),
      );
    const prefix = config.sources.length === 1 ? "" : `${name}: `;
    for (const each of await checkProvider(patient, source, isNew))
      found.push({ ...each, text: `${prefix}${each.text}` });
  }
  const { ok } = findings("source");
  return [...found, ...retiredSources(config).map(({ name }) => ok(`${name} is retired: not asked`))];
}

async function checkProvider({ config, source }: Patient, of: ActiveSourceConfig, isNew: boolean): Promise<Finding[]> {
  let opened: Source;
  try {
    opened = await source(of, isNew);
  } catch (error) {
    return [failed("source", error)];
  }
  try {
    if (of.apiKey === undefined) return await checkKeyless(opened);
    const known = isNew || config.collect === "minimal" ? [] : await knownIds(config, of);
    return await checkSource(opened, config.collect, known);
  } finally {
    await opened.close();
  }
}
