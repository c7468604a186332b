/** Plain requests to the sandbox, for its own tests. */
import { routeOf } from "./routes.ts";
import type { Veriff } from "./server.ts";
import { signatureOf } from "./signature.ts";

/** Signs the id that the path has, unless `signed` is another text. */
export function ask(
  sandbox: Veriff,
  path: string,
  signed?: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  const { pathname } = new URL(sandbox.url + path);
  const signature = signatureOf(sandbox.apiKey, signed ?? routeOf(pathname).id);
  return fetch(sandbox.url + path, {
    headers: { "X-AUTH-CLIENT": sandbox.integrationKey, "X-HMAC-SIGNATURE": signature, ...headers },
  });
}

export async function read<T = Record<string, unknown>>(sandbox: Veriff, path: string): Promise<T> {
  return (await (await ask(sandbox, path)).json()) as T;
}

/** The index of the first session of which this is true. */
export function first(sandbox: Veriff, holds: (index: number) => boolean): number {
  const index = sandbox.ids().findIndex((_, at) => holds(at));
  if (index < 0) throw new RangeError("no session is like that");
  return index;
}

export const NIGHT = Date.parse("2026-03-04T05:06:07Z");
export const DAY = 86_400_000;

/** A clock that a test moves. */
export function clockAt(start = NIGHT): { (): number; now: number } {
  const clock = Object.assign(() => clock.now, { now: start });
  return clock;
}
