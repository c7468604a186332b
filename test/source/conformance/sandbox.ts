import type { Interceptor } from "../../sandbox/send.ts";

/** The time at a provider's sandbox, which only the suite moves. */
export class SandboxClock {
  #now = Date.parse("2026-03-04T05:06:07Z");
  /** Milliseconds since 1970. */
  readonly milliseconds = (): number => this.#now;
  readonly instant = (): Temporal.Instant => Temporal.Instant.fromEpochMilliseconds(this.#now);
  readonly advance = (seconds: number): void => {
    this.#now += seconds * 1_000;
  };
}

interface Sandbox {
  ids(): string[];
  add(count: number): number[];
  canaries(): string[];
  intercept(hook: Interceptor | undefined): void;
  close(): Promise<void>;
}

/** What the suite asks of every provider's sandbox in the same way. */
export function everySandbox(sandbox: Sandbox, clock: SandboxClock) {
  return {
    ids: () => sandbox.ids(),
    add: (count: number) => sandbox.add(count),
    now: clock.instant,
    advance: clock.advance,
    intercept: (hook: Interceptor | undefined) => sandbox.intercept(hook),
    canaries: () => sandbox.canaries(),
    [Symbol.asyncDispose]: () => sandbox.close(),
  };
}
