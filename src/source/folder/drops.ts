import type { FolderSourceConfig } from "../../config/source-config.ts";
import { type HoldfastError, hasCode } from "../../core/error.ts";
import type { WaitingDrops } from "../source.ts";
import { type EntryFormat, formatOf } from "./entries.ts";
import { isBag } from "./manifest.ts";
import { type Item, isLeftover, isThere, joined, type Store } from "./store.ts";

/** What a provider or partner put down at one time. */
export interface Drop {
  /** Empty: the source's folder itself. */
  readonly path: string;
  /** Where paths of its payload start. */
  readonly top: string;
  /** Why it is not taken yet. */
  readonly waits?: "quiet" | "marker" | undefined;
  /** When something in it last changed, in ms since 1970; 0 if there is nothing. */
  readonly changed?: number | undefined;
  /** It has not been taken for more than three days. */
  readonly isStalled?: boolean | undefined;
  /** Why no one in it can be taken until someone corrects it, in words of ours. */
  readonly fault?: string | undefined;
}

/** Whether its entries are read. */
export const isTaken = ({ waits, fault }: Drop): boolean => waits === undefined && fault === undefined;

/** A file with entries. */
export interface EntryFile {
  readonly drop: Drop;
  readonly path: string;
  readonly format: EntryFormat;
  readonly stamp: string;
}

/** All that lies there now. */
export interface FoundDrops {
  /** The oldest first: in the order of their names. */
  readonly drops: readonly Drop[];
  /** Of all drops that are whole, in their order. */
  readonly files: readonly EntryFile[];
  /** Two surveys with the same one found the same. */
  readonly fingerprint: string;
}

/** In ms: three days. No delivery takes longer. */
const STALLED = 3 * 24 * 3_600_000;

type Terms = Pick<FolderSourceConfig, "entries" | "ready" | "beside">;

/**
 * Finds the drops: each folder at the top is one, or the source's folder itself, if files with entries or a bag are at its
 * top. Then a folder that has entries as well is a drop that cannot be taken: nothing says which of both is meant.
 */
export async function findDrops(store: Store, terms: Terms, now: () => Temporal.Instant): Promise<FoundDrops> {
  const items = await itemsOf(store, "");
  const isOne = items.some(({ name, kind }) => kind === "file" && name === "bagit.txt");
  const own = isOne ? [] : await entryFiles(store, "", terms);
  const names = items.filter(({ kind }) => kind === "folder").map(({ name }) => name);
  // A link in the place of a folder is no entry of the source's own.
  const paths = isOne || own.some(({ path }) => formatOf(path) !== undefined) ? [""] : names;
  const drops: Drop[] = [];
  const files: EntryFile[] = [];
  for (const path of paths) {
    try {
      const drop = await dropAt(store, path, terms, now);
      const inside = isTaken(drop) ? await filesIn(store, drop, terms) : [];
      drops.push(drop);
      files.push(...inside);
    } catch (error) {
      // One drop must not stop the others.
      if (path === "" || !hasCode(error, "source-response", "source-missing", "source-denied")) throw error;
      drops.push({ path, top: path, fault: faultOf(error as HoldfastError) });
    }
  }
  if (paths[0] === "") drops.push(...(await besideTop(store, names, own, terms)));
  else {
    for (const { name, kind } of items) if (kind === "other") drops.push({ path: name, top: name, fault: LINK });
    drops.sort((one, other) => byName(one.path, other.path));
  }
  // A drop that is being written must not make a walk begin again: no one in it is listed.
  const lasting = drops.map(({ changed: _, ...drop }) => drop);
  const fingerprint = JSON.stringify([lasting, files.map(({ path, stamp }) => [path, stamp])]);
  return { drops, files, fingerprint };
}

/** Drops that are not taken because the source's folder is one itself. */
async function besideTop(
  store: Store,
  names: readonly string[],
  own: readonly Pick<EntryFile, "path">[],
  terms: Terms,
): Promise<Drop[]> {
  const ours = new Set(own.map(({ path }) => path.split("/", 1)[0]!));
  const beside = terms.beside?.split("/", 1)[0];
  const isABag = await isBag(store, "");
  const form = beside === undefined || beside === "." ? undefined : formOf(beside.replaceAll("{id}", "*"));
  const drops: Drop[] = [];
  for (const path of beside === "." ? [] : names) {
    if (ours.has(path) || (isABag && path === "data") || form?.test(path)) continue;
    const inside = await entryFiles(store, path, terms).catch(() => []);
    if (inside.length > 0 || (await isBag(store, path))) drops.push({ path, top: path, fault: BOTH });
  }
  return drops;
}

const LINK = "is a symbolic link, or no folder and no file: put the drop itself there";
const BOTH =
  "is not taken: the source's folder has both files with entries and drops. Move these files into a drop of their own, or name " +
  "those that count in the source's entries";

async function filesIn(store: Store, drop: Drop, terms: Terms): Promise<EntryFile[]> {
  const files: EntryFile[] = [];
  for (const found of await entryFiles(store, drop.top, terms)) {
    const stat = await store.stat(found.path).catch(() => undefined);
    files.push({ ...found, drop, stamp: stat?.stamp ?? "" });
  }
  return files;
}

const faultOf = ({ message }: HoldfastError): string =>
  `cannot be read: ${message.replace(/^folder (file|entry): /, "")}`;

async function dropAt(store: Store, path: string, { ready }: Terms, now: () => Temporal.Instant): Promise<Drop> {
  const drop = { path, top: (await isBag(store, path)) ? joined(path, "data") : path };
  if (ready.kind === "marker" && (await isThere(store, joined(path, ready.name)))) return drop;
  const { last, first } = await store.changes(path, now().epochMilliseconds);
  const before = (time: number): number => now().epochMilliseconds - time;
  if (ready.kind === "quiet" && before(last) >= ready.time.total("milliseconds")) return drop;
  // Where the source's folder is the only drop, old files stay in it.
  const begun = path === "" || first > last ? last : first;
  // A clock that is far off would make a drop wait for years.
  return { ...drop, waits: ready.kind, changed: last, isStalled: before(begun) > STALLED || before(last) < -STALLED };
}

/** What waits, in numbers. */
export function waitingIn(drops: readonly Drop[]): WaitingDrops {
  const waiting = drops.filter(({ waits }) => waits !== undefined);
  return { count: waiting.length, stalled: waiting.filter(({ isStalled }) => isStalled).length };
}

/** Files with entries below `top`, in the order of their names. */
async function entryFiles(
  store: Store,
  top: string,
  { entries }: Terms,
): Promise<Pick<EntryFile, "path" | "format">[]> {
  const [step = "*", ...rest] = entries ?? ["*"];
  return below(store, top, step, rest);
}

async function below(
  store: Store,
  folder: string,
  step: string,
  [next, ...rest]: readonly string[],
): Promise<Pick<EntryFile, "path" | "format">[]> {
  const form = formOf(step);
  const found: Pick<EntryFile, "path" | "format">[] = [];
  for (const { name, kind } of await itemsOf(store, folder)) {
    if (!form.test(name) || kind === (next === undefined ? "folder" : "file")) continue;
    const path = joined(folder, name);
    const format = formatOf(name);
    // A link in the place of a file or a folder is found wrong when it is opened as a file.
    if (kind === "other" && next !== undefined) found.push({ path, format: "JSON" });
    else if (next !== undefined) found.push(...(await below(store, path, next, rest)));
    else if (format !== undefined) found.push({ path, format });
  }
  return found;
}

const formOf = (step: string): RegExp => new RegExp(`^${step.split("*").map(RegExp.escape).join(".*")}$`, "su");

/** Without what is no part of a drop, in the order of names. */
export async function itemsOf(store: Store, folder: string): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of store.list(folder)) if (!isLeftover(item.name)) items.push(item);
  return items.sort((one, other) => byName(one.name, other.name));
}

/** Numbers in names count as numbers: `drop-9` is before `drop-10`. */
export function byName(one: string, other: string): number {
  const [a, b] = [padded(one), padded(other)];
  if (a !== b) return a < b ? -1 : 1;
  return one < other ? -1 : Number(one > other);
}

const padded = (name: string): string => name.replace(/\d+/g, (digits) => digits.replace(/^0+/, "").padStart(30, "0"));
