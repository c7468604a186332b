import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { type ErrorCode, HoldfastError } from "../../../src/core/error.ts";
import type { RetryPolicy } from "../../../src/io/retry.ts";
import { errorFields } from "../../../src/observe/log.ts";
import type { Source } from "../../../src/source/source.ts";
import { PROVIDERS } from "./providers.ts";
import type { Opening, Provider, Stage, StageOptions } from "./stage.ts";

/** Three attempts, with a few milliseconds in between. */
export const RETRY: RetryPolicy = { retries: 2, minDelay: 1, maxDelay: 4, maxRetryAfter: 2_000 };
export const ATTEMPTS = RETRY.retries + 1;

/** In ms. Nothing that a provider does may keep a call for longer. */
const LONGEST = 120_000;

/** What a test gets: a provider with its people, and a source that asks it. */
export interface Place<S = Stage> {
  readonly provider: Pick<Provider, "kind" | "can">;
  readonly stage: S;
  readonly source: Source;
  /** Another source that asks the same provider, as another process would. */
  open(options?: Partial<Opening>): Source;
  /** The error that the work must end with. Nothing that people or logs could show of it may name a person or a key. */
  refuses(work: () => Promise<unknown>, ...codes: readonly ErrorCode[]): Promise<HoldfastError>;
}

export interface PlaceOptions extends Partial<StageOptions> {
  readonly opening?: Partial<Opening>;
}

type Run<P> = (place: P) => Promise<void>;
export type Conforms<P> = (name: string, ...rest: [run: Run<P>] | [options: PlaceOptions, run: Run<P>]) => void;

/**
 * Registers tests of what the port promises, for each provider. `conforms` gives each test a stage and a source of its
 * own, and ends them. `http/` has what HTTP adds.
 */
export function conformance(tests: (conforms: Conforms<Place>, provider: Provider) => void, concurrency = 4): void {
  for (const provider of PROVIDERS) register(provider, concurrency, (conforms) => tests(conforms, provider));
}

export function register<S extends Stage>(
  provider: Pick<Provider, "kind" | "title" | "skip" | "can"> & { start(options: StageOptions): Promise<S> },
  concurrency: number,
  tests: (conforms: Conforms<Place<S>>) => void,
): void {
  describe(provider.title ?? provider.kind, { concurrency, skip: provider.skip ?? false }, () => {
    tests((name, ...rest) => {
      const [options, run] = rest.length === 2 ? rest : [{}, ...rest];
      test(name, { timeout: LONGEST }, ({ signal }) => inPlace(provider, options, run, signal));
    });
  });
}

async function inPlace<S extends Stage>(
  provider: Parameters<typeof register<S>>[0],
  { opening, ...options }: PlaceOptions,
  run: Run<Place<S>>,
  signal: AbortSignal,
): Promise<void> {
  await using stage = await provider.start({ people: 8, ...options });
  const sources: Source[] = [];
  const told: string[] = [];
  const open = (more: Partial<Opening> = {}): Source => {
    const source = stage.open({
      ...{ rate: { count: 100_000, per: 1_000 }, concurrency: 4, retry: RETRY },
      onRetry: (error) => told.push(shown(error)),
      onRequest: (endpoint, outcome) => told.push(`${endpoint} ${outcome}`),
      ...opening,
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
      ...{ provider, stage, source: open(), open },
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
    assert.deepEqual(stage.objections(), [], "what the provider objects to");
  } finally {
    for (const source of sources) await source.close();
  }
}

/** All that a person, a log or a crash could show of an error, with its causes. */
function shown(error: HoldfastError): string {
  return [String(error), error.hint, JSON.stringify(errorFields(error)), inspect(error, { depth: 10 })].join("\n");
}
