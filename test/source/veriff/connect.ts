import type { TestContext } from "node:test";
import { Secret } from "../../../src/config/secret.ts";
import { type VeriffOptions as DriverOptions, VeriffSource } from "../../../src/source/veriff/veriff.ts";
import { clockAt } from "../../sandbox/veriff/ask.ts";
import { startVeriff, type Veriff, type VeriffOptions } from "../../sandbox/veriff/server.ts";
import { quick } from "../connect.ts";

export const full = { full: true } as const;

/** A sandbox, and a source connected to it; both end with the test. */
export async function open(t: TestContext, options: VeriffOptions = {}, driver: Partial<DriverOptions> = {}) {
  const clock = clockAt();
  const sandbox = await startVeriff({ plainImages: true, identities: 40, clock, ...options });
  const connect = (more: Partial<DriverOptions> = {}) => {
    const source = new VeriffSource({
      ...{ url: sandbox.url, apiKey: new Secret(sandbox.apiKey), integrationKey: sandbox.integrationKey },
      ...{ rate: { count: 100_000, per: 1_000 }, concurrency: 4, retry: quick },
      ...{ clock: () => Temporal.Instant.fromEpochMilliseconds(clock.now), ...driver, ...more },
    });
    t.after(() => source.close());
    return source;
  };
  t.after(() => sandbox.close());
  return { sandbox, clock, connect, source: connect() };
}

/** The status of a session's decision; null before the decision. */
export const statusOf = (sandbox: Veriff, index: number): string | null =>
  (sandbox.decision(index).verification as { status: string } | null)?.status ?? null;
