import { type Member, parseStructuredField } from "./structured-field.ts";

/** This many more requests within this many milliseconds. */
export interface RateAdvice {
  readonly remaining: number;
  readonly window: number;
}

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** No real limit is larger. */
const MAX_COUNT = 1_000_000_000;
/** No real limit covers a longer time, in seconds. */
const MAX_WINDOW = 86_400;
/** A reset of at least this many seconds is a time, not a duration: 2001. */
const EPOCH = 1_000_000_000;

/**
 * The strictest limit in an answer's headers; undefined without one. Uses the first of these that is present:
 * `RateLimit` with `RateLimit-Policy` as in IETF drafts (`"default";r=50;t=30`, and before draft 8
 * `limit=100, remaining=50, reset=30`); `RateLimit-Limit`, `-Remaining` and `-Reset` (drafts before 7); `X-RateLimit-`
 * with the same three. Untrusted: anything that does not match exactly is ignored.
 */
export function rateAdvice(headers: Headers, now: number = Date.now()): RateAdvice | undefined {
  const one = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === "string" ? value : value?.join(", ");
  };
  for (const advice of [
    standard(one("ratelimit"), one("ratelimit-policy")),
    triple(one("ratelimit-limit"), one("ratelimit-remaining"), one("ratelimit-reset"), undefined),
    triple(one("x-ratelimit-limit"), one("x-ratelimit-remaining"), one("x-ratelimit-reset"), clock(one("date"), now)),
  ]) {
    if (advice.length > 0) return advice.reduce(stricter);
  }
  return undefined;
}

/** Nothing left is strictest, then longest; otherwise the lower rate is stricter. */
function stricter(a: RateAdvice, b: RateAdvice): RateAdvice {
  if (a.remaining === 0 && b.remaining === 0) return a.window > b.window ? a : b;
  return a.remaining * b.window <= b.remaining * a.window ? a : b;
}

function standard(limit: string | undefined, policy: string | undefined): readonly RateAdvice[] {
  const policies = (policy !== undefined && parseStructuredField("list", policy)) || [];
  if (limit === undefined) return policies.flatMap(quota);
  const members = parseStructuredField("list", limit);
  if (members?.some(({ parameters }) => parameters.has("r"))) {
    return members.flatMap((member) => {
      const { value, parameters } = member;
      const left = advice(parameters.get("r"), parameters.get("t"));
      // Without a reset, use the rate of the policy with that name.
      return left.length > 0 ? left : policies.filter((other) => other.value === value).flatMap(quota);
    });
  }
  const fields = new Map(parseStructuredField("dictionary", limit)?.map(({ key, value }) => [key, value]));
  return advice(fields.get("remaining"), fields.get("reset"));
}

/** `"name";q=100;w=60`, or `100;w=60` as before draft 8. */
function quota({ value, parameters }: Member): readonly RateAdvice[] {
  const count = typeof value === "number" ? value : parameters.get("q");
  return count === 0 ? [] : advice(count, parameters.get("w"));
}

/** @param epoch the source's clock, in seconds, if a reset may be a time */
function triple(
  limit: string | undefined,
  remaining: string | undefined,
  reset: string | undefined,
  epoch: number | undefined,
): readonly RateAdvice[] {
  const seconds = decimal(reset);
  const isTime = epoch !== undefined && seconds !== undefined && seconds >= EPOCH;
  const left = advice(decimal(remaining), isTime ? seconds - epoch : seconds);
  if (left.length > 0 || limit === undefined) return left;
  // `100, 100;w=60`: the applicable limit, then all limits.
  return (parseStructuredField("list", limit) ?? []).flatMap(quota);
}

function advice(remaining: unknown, seconds: unknown): readonly RateAdvice[] {
  if (typeof remaining !== "number" || !Number.isInteger(remaining) || remaining < 0 || remaining > MAX_COUNT)
    return [];
  if (typeof seconds !== "number" || !(seconds > 0 && seconds <= MAX_WINDOW)) return [];
  return [{ remaining, window: seconds * 1000 }];
}

function decimal(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,12}(\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
}

/** The source's own clock, which its times refer to. */
function clock(date: string | undefined, now: number): number {
  const time = date?.endsWith(" GMT") ? Date.parse(date) : Number.NaN;
  return (Number.isNaN(time) ? now : time) / 1000;
}
