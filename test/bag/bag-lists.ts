import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseSigner, signNote } from "../../src/audit/note.ts";
import { bagNoteText } from "../../src/bag/layout.ts";

/** What someone does who alters a bag and makes its lists fit. */

/** Files of a bag, by their paths in it. */
export async function paths(bag: string): Promise<string[]> {
  const entries = await readdir(bag, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(bag.length + 1))
    .sort();
}

/** Makes both lists fit what is there; gives the digest of the last. */
export async function relist(bag: string): Promise<string> {
  await list(bag, "manifest-sha256.txt", (path) => path.startsWith("data/"));
  return relistTags(bag);
}

/** The same, signed again. */
export async function resign(bag: string, skey: string): Promise<void> {
  await sign(bag, await relist(bag), skey);
}

/** Makes the tag manifest alone fit what is there, and signs it if there is a key. */
export async function remanifest(bag: string, skey?: string): Promise<void> {
  const digest = await relistTags(bag);
  if (skey !== undefined) await sign(bag, digest, skey);
}

function relistTags(bag: string): Promise<string> {
  return list(bag, "tagmanifest-sha256.txt", (path) => !path.startsWith("data/") && !path.startsWith("tagmanifest"));
}

/** Writes a list of the paths that belong to it; gives its digest. */
async function list(bag: string, name: string, belongs: (path: string) => boolean): Promise<string> {
  const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
  const lines: string[] = [];
  for (const path of (await paths(bag)).filter(belongs))
    lines.push(`${sha256(await readFile(join(bag, path)))}  ${path}\n`);
  await writeFile(join(bag, name), lines.join(""));
  return sha256(lines.join(""));
}

async function sign(bag: string, digest: string, skey: string): Promise<void> {
  const signer = parseSigner(skey);
  await writeFile(join(bag, "tagmanifest-sha256.txt.note"), signNote(bagNoteText(signer.name, digest), [signer]));
}
