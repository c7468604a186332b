import { entryPath } from "../bag/layout.ts";
import type { Findings } from "./finding.ts";
import type { Json } from "./json.ts";
import type { ShownEntry } from "./log-entry.ts";

/**
 * The last line that stored each object, by its key. A line that only lists a file did not store it: it may be logged
 * again behind the line that says the file was destroyed. Files in `record.files` lines count with their record.
 * @param lines of one subject, in any order
 */
export function lastStored(lines: Iterable<ShownEntry>, findings: Findings): Map<string, number> {
  const stored = new Map<string, number>();
  const announced = new Map<string, string[]>();
  for (const line of [...lines].sort((one, other) => one.index - other.index)) {
    if (line.type !== "record.stored" && line.type !== "record.files") continue;
    try {
      const name = `${line.run} ${line.json.member("version").text()}`;
      const own = [...(announced.get(name) ?? []), ...ownFiles(line)];
      if (line.type === "record.files") announced.set(name, own);
      else {
        for (const key of [keyOf(line.json.member("object")), ...own]) stored.set(key, line.index);
        announced.delete(name);
      }
    } catch (error) {
      findings.note(entryPath(line.index), error);
    }
  }
  return stored;
}

function ownFiles({ json }: ShownEntry): string[] {
  const files = json.member("files").items(5_000);
  return files.filter((file) => !file.has("storedWith")).map(keyOf);
}

function keyOf(object: Json): string {
  return object.member("key").text(500);
}
