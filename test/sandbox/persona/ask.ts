/** Plain requests to the sandbox, for its own tests. */
import type { Persona } from "./server.ts";
import type { Reference, Wire } from "./wire.ts";

export const PINNED = { "Persona-Version": "2025-12-08", "Key-Inflection": "kebab" };

export interface Body {
  readonly data: Wire & Wire[];
  readonly included: Wire[];
  readonly links: { readonly prev: string | null; readonly next: string | null };
  readonly errors: readonly { readonly title: string; readonly details?: string }[];
}

/** With a body it is a POST. `headers` replace the pinned version and inflection. */
export function ask(sandbox: Persona, path: string, body?: unknown, headers: object = PINNED): Promise<Response> {
  return fetch(sandbox.url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { Authorization: `Bearer ${sandbox.apiKey}`, "Content-Type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

export async function read(sandbox: Persona, path: string, body?: unknown, headers?: object): Promise<Body> {
  return (await (await ask(sandbox, path, body, headers)).json()) as Body;
}

/** The first inquiry with documents, for which `holds` is true. */
export function finished(sandbox: Persona, holds: (index: number) => boolean = () => true): number {
  const index = sandbox.ids().findIndex((_, i) => related(sandbox, i, "documents").length > 0 && holds(i));
  if (index < 0) throw new RangeError("no inquiry is like that");
  return index;
}

export function related(sandbox: Persona, index: number, name: string): readonly Reference[] {
  return sandbox.inquiry(index).relationships![name]!.data as Reference[];
}

/** All file URLs in a value. */
export function urlsIn(value: unknown): string[] {
  return JSON.stringify(value).match(/http:[^"]+access_token=[^"]+/g) ?? [];
}

export const NIGHT = Date.parse("2026-03-04T05:06:07Z");

/** A clock that a test moves. */
export function clockAt(start = NIGHT): { (): number; now: number } {
  const clock = Object.assign(() => clock.now, { now: start });
  return clock;
}
