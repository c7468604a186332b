import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** One version of an object on the disk. Times are seconds. */
export interface OnDisk {
  readonly digest: string;
  readonly lockedUntil: number;
  readonly mode: string;
  readonly held: boolean;
}

/** The content of a directory vault, from names and bytes alone. */
export interface Sight {
  /** By key and the store's version. */
  readonly objects: Map<string, Map<string, OnDisk>>;
  /** Keys that have a plain name. */
  readonly plain: Set<string>;
  /** Every other name below the objects' folders, except versions' metadata: left by writers that died. */
  readonly others: string[];
  /** Folders named after a subject. */
  readonly subjects: Set<string>;
}

const digests = new Map<string, string>();

/** The SHA-256 of a file; read again if anything about it has changed. */
function digestOf(path: string): string {
  const { ino, size, ctimeNs } = lstatSync(path, { bigint: true });
  const name = `${ino} ${size} ${ctimeNs}`;
  let digest = digests.get(name);
  if (digest === undefined) {
    digest = createHash("sha256").update(readFileSync(path)).digest("hex");
    digests.set(name, digest);
  }
  return digest;
}

function* filesUnder(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}

/** The digest of every file below a folder, whatever its name. */
export function everyDigest(folder: string): Map<string, string> {
  return new Map(Array.from(filesUnder(folder), (path) => [path, digestOf(path)]));
}

export function look(root: string): Sight {
  const sight: Sight = { objects: new Map(), plain: new Set(), others: [], subjects: new Set() };
  for (const kind of ["records", "files"]) {
    for (const path of there(join(root, kind))) {
      const key = relative(root, path);
      sight.subjects.add(key.split("/")[2]!);
      if (key.endsWith(".age")) sight.plain.add(key);
      else sight.others.push(key);
    }
    for (const path of there(join(root, ".versions", kind))) {
      const [, key, name] = /^(.*)\/([^/]*)$/.exec(relative(join(root, ".versions"), path))!;
      if (/^\d{8}$/.test(name!)) {
        const versions = sight.objects.get(key!) ?? new Map<string, OnDisk>();
        sight.objects.set(key!, versions.set(name!, versionAt(path)));
      } else if (!/^\d{8}\.json(\.[0-9a-f]{8}\.new)?$/.test(name!)) sight.others.push(`.versions/${key}/${name}`);
    }
  }
  return sight;
}

function* there(folder: string): Generator<string> {
  try {
    yield* filesUnder(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function versionAt(path: string): OnDisk {
  const digest = digestOf(path);
  let note: { lock: { mode: string; until: string } | null; hold: boolean };
  try {
    note = JSON.parse(readFileSync(`${path}.json`, "utf8"));
  } catch (error) {
    // Left by a writer that died between the two steps.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    note = { lock: null, hold: false };
  }
  const { lock, hold } = note;
  return { digest, lockedUntil: lock ? Date.parse(lock.until) / 1000 : 0, mode: lock?.mode ?? "", held: hold };
}
