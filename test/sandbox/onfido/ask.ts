/** Plain requests to the sandbox, for its own tests. */
import type { Onfido } from "./server.ts";

export function ask(sandbox: Onfido, path: string, headers: Record<string, string> = {}): Promise<Response> {
  const authorization = `Token token=${sandbox.apiKey}`;
  return fetch(sandbox.url + path, { headers: { authorization, ...headers }, redirect: "manual" });
}

export async function read<T = Record<string, unknown>>(sandbox: Onfido, path: string): Promise<T> {
  return (await (await ask(sandbox, path)).json()) as T;
}

/** The index of the first applicant of whom this is true. */
export async function first(
  sandbox: Onfido,
  holds: (id: string, index: number) => boolean | Promise<boolean>,
): Promise<number> {
  for (const [index, id] of sandbox.ids().entries()) if (await holds(id, index)) return index;
  throw new RangeError("no applicant is like that");
}

export const NIGHT = Date.parse("2026-03-04T05:06:07Z");
export const DAY = 86_400_000;

/** A clock that a test moves. */
export function clockAt(start = NIGHT): { (): number; now: number } {
  const clock = Object.assign(() => clock.now, { now: start });
  return clock;
}
