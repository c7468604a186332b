/** Plain requests to the sandbox, for its own tests. */
import type { Sumsub } from "./server.ts";
import { signatureOf } from "./token.ts";

export interface How {
  /** Of the client, in milliseconds. Default: this machine's. */
  readonly now?: number;
  readonly apiKey?: string;
  readonly appToken?: string;
}

export function ask(sandbox: Sumsub, path: string, how: How = {}): Promise<Response> {
  const { now = Date.now(), apiKey = sandbox.apiKey, appToken = sandbox.appToken } = how;
  const time = Math.floor(now / 1000);
  const signature = signatureOf(apiKey, time, { method: "GET", url: path, body: Buffer.alloc(0) });
  const headers = { "x-app-token": appToken, "x-app-access-ts": String(time), "x-app-access-sig": signature };
  return fetch(sandbox.url + path, { headers });
}

export async function read<T = Record<string, unknown>>(sandbox: Sumsub, path: string, how?: How): Promise<T> {
  return (await (await ask(sandbox, path, how)).json()) as T;
}

/** The index of the first applicant of whom this is true. */
export function first(sandbox: Sumsub, holds: (index: number) => boolean): number {
  const index = sandbox.ids().findIndex((_, at) => holds(at));
  if (index < 0) throw new RangeError("no applicant is like that");
  return index;
}

export const NIGHT = Date.parse("2026-03-04T05:06:07Z");

/** A clock that a test moves. */
export function clockAt(start = NIGHT): { (): number; now: number } {
  const clock = Object.assign(() => clock.now, { now: start });
  return clock;
}
