import type { TestContext } from "node:test";
import { Secret } from "../../../src/config/secret.ts";
import { type SumsubOptions as DriverOptions, SumsubSource } from "../../../src/source/sumsub/sumsub.ts";
import { clockAt } from "../../sandbox/sumsub/ask.ts";
import { endpointOf } from "../../sandbox/sumsub/routes.ts";
import { type Sumsub, type SumsubOptions, startSumsub } from "../../sandbox/sumsub/server.ts";
import { quick } from "../connect.ts";

export const full = { full: true } as const;
export const DAY = 86_400_000;

/** A sandbox, and a source connected to it; both end with the test. */
export async function open(t: TestContext, options: SumsubOptions = {}, driver: Partial<DriverOptions> = {}) {
  const clock = clockAt();
  const sandbox = await startSumsub({ identities: 40, plainImages: true, clock, ...options });
  const { url, appToken } = sandbox;
  const now = () => Temporal.Instant.fromEpochMilliseconds(clock.now);
  const connect = (more: Partial<DriverOptions> = {}) => {
    const source = new SumsubSource({
      ...{ url, appToken, apiKey: new Secret(sandbox.apiKey), rate: { count: 100_000, per: 1_000 }, concurrency: 4 },
      ...{ amlRate: { count: 100_000, per: 1_000 }, retry: quick },
      ...{ now, clock: now, ...driver, ...more },
    });
    t.after(() => source.close());
    return source;
  };
  t.after(() => sandbox.close());
  return { sandbox, clock, connect, source: connect() };
}

/** Answers such requests with this text, or with this status. Gives the paths of all requests from now on. */
export function answering(sandbox: Sumsub, endpoint: string, reply: string | number): string[] {
  const paths: string[] = [];
  sandbox.intercept(({ method, url }, response) => {
    paths.push(url!);
    if (endpointOf(method!, new URL(url!, "http://sandbox").pathname) !== endpoint) return false;
    response.writeHead(typeof reply === "number" ? reply : 200).end(typeof reply === "number" ? "{}" : reply);
    return true;
  });
  return paths;
}

/** Someone who sent documents; `holds` may ask for more. */
export function someone(
  sandbox: Sumsub,
  holds: (index: number) => boolean = () => true,
): { index: number; id: string } {
  const ids = sandbox.ids();
  const index = ids.findIndex((_, at) => "info" in sandbox.applicant(at) && holds(at));
  if (index < 0) throw new RangeError("no applicant is like that");
  return { index, id: ids[index]! };
}

/** The review of someone. */
export function reviewOf(sandbox: Sumsub, index: number) {
  return sandbox.applicant(index).review as { reviewStatus: string; reviewResult?: { reviewAnswer: string } };
}
