import { isDeepStrictEqual } from "node:util";
import type { Policy, PolicyChanged, Unlogged } from "../audit/entry.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { ClientConfig, Keep, RetentionConfig } from "../config/config.ts";
import { parseDuration } from "../config/duration.ts";
import { parseTimeZone } from "../config/schedule.ts";
import { HoldfastError, hasCode } from "../core/error.ts";
import type { Work } from "./work.ts";

/** A policy in the words of the config, with all defaults filled in, as the log records it. */
export function policyOf(retention: RetentionConfig, lock?: string): Policy {
  const { preset, classes, timezone, minimum, maximum, coolingOff, initialLock, extendWhenLessThan } = retention;
  const words = {
    preset,
    lock,
    identifying: clock(classes.identifying),
    verification: clock(classes.verification),
    files: clock(classes.files),
    timezone,
    initialLock,
    extendWhenLessThan,
    minimum,
    maximum,
    coolingOff,
  };
  return Object.fromEntries(
    Object.entries(words).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

export function clock({ keep, from }: Keep): string {
  return `${keep} from ${from}`;
}

/**
 * The rules from a `policy.changed` entry, to check what was done under them. The words are untrusted; words that this
 * version does not know are ignored. Throws `malformed`.
 */
export function parsePolicy(words: Policy): RetentionConfig {
  const duration = (name: string): Temporal.Duration => parseWord(name, words[name] ?? "");
  const optional = (name: string) => (words[name] === undefined ? undefined : duration(name));
  return {
    preset: words.preset,
    classes: {
      identifying: parseClock("identifying", words.identifying),
      verification: parseClock("verification", words.verification),
      files: parseClock("files", words.files),
    },
    initialLock: duration("initialLock"),
    extendWhenLessThan: duration("extendWhenLessThan"),
    minimum: optional("minimum"),
    maximum: optional("maximum"),
    coolingOff: optional("coolingOff"),
    ...(words.timezone === undefined ? {} : { timezone: readable("timezone", words.timezone, parseTimeZone) }),
  };
}

const CLOCK = /^(\S+) from (created|exported|relationship-end|account-closed)$/;

function parseClock(name: string, words = ""): Keep {
  const [, keep, from] = CLOCK.exec(words) ?? [];
  if (keep === undefined) throw unreadable(name);
  return { keep: parseWord(name, keep), from: from as Keep["from"] };
}

function parseWord(name: string, word: string): Temporal.Duration {
  return readable(name, word, parseDuration);
}

function readable<T>(name: string, word: string, parse: (word: string) => T): T {
  try {
    return parse(word);
  } catch (error) {
    if (!hasCode(error, "config")) throw error;
    throw unreadable(name);
  }
}

function unreadable(name: string): HoldfastError {
  return new HoldfastError("malformed", `a policy with an invalid ${name}`);
}

/** The entry to log if the rules differ from those in the log. Log it before the new rules are used. */
export function policyChange(
  catalog: Catalog,
  { retention, vault }: ClientConfig,
): Unlogged<PolicyChanged> | undefined {
  const from = catalog.runs.policy() ?? null;
  const to = policyOf(retention, vault.lock);
  return isDeepStrictEqual(from, to) ? undefined : { type: "policy.changed", from, to };
}

/**
 * Logs changed rules before anything is done under them. No lock is shortened because of them. The first rules of a log
 * are written to the vault with what is done next.
 */
export async function notePolicy(work: Pick<Work, "catalog" | "config" | "ledger">): Promise<void> {
  const change = policyChange(work.catalog, work.config);
  if (!change) return;
  await work.ledger.log(change);
  if (change.from !== null) await work.ledger.flush();
}
