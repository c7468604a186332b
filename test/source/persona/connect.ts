import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Secret } from "../../../src/config/secret.ts";
import { type PersonaOptions as DriverOptions, PersonaSource } from "../../../src/source/persona/persona.ts";
import type { Page } from "../../../src/source/source.ts";
import { type Persona, type PersonaOptions, startPersona } from "../../sandbox/persona/server.ts";
import { quick } from "../connect.ts";

export function connect(to: { url: string; apiKey: string }, options: Partial<DriverOptions> = {}): PersonaSource {
  return new PersonaSource({
    ...{ url: to.url, apiKey: new Secret(to.apiKey), rate: { count: 100_000, per: 1_000 }, concurrency: 4 },
    ...{ retry: quick, ...options },
  });
}

/** A sandbox, and a source connected to it; both end with the test, which must not have sent the key to the files' host. */
export async function open(t: TestContext, sandboxOptions: PersonaOptions = {}, options: Partial<DriverOptions> = {}) {
  const sandbox = await startPersona({ plainImages: true, searchDelay: 0, ...sandboxOptions });
  const source = connect(sandbox, options);
  t.after(async () => {
    await source.close();
    await sandbox.close();
    assert.deepEqual(sandbox.leaks, []);
  });
  return { sandbox, source };
}

const INNER = "x-inner";

/** Replaces answers of the API: `text` is what the sandbox would send. Undefined leaves it. */
export function rewrite(sandbox: Persona, change: (path: string, text: string) => string | undefined): void {
  sandbox.intercept((request, response) => {
    const path = request.url ?? "";
    const { [INNER]: isInner } = request.headers;
    if (isInner !== undefined || !path.startsWith("/api/v1/") || request.method !== "GET") return false;
    const { authorization = "", "persona-version": version = "", "key-inflection": inflection = "" } = request.headers;
    const headers = {
      authorization,
      "persona-version": String(version),
      "key-inflection": String(inflection),
      [INNER]: "1",
    };
    void fetch(new URL(path, sandbox.url), { headers })
      .then(async (answer) => {
        const text = await answer.text();
        const kept = [...answer.headers].filter(([name]) => name.startsWith("persona-"));
        const changed = change(path, text);
        const status = changed === undefined ? answer.status : 200;
        response.writeHead(status, { ...Object.fromEntries(kept), "content-type": "application/json" });
        response.end(changed ?? text);
      })
      .catch(() => response.destroy());
    return true;
  });
}

export async function pagesOf(source: PersonaSource): Promise<Page[]> {
  const pages: Page[] = [];
  for await (const page of source.pages()) pages.push(page);
  return pages;
}

export async function changesOf(source: PersonaSource, since: Temporal.Instant): Promise<string[]> {
  const ids: string[] = [];
  for await (const changes of source.changes(since)) ids.push(...changes.map(({ id }) => id));
  return ids;
}

export const full = { full: true } as const;
