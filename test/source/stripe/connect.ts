import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Secret } from "../../../src/config/secret.ts";
import { type StripeOptions as DriverOptions, StripeSource } from "../../../src/source/stripe/stripe.ts";
import { clockAt } from "../../sandbox/stripe/ask.ts";
import { type StripeOptions, type StripeSandbox, startStripe } from "../../sandbox/stripe/server.ts";
import { quick } from "../connect.ts";

/** A sandbox with a clock that a test moves, and a source connected to it; no file link may get the key. */
export async function open(t: TestContext, sandboxOptions: StripeOptions = {}, options: Partial<DriverOptions> = {}) {
  const clock = clockAt();
  const sandbox = await startStripe({ plainImages: true, repeats: 0, clock, ...sandboxOptions });
  const source = new StripeSource({
    ...{ url: sandbox.url, apiKey: new Secret(sandbox.apiKey), rate: { count: 100_000, per: 1_000 }, concurrency: 4 },
    ...{ retry: quick, now: () => Temporal.Instant.fromEpochMilliseconds(clock()), ...options },
  });
  t.after(async () => {
    await source.close();
    await sandbox.close();
    assert.deepEqual(sandbox.leaks, []);
  });
  return { sandbox, source, clock };
}

/** Paths that were asked for, on both hosts. */
export function watch(sandbox: StripeSandbox): string[] {
  const paths: string[] = [];
  sandbox.intercept((request) => {
    paths.push(decodeURIComponent(request.url!));
    return false;
  });
  return paths;
}

/** The first session with a report, for which `holds` is true. */
export { reported } from "../../sandbox/stripe/ask.ts";

export const full = { full: true } as const;
