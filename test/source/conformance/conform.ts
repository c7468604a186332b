import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { type ErrorCode, HoldfastError } from "../../../src/core/error.ts";
import type { RetryPolicy } from "../../../src/io/retry.ts";
import { errorFields } from "../../../src/observe/log.ts";
import type { Source } from "../../../src/source/source.ts";
import { PROVIDERS } from "./providers.ts";
import type { Provider, Stage, StageHttp, StageOptions } from "./stage.ts";
import { Traffic } from "./traffic.ts";

/** Three attempts, with a few milliseconds in between. */
export const RETRY: RetryPolicy = { retries: 2, minDelay: 1, maxDelay: 4, maxRetryAfter: 2_000 };
export const ATTEMPTS = RETRY.retries + 1;

/** In ms. Nothing that a provider does may keep a call for longer. */
const LONGEST = 120_000;

/** What a test gets: a sandbox with its people, and a source that asks it. */
export interface Place {
  readonly provider: Provider;
  readonly stage: Stage;
  readonly traffic: Traffic;
  readonly source: Source;
  /** Another source that asks the same sandbox, as another process would. */
  open(options?: Partial<StageHttp>): Source;
  /** The error that the work must end with. Nothing that people or logs could show of it may name a person or a key. */
  refuses(work: () => Promise<unknown>, ...codes: readonly ErrorCode[]): Promise<HoldfastError>;
}

export interface PlaceOptions extends Partial<StageOptions> {
  readonly http?: Partial<StageHttp>;
}

type Run = (place: Place) => Promise<void>;
type Conforms = (name: string, ...rest: [run: Run] | [options: PlaceOptions, run: Run]) => void;

/** Registers tests for each provider. `conforms` gives each test a sandbox and a source of its own, and ends them. */
export function conformance(tests: (conforms: Conforms, provider: Provider) => void, concurrency = 4): void {
  for (const provider of Object.values(PROVIDERS)) {
    describe(provider.kind, { concurrency }, () => {
      tests((name, ...rest) => {
        const [options, run] = rest.length === 2 ? rest : [{}, ...rest];
        test(name, { timeout: LONGEST }, ({ signal }) => inPlace(provider, options, run, signal));
      }, provider);
    });
  }
}

async function inPlace(
  provider: Provider,
  { http, ...options }: PlaceOptions,
  run: Run,
  signal: AbortSignal,
): Promise<void> {
  await using stage = await provider.start({ people: 8, ...options });
  const traffic = new Traffic(stage);
  const sources: Source[] = [];
  const told: string[] = [];
  const open = (more: Partial<StageHttp> = {}): Source => {
    const source = stage.open({
      ...{ rate: { count: 100_000, per: 1_000 }, concurrency: 4, retry: RETRY },
      onRetry: (error) => told.push(shown(error)),
      onRequest: (endpoint, outcome) => told.push(`${endpoint} ${outcome}`),
      ...http,
      ...more,
    });
    sources.push(source);
    return source;
  };
  // A call that never ends must not keep the process.
  signal.addEventListener("abort", () => sources.map((source) => source.close().catch(() => {})));
  const check = (texts: readonly string[]): void => {
    for (const canary of stage.canaries())
      for (const text of texts) assert.ok(!text.includes(canary), `${canary} is in what people can see: ${text}`);
  };
  try {
    await run({
      ...{ provider, stage, traffic, source: open(), open },
      refuses: async (work, ...codes) => {
        const error = await work().then(
          () => assert.fail(`expected ${codes.join(" or ")}, but nothing was thrown`),
          (reason: unknown) => reason,
        );
        assert.ok(error instanceof HoldfastError, `expected ${codes.join(" or ")}, but got ${inspect(error)}`);
        assert.ok(
          codes.includes(error.code),
          `expected ${codes.join(" or ")}, but got ${error.code}: ${error.message}`,
        );
        check([shown(error)]);
        return error;
      },
    });
    check([...new Set(told)]);
    assert.deepEqual([...traffic.wrong], [], "requests that the provider's documentation forbids");
    assert.deepEqual(stage.leaks(), [], "the key went to a host that must not see it");
  } finally {
    for (const source of sources) await source.close();
  }
}

/** All that a person, a log or a crash could show of an error, with its causes. */
function shown(error: HoldfastError): string {
  return [String(error), error.hint, JSON.stringify(errorFields(error)), inspect(error, { depth: 10 })].join("\n");
}
