import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Secret } from "../../../src/config/secret.ts";
import { type OnfidoOptions as DriverOptions, OnfidoSource } from "../../../src/source/onfido/onfido.ts";
import type { Dossier, Page } from "../../../src/source/source.ts";
import { clockAt } from "../../sandbox/onfido/ask.ts";
import { type Onfido, type OnfidoOptions, startOnfido } from "../../sandbox/onfido/server.ts";
import { quick } from "../connect.ts";

export const full = { full: true } as const;

/** A sandbox, and a source connected to it; both end with the test, which must not have sent a key to another host. */
export async function open(t: TestContext, options: OnfidoOptions = {}, driver: Partial<DriverOptions> = {}) {
  const clock = clockAt();
  const sandbox = await startOnfido({ plainImages: true, clock, ...options });
  const connect = (more: Partial<DriverOptions> = {}) => {
    const source = new OnfidoSource({
      ...{ url: sandbox.url, apiKey: new Secret(sandbox.apiKey), rate: { count: 100_000, per: 1_000 }, concurrency: 4 },
      ...{ retry: quick, now: () => Temporal.Instant.fromEpochMilliseconds(clock.now), ...driver, ...more },
    });
    t.after(() => source.close());
    return source;
  };
  t.after(async () => {
    await sandbox.close();
    assert.deepEqual(sandbox.leaks, []);
  });
  return { sandbox, clock, connect, source: connect() };
}

export async function pagesOf(source: OnfidoSource, cursor?: string): Promise<Page[]> {
  const pages: Page[] = [];
  for await (const page of source.pages(cursor === undefined ? {} : { cursor })) pages.push(page);
  return pages;
}

export const idsIn = (pages: readonly Page[]): Set<string> =>
  new Set(pages.flatMap(({ identities }) => identities.map(({ id }) => id)));

/** The first applicant of whom this is true, with its dossier. */
export async function someone(
  sandbox: Onfido,
  source: OnfidoSource,
  holds: (dossier: Dossier) => boolean,
): Promise<{ index: number; id: string; dossier: Dossier }> {
  for (const [index, id] of sandbox.ids().entries()) {
    const dossier = await source.dossier(id, full);
    if (holds(dossier)) return { index, id, dossier };
  }
  return assert.fail("no applicant is like that");
}
