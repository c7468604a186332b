import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { canonicalJson } from "../../../src/record/canonical.ts";
import type { Change, Dossier, FetchedFile, ListedIdentity, Page, Source } from "../../../src/source/source.ts";
import type { Stage } from "./stage.ts";

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

/** Reads all files of the first people. */
export async function everyFile(source: Source, stage: Pick<Stage, "id">, people: number): Promise<void> {
  for (let index = 0; index < people; index++) {
    const id = stage.id(index);
    for (const file of (await full(source, id)).files) await collect(await source.file(id, file));
  }
}

/** What is compared, in the form in which it is compared. */
export const compared = (value: unknown): string => canonicalJson(value);

/** The first person with files, and how many there are. */
export async function withFiles(stage: Pick<Stage, "files">, from = 0): Promise<number> {
  for (let index = from; index < from + 40; index++) if ((await stage.files(index)).length > 0) return index;
  return assert.fail("no one in the sandbox has files");
}

/** What there is of a person: what is compared, and the digest of each file. A file cut on its way is asked for again. */
export async function everything(source: Source, stage: Pick<Stage, "id">, index: number): Promise<unknown> {
  const id = stage.id(index);
  const { content, files } = await full(source, id);
  const digests: string[] = [];
  for (const file of files) {
    for (let attempt = 1; ; attempt++) {
      try {
        const bytes = await collect(await source.file(id, file));
        digests.push(createHash("sha256").update(bytes).digest("hex"));
        break;
      } catch (error) {
        if (attempt === 10 || (error as { code?: string }).code !== "source-unavailable") throw error;
      }
    }
  }
  return [compared(content), files, digests];
}
