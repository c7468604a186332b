import assert from "node:assert/strict";
import { canonicalJson } from "../../../src/record/canonical.ts";
import type { Change, Dossier, FetchedFile, ListedIdentity, Page, Source } from "../../../src/source/source.ts";
import type { Asked, Stage } from "./stage.ts";

/** Reads what a source gives to its end. */
export async function all<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const part of parts) found.push(part);
  return found;
}

export const walk = (source: Source, options?: { cursor?: string }): Promise<Page[]> => all(source.pages(options));

export async function listed(source: Source): Promise<Map<string, ListedIdentity>> {
  const pages = await walk(source);
  return new Map(pages.flatMap(({ identities }) => identities).map((identity) => [identity.id, identity]));
}

export async function changed(source: Source, since: Temporal.Instant): Promise<Set<string>> {
  return new Set((await all<readonly Change[]>(source.changes(since))).flat().map(({ id }) => id));
}

export const full = (source: Source, id: string): Promise<Dossier> => source.dossier(id, { full: true });

export async function collect(file: FetchedFile): Promise<Buffer> {
  return Buffer.concat(await all(file.bytes));
}

/** What is compared, in the form in which it is compared. */
export const compared = (value: unknown): string => canonicalJson(value);

/** The first person with files, and how many there are. */
export async function withFiles(stage: Stage, from = 0): Promise<number> {
  for (let index = from; index < from + 40; index++) if ((await stage.files(index)).length > 0) return index;
  return assert.fail("no one in the sandbox has files");
}

/** One call that needs such a request. Every call is about this person. */
export function calling(source: Source, stage: Stage, index: number): Readonly<Record<Asked, () => Promise<unknown>>> {
  const id = stage.id(index);
  return {
    project: () => source.project(),
    list: () => walk(source),
    changes: () => changed(source, stage.now().subtract({ hours: 24 })),
    identity: () => full(source, id),
    part: () => full(source, id),
    file: async () => collect(await source.file(id, (await full(source, id)).files[0]!)),
    other: () => assert.fail("no call needs another request"),
  };
}
