import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import type { TestContext } from "node:test";
import { inspect } from "node:util";
import { Secret } from "../../src/config/secret.ts";
import { type ErrorCode, HoldfastError } from "../../src/core/error.ts";
import type { RetryPolicy } from "../../src/io/retry.ts";
import { errorFields } from "../../src/observe/log.ts";
import type { HttpOptions } from "../../src/source/http-options.ts";
import { PassbaseSource } from "../../src/source/passbase/passbase.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../sandbox/server.ts";

/** Tries three times in total, with a few milliseconds in between. */
export const quick: RetryPolicy = { retries: 2, minDelay: 1, maxDelay: 4, maxRetryAfter: 2_000 };

export function connect(to: { url: string; apiKey: string }, options: Partial<HttpOptions> = {}): PassbaseSource {
  return new PassbaseSource({
    ...{ url: to.url, apiKey: new Secret(to.apiKey), rate: { count: 100_000, per: 1_000 }, concurrency: 4 },
    ...{ retry: quick, ...options },
  });
}

/** A sandbox, and a source connected to it; both end with the test. */
export async function open(t: TestContext, sandboxOptions: SandboxOptions = {}, options: Partial<HttpOptions> = {}) {
  const sandbox = await startSandbox({ identities: 3, plainImages: true, ...sandboxOptions });
  const source = connect(sandbox, options);
  t.after(async () => {
    await source.close();
    await sandbox.close();
  });
  return { sandbox, source };
}

/** Lets a hook answer every request from now on; returns the times at which they started. */
export function answerWith(sandbox: Sandbox, reply: (response: ServerResponse, count: number) => boolean): number[] {
  const times: number[] = [];
  sandbox.intercept((_request, response) => {
    times.push(performance.now());
    return reply(response, times.length);
  });
  return times;
}

/** The error must have the expected code, and nothing in it that people or logs could show may contain a canary. */
export async function refusal(
  sandbox: Pick<Sandbox, "canaries">,
  work: Promise<unknown>,
  code: ErrorCode,
): Promise<HoldfastError> {
  const error = await work.then(
    () => assert.fail(`expected ${code}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HoldfastError, inspect(error));
  assert.equal(error.code, code, error.message);
  // The cause is never printed, but a crash might show it.
  const shown = [String(error), error.hint, JSON.stringify(errorFields(error)), inspect(error, { depth: 10 })].join();
  for (const canary of sandbox.canaries()) assert.ok(!shown.includes(canary), `${canary} in ${shown}`);
  return error;
}

export async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
