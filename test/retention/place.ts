import assert from "node:assert/strict";
import { foldersOf } from "../../src/vault/layout.ts";
import type { ObjectInfo } from "../../src/vault/vault.ts";
import type { Workplace } from "../export/workplace.ts";

export interface Result {
  readonly [name: string]: unknown;
}

/** Runs a command that must exit with `code`, and returns its JSON. */
export async function ask(place: Workplace, code: number, ...words: string[]): Promise<Result> {
  const [command, ...args] = words;
  const ended = await place.here(command!, [...args, "--json"]);
  assert.equal(ended.code, code, `${words.join(" ")}: ${ended.code}\n${ended.stderr}${ended.stdout}`);
  return ended.json as Result;
}

/** Every version in the vault of every object of a subject. */
export async function objectsOf(place: Workplace, subject: string): Promise<ObjectInfo[]> {
  const vault = await place.vault();
  const found: ObjectInfo[] = [];
  for (const folder of foldersOf(subject))
    for await (const { key, versionId } of vault.versions(folder)) found.push(await vault.head(key, versionId));
  return found;
}
