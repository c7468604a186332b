/** Plain requests to the sandbox, for its own tests. */
import type { StripeSandbox } from "./server.ts";
import { VERSION } from "./wire.ts";

/** `headers` are added to the key and the pinned version; a body is sent as a form, by POST. */
export function ask(sandbox: StripeSandbox, path: string, body?: string, headers: object = {}): Promise<Response> {
  return fetch(path.startsWith("http") ? path : sandbox.url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { Authorization: `Bearer ${sandbox.apiKey}`, "Stripe-Version": VERSION, ...headers },
    ...(body === undefined ? {} : { body: new URLSearchParams(body) }),
  });
}

export interface Body {
  readonly [name: string]: unknown;
  readonly data: { readonly [name: string]: unknown; readonly id: string }[];
  readonly has_more: boolean;
  readonly error: { readonly type: string; readonly code?: string; readonly message: string; readonly param?: string };
}

export async function read(sandbox: StripeSandbox, path: string, body?: string, headers?: object): Promise<Body> {
  return (await (await ask(sandbox, path, body, headers)).json()) as Body;
}

/** The first session with a report, for which `holds` is true. */
export function reported(sandbox: StripeSandbox, holds: (index: number) => boolean = () => true): number {
  const index = sandbox.ids().findIndex((_, i) => sandbox.reports(i).length > 0 && holds(i));
  if (index < 0) throw new RangeError("no session is like that");
  return index;
}

export const NIGHT = Date.parse("2026-03-04T05:06:07Z");

/** A clock that a test moves. */
export function clockAt(start = NIGHT): { (): number; now: number } {
  const clock = Object.assign(() => clock.now, { now: start });
  return clock;
}
