import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bundle, bundle } from "../../release/bundle.ts";

/** By the file that was bundled. */
const bundles = new Map<string, Promise<Bundle>>();

/**
 * Bundles a program, once, into a folder that is deleted when this process ends. People install Holdfast bundled: it
 * starts in a third of the time of its sources.
 * @param entry the file to run, from the repository's own folder
 */
export async function bundled(entry: string, form: "split" | "single"): Promise<string> {
  const begun = bundles.get(entry) ?? bundle(join(temporary(), "program"), form, entry);
  bundles.set(entry, begun);
  return (await begun).main;
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-program-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
