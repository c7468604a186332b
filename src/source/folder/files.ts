import { createHash } from "node:crypto";
import { HoldfastError } from "../../core/error.ts";
import type { FileRef } from "../../core/identity.ts";
import type { FetchedFile } from "../source.ts";
import { itemsOf } from "./drops.ts";
import { FILE, missing, refused } from "./errors.ts";
import { typeByBeginning, typeByName } from "./file-types.ts";
import { disposable } from "./manifest.ts";
import { type Mapping, pathsOf } from "./mapping.ts";
import type { Home, Scan } from "./scan.ts";
import { chunksOf, folderOf, insidePath, isLeftover, joined, type Stat, type Store } from "./store.ts";

/** A file of an entry. */
export interface EntryPath {
  /** From the folder of the entry's file. */
  readonly name: string;
  /** From the source's folder. */
  readonly path: string;
  readonly type: string;
  /** Undefined: the entry names it, and it is not there. */
  readonly stat: Stat | undefined;
}

const MAX_FILES = 1_000;
const MAX_DEPTH = 8;
const MAX_FILE = 1024 ** 3;
/** Stands for the digest of a file that is not there. */
const MISSING = "missing";
/** A file's digest is part of its name: no time can make it another one. */
const ALWAYS = "1970-01-01T00:00:00Z";

/**
 * The files of an entry, those that it names first, each once. @throws HoldfastError "source-response" if one of them
 * leads out of the folder, or if the manifest names more files of the entry's folder than there are
 */
export async function filesOf(
  store: Store,
  { places }: Pick<Scan, "places">,
  home: Home,
  id: string,
  value: unknown,
  mapping: Mapping,
): Promise<EntryPath[]> {
  const base = folderOf(home.file);
  const found = new Map<string, EntryPath>();
  for (const { path: named, type } of pathsOf(value, mapping.fields)) {
    const name = inside(named);
    const path = joined(base, name);
    if (!found.has(name)) found.set(name, { name, path, type, stat: await store.stat(path) });
    if (found.size > MAX_FILES) throw tooMany();
  }
  if (mapping.beside !== undefined) {
    const folder = mapping.beside === "." ? "" : inside(mapping.beside.replaceAll("{id}", () => stepOf(id)));
    let promised = 0;
    for await (const name of below(store, base, folder)) {
      const path = joined(base, name);
      if (places.promised(path) !== undefined) promised += 1;
      if (path !== home.file && !found.has(name))
        found.set(name, { name, path, type: "other", stat: await store.stat(path) });
      if (found.size > MAX_FILES) throw tooMany();
    }
    if (promised < places.promisedBelow(joined(base, folder)))
      throw refused("a file that the manifest names is missing");
  }
  return [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** What the list says of an entry: its bytes, and its files without reading them. */
export function listedOf(text: string, files: readonly EntryPath[], { drop }: Home, scan: Scan): unknown {
  return {
    entry: createHash("sha256").update(text).digest("hex"),
    files: files.map(({ name, path, stat }) => [
      name,
      stat ? [stat.size, scan.promised(drop, path)?.digest ?? stat.stamp] : null,
    ]),
  };
}

/** Each file under its digest: read, unless a manifest says it. That the manifest is right, the export finds. */
export async function digested(
  store: Store,
  files: readonly EntryPath[],
  { drop }: Home,
  scan: Scan,
): Promise<FileRef[]> {
  const refs: FileRef[] = [];
  for (const { name, path, type, stat } of files) {
    const promised = stat && scan.promised(drop, path);
    const id =
      stat === undefined ? MISSING : promised?.algorithm === "sha256" ? promised.digest : await digestOf(store, path);
    refs.push({ id, resource: name, type, page: null, updated: ALWAYS });
  }
  return refs;
}

/** Opens a file of an entry. It must be what the dossier said, and what the manifest says. */
export async function openFile(
  store: Store,
  home: Home,
  { id, resource }: Pick<FileRef, "resource"> & { readonly id: string | undefined },
  scan: Scan,
): Promise<FetchedFile> {
  if (id === MISSING) throw new HoldfastError("source-missing", `${FILE}: the entry names it, and it is not there`);
  const path = joined(folderOf(home.file), inside(resource));
  const promised = scan.promised(home.drop, path);
  const stat = await store.stat(path);
  if (stat === undefined) throw missing();
  const wanted = [
    ...(id === undefined ? [] : [["sha256", id] as const]),
    ...(promised ? [[promised.algorithm, promised.digest] as const] : []),
  ];
  return { mediaType: await typeOf(store, path, resource), bytes: checked(store, path, wanted) };
}

/** Opened when the first part is read, and closed at the end, and if the reader stops: nothing is open if no one reads. */
async function* checked(
  store: Store,
  path: string,
  wanted: readonly (readonly [algorithm: string, digest: string])[],
): AsyncGenerator<Buffer> {
  await using file = disposable(await store.open(path));
  if (file.of.size > MAX_FILE) throw tooLarge();
  const hashes = wanted.map(([algorithm, digest]) => ({ hash: createHash(algorithm), digest }));
  for await (const chunk of chunksOf(file.of)) {
    for (const { hash } of hashes) hash.update(chunk);
    yield chunk;
  }
  for (const { hash, digest } of hashes)
    if (hash.digest("hex") !== digest) throw refused("a file has another digest than the manifest says, or changed");
}

async function typeOf(store: Store, path: string, name: string): Promise<string> {
  const named = typeByName(name);
  if (named !== undefined) return named;
  await using file = disposable(await store.open(path));
  return typeByBeginning(await file.of.read(0, 16));
}

async function digestOf(store: Store, path: string): Promise<string> {
  await using file = disposable(await store.open(path));
  if (file.of.size > MAX_FILE) throw tooLarge();
  const hash = createHash("sha256");
  for await (const chunk of chunksOf(file.of)) hash.update(chunk);
  return hash.digest("hex");
}

/** Names of all files in a folder and below it, from `base`. */
async function* below(store: Store, base: string, folder: string, depth = 0): AsyncGenerator<string> {
  if (depth > MAX_DEPTH) throw refused("a folder of files is nested too deeply");
  for (const { name, kind } of await itemsOf(store, joined(base, folder))) {
    const path = joined(folder, name);
    if (kind === "folder") yield* below(store, base, path, depth + 1);
    else yield path;
  }
}

function inside(text: string): string {
  const path = insidePath(text);
  if (path === undefined) throw refused("a path leads out of the folder, or is not written with slashes");
  if (path.split("/").some(isLeftover)) throw refused("a path names a hidden file");
  return path;
}

/** The id as one step of a path. */
function stepOf(id: string): string {
  if (id.includes("/") || insidePath(id) === undefined) throw refused("an id cannot be the name of a folder");
  return id;
}

const tooLarge = () => refused("a file is larger than 1 GiB");
const tooMany = () => refused(`an entry has more than ${MAX_FILES} files`);
