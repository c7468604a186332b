/**
 * An hour of requests to a provider on a simulated clock, through the real client: `node hour.ts <case>`. Where there are
 * more than 50 a second, less than an hour: their limits are of seconds, and begin again hundreds of times all the same.
 * A program of its own, because it replaces the process's clock, and because the test runner's hooks would take most of the
 * time.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseRate, type Rate } from "../../../src/config/rate.ts";
import { Secret } from "../../../src/config/secret.ts";
import { PROVIDERS } from "../../../src/provider/provider.ts";
import { Http } from "../../../src/source/http.ts";
import type { Api } from "../../../src/source/http-options.ts";
import { EVENTS, FILE, REPORTS, SESSION, SESSIONS } from "../../../src/source/stripe/calls.ts";
import * as stripe from "../../../src/source/stripe/limits.ts";
import { AML_CASE } from "../../../src/source/sumsub/calls.ts";
import * as sumsub from "../../../src/source/sumsub/limits.ts";
import { type ProviderLimit, Transport } from "./provider-limits.ts";
import { VirtualTime } from "./virtual-time.ts";

const MINUTE = 60_000;
const rate = parseRate;

interface Case {
  /** What the provider enforces. */
  readonly limits: readonly ProviderLimit[];
  readonly api?: Pick<Api, "endpoints" | "limitMeant">;
  /** `source.rate` in the config. */
  readonly rate: string;
  /** What is asked for all the time, and how often it may be: default one endpoint, as often as all limits allow. */
  readonly endpoints?: Readonly<Record<string, Rate>>;
  readonly processes?: number;
  /** How long it is asked. Default an hour. */
  readonly minutes?: number;
}

const PERSONA: ProviderLimit = { rate: rate("300/min"), kind: "window", told: true };
const SUMSUB: readonly ProviderLimit[] = [
  { of: /amlCase/, rate: rate("10/min"), kind: "window" },
  { rate: { count: 300, per: 5_000 }, kind: "window" },
];
const STRIPE_CALLS = [SESSION, SESSIONS, REPORTS, EVENTS];
const STRIPE: readonly ProviderLimit[] = [
  ...STRIPE_CALLS.map((name) => stripeLimit(name, "25/s")),
  stripeLimit(FILE, "20/s"),
  { rate: rate("100/s"), kind: "bucket", reason: "global-rate" },
];

function stripeLimit(name: string, text: string): ProviderLimit {
  const of = new RegExp(`^${RegExp.escape(pathOf(name))}$`);
  return { of, rate: rate(text), kind: "bucket", reason: "endpoint-rate" };
}

const less = ({ count, per }: Rate, other: Rate): Rate => ({
  count: (count / per) * 60_000 - (other.count / other.per) * 60_000,
  per: 60_000,
});

/** By the sheets of the providers' documentation; where they give no limit, Holdfast's default as if it were one. */
export const CASES = {
  "Persona, 300 a minute, which says in each answer what is left": { limits: [PERSONA], rate: "300/min" },
  "Persona, two processes": { limits: [PERSONA], rate: "300/min", processes: 2 },
  "Persona, with a rate above its limit": {
    ...{ limits: [PERSONA], rate: "600/min", endpoints: { "GET /all": rate("300/min") } },
  },
  "Onfido, 400 a minute": { limits: [{ rate: rate("400/min"), kind: "window" }], rate: "400/min" },
  "Sumsub, 300 in five seconds, and eight of ten AML cases a minute": {
    ...{ limits: SUMSUB, api: sumsub.limitsOf(), rate: "60/s", minutes: 20 },
    endpoints: { [AML_CASE]: sumsub.AML_RATE, "GET /others": less(rate("60/s"), sumsub.AML_RATE) },
  },
  "Sumsub, two processes with the default rate": {
    ...{ limits: SUMSUB, api: sumsub.limitsOf(), rate: PROVIDERS.sumsub.rate, processes: 2, minutes: 20 },
    endpoints: { [AML_CASE]: sumsub.AML_RATE, "GET /others": less(rate(PROVIDERS.sumsub.rate), sumsub.AML_RATE) },
  },
  "Stripe, all of its endpoints": {
    ...{ limits: STRIPE, api: { endpoints: stripe.ENDPOINTS, limitMeant: stripe.limitMeant }, rate: "100/s" },
    minutes: 10,
    endpoints: Object.fromEntries([...STRIPE_CALLS.map((name) => [name, rate("20/s")]), [FILE, rate("15/s")]]),
  },
  "Veriff, its default rate as a limit of a minute": {
    ...{ limits: [{ rate: rate("120/min"), kind: "window" }], rate: PROVIDERS.veriff.rate },
  },
  "Passbase, its default rate as a limit of a minute": {
    ...{ limits: [{ rate: rate("600/min"), kind: "window" }], rate: PROVIDERS.passbase.rate },
  },
} as const satisfies Readonly<Record<string, Case>>;

export interface Endpoint {
  readonly name: string;
  readonly granted: number;
  readonly refused: number;
  /** By its limits, in this time. */
  readonly allowed: number;
}

export interface Hour {
  readonly endpoints: readonly Endpoint[];
  /** Where more arrived in a period as long as a limit's than it allows: in words. */
  readonly above: readonly string[];
}

async function hourOf({ limits, api = {}, rate: own, endpoints, processes = 1, minutes = 60 }: Case): Promise<Hour> {
  using time = new VirtualTime();
  using transport = new Transport(time, limits);
  const folder = mkdtempSync(join(tmpdir(), "holdfast-hour-"));
  const share = { path: join(folder, "limits.sqlite") };
  const https = Array.from({ length: processes }, () => {
    return new Http({
      ...{
        url: "https://provider.example",
        apiKey: new Secret("key"),
        source: "one",
        rate: rate(own),
        concurrency: 32,
      },
      ...{
        saysMissing: () => true,
        retry: { retries: 0, minDelay: 1, maxDelay: 1, maxRetryAfter: 300_000 },
        auth: { kind: "header", name: "key" },
      },
      ...{ keyIs: "", clock: () => Temporal.Instant.fromEpochMilliseconds(Date.now()) },
      ...(processes > 1 ? { share } : {}),
      ...api,
    });
  });
  const wanted = Object.entries(endpoints ?? { "GET /all": rate(own) });
  let isOver = false;
  const askers = https.flatMap((http) =>
    wanted.flatMap(([name]) =>
      Array.from({ length: 16 }, async () => {
        while (!isOver) await http.text({ name, path: pathOf(name) }, 100).catch(() => {});
      }),
    ),
  );
  await time.pass(minutes * MINUTE);
  isOver = true;
  const arrivals = [...transport.arrivals];
  for (const http of https) await http.close();
  // What was on its way is answered; what waits for its start was refused by the close.
  await time.pass(MINUTE);
  await Promise.all(askers);
  rmSync(folder, { recursive: true });
  const above = [...limits, { rate: rate(own), kind: "window" } as ProviderLimit].flatMap(
    ({ of, rate: { count, per } }) => {
      const meant = arrivals.filter(({ path }) => of?.test(path) ?? true);
      // Requests need 20 to 30 ms to the provider.
      const at = meant.findIndex((each, n) => n >= count && each.at - meant[n - count]!.at < per - 10);
      return at === -1
        ? []
        : [`${count + 1} in ${meant[at]!.at - meant[at - count]!.at} of ${per} ms, of ${of ?? "all"}`];
    },
  );
  return {
    above,
    endpoints: wanted.map(([name, { count, per }]) => {
      const asked = arrivals.filter(({ path }) => path === pathOf(name));
      const refused = asked.filter((each) => each.refused).length;
      return { name, refused, granted: asked.length - refused, allowed: (count * minutes * MINUTE) / per };
    }),
  };
}

function pathOf(name: string): string {
  return `/${name.replaceAll(/[^A-Za-z]+/g, "-")}`;
}

if (import.meta.main) {
  const name = process.argv[2] as keyof typeof CASES;
  process.stdout.write(JSON.stringify(await hourOf(CASES[name])));
}
