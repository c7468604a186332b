import { HoldfastError } from "../core/error.ts";
import { redacted } from "../core/redacted.ts";

/** At most `count` requests in any `per` milliseconds. */
export interface Rate {
  readonly count: number;
  readonly per: number;
}

const UNITS = { s: 1_000, min: 60_000, h: 3_600_000 } as const;

/** More than any provider allows; a larger number is a typo. */
const MAX_COUNT = 100_000;

/** `10/s`, `600/min` or `1000/h`. @throws HoldfastError "config" */
export function parseRate(text: string): Rate {
  const match = /^([1-9][0-9]{0,5})\/(s|min|h)$/.exec(text);
  const count = Number(match?.[1]);
  if (match === null || count > MAX_COUNT) {
    throw new HoldfastError("config", `${redacted(text)} is not a rate`, {
      hint: `write requests per second, minute or hour: 10/s, 600/min or 1000/h, from 1 to ${MAX_COUNT}`,
    });
  }
  return { count, per: UNITS[match[2] as keyof typeof UNITS] };
}

/** As `parseRate` reads it; `per` is a unit of its own: `8/min`. */
export function rateText({ count, per }: Rate): string {
  return `${count}/${Object.entries(UNITS).find(([, ms]) => ms === per)?.[0] ?? `${per} ms`}`;
}

/** `10000/month`: the most requests in a calendar month. @throws HoldfastError "config" */
export function parseBudget(text: string): number {
  const [, count] = /^([1-9][0-9]{0,8})\/month$/.exec(text) ?? [];
  if (count !== undefined) return Number(count);
  throw new HoldfastError("config", `${redacted(text)} is not a budget`, {
    hint: "write requests per calendar month: 10000/month",
  });
}
