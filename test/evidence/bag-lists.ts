import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseSigner, signNote } from "../../src/audit/note.ts";

/** What somebody does who alters a bag and makes its lists fit. */

/** Files of a bag, by their paths in it. */
export async function paths(bag: string): Promise<string[]> {
  const entries = await readdir(bag, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(bag.length + 1))
    .sort();
}

/** Makes the lists fit what is there; gives the digest of the last. */
export async function relist(bag: string): Promise<Buffer> {
  const hash = async (path: string) => createHash("sha256").update(await readFile(join(bag, path)));
  for (const [name, belongs] of [
    ["manifest-sha256.txt", (path: string) => path.startsWith("data/")],
    ["tagmanifest-sha256.txt", (path: string) => !path.startsWith("data/") && !path.startsWith("tagmanifest")],
  ] as const) {
    const lines: string[] = [];
    for (const path of (await paths(bag)).filter(belongs)) lines.push(`${(await hash(path)).digest("hex")}  ${path}\n`);
    await writeFile(join(bag, name), lines.join(""));
  }
  return (await hash("tagmanifest-sha256.txt")).digest();
}

export async function resign(bag: string, skey: string): Promise<void> {
  const signer = parseSigner(skey);
  const digest = (await relist(bag)).toString("base64");
  await writeFile(join(bag, "tagmanifest-sha256.txt.note"), signNote(`${signer.name}/bag\n${digest}\n`, [signer]));
}
