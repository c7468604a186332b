import { InvalidArgumentError } from "commander";
import { parseVerifier } from "../audit/key.ts";
import type { Versions } from "../bag/request.ts";
import { parseDuration } from "../config/duration.ts";
import { capital } from "../observe/format.ts";
import { subjectOf } from "../people/people.ts";
import { cellDay } from "../people/table-day.ts";

/** Parsers of option values. Commander prints what they throw next to the option's name. */
export function percent(text: string): number {
  const value = Number(text.replace(/%$/, ""));
  if (!/^\d{1,3}(\.\d{1,4})?%?$/.test(text) || value > 100)
    throw new InvalidArgumentError("Write a share from 0% to 100%.");
  return value;
}

export function instant(text: string): Temporal.Instant {
  try {
    return text.includes("T")
      ? Temporal.Instant.from(text)
      : Temporal.PlainDate.from(text).toZonedDateTime("UTC").toInstant();
  } catch {
    throw new InvalidArgumentError("Write a date such as 2026-11-01, or a time such as 2026-11-01T12:00:00Z.");
  }
}

/** A calendar day as `2026-10-31`, from the formats that a table may have: no day is ambiguous. */
export function day(text: string): string {
  const found = cellDay(text);
  if ("day" in found) return found.day;
  throw new InvalidArgumentError(`${capital(found.why)}. Write a day such as 2026-10-31 or 31.10.2026.`);
}

/** A person's token, as pasted. */
export function subject(text: string): string {
  const token = subjectOf(text);
  if (/^[0-9a-f]{32}$/.test(token)) return token;
  throw new InvalidArgumentError(
    "It takes 32 hexadecimal digits: the long part of the key that verify shows, records/<2 digits>/<token>/….",
  );
}

export function amount(text: string): number {
  const value = Number(text);
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError("Write an amount such as 0.005.");
  return value;
}

/** A duration such as P7D. */
export function duration(text: string): Temporal.Duration {
  try {
    return parseDuration(text);
  } catch {
    throw new InvalidArgumentError("Write a duration such as P7D or PT12H.");
  }
}

/** A log's public key. Its check digits distinguish a typo from a different key. */
export function vkey(text: string): string {
  try {
    return parseVerifier(text.trim()).vkey;
  } catch {
    const [, digits] = /^[^+\s]+\+([0-9a-f]{8})\+[A-Za-z0-9+/]{44}$/.exec(text.trim()) ?? [];
    throw new InvalidArgumentError(
      digits === undefined
        ? "Not a log key. Copy the whole line that init printed, such as acme-bank.example/holdfast+0123abcd+A…"
        : `Not a valid log key: the check digits ${digits} do not match. Copy the whole line again.`,
    );
  }
}

export const collectValues = (value: string, before: string[]): string[] => [...before, value];

export function range(text: string): { from: Temporal.Instant; to: Temporal.Instant } {
  const [from = "", to = "", ...more] = text.split("..");
  const parsed = { from: instant(from), to: instant(to) };
  if (more.length > 0 || Temporal.Instant.compare(parsed.from, parsed.to) >= 0) {
    throw new InvalidArgumentError("Write two dates, earlier first: 2023-01-01..2024-01-01.");
  }
  return parsed;
}

export function versions(text: string): Versions {
  if (text === "all" || text === "latest") return { kind: text };
  if (text.startsWith("as-of:")) return { kind: "as-of", at: instant(text.slice("as-of:".length)) };
  throw new InvalidArgumentError("Write all, latest, or as-of:<date>.");
}

export function oneOf(words: readonly string[], text: string): string {
  if (words.includes(text)) return text;
  throw new InvalidArgumentError(`Write one of: ${words.join(", ")}.`);
}
