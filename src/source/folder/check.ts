import type { FolderFields, FolderSourceConfig } from "../../config/source-config.ts";
import { hasCode } from "../../core/error.ts";
import { byName, type Drop, type EntryFile, findDrops, isTaken, itemsOf } from "./drops.ts";
import type { FolderEntry } from "./entries.ts";
import { filesOf, openFile } from "./files.ts";
import { digestsIn } from "./manifest.ts";
import { identityOf, idOf, valueAt } from "./mapping.ts";
import { Places } from "./places.ts";
import { read, Scan, whyUnfit } from "./scan.ts";
import { DEEPEST, folderOf, insidePath, isThere as isPlainFile, joined, type Store } from "./store.ts";

/** What a mapping would take, in numbers. Names of drops and files may be personal: they are numbered, in their order. */
export interface FolderCheck {
  readonly drops: number;
  /** Those that are not whole yet. */
  readonly waiting: readonly WaitingDrop[];
  readonly entryFiles: number;
  readonly entries: number;
  /** Distinct ids whose entry an export would take. */
  readonly people: number;
  /** Distinct ids whose entry it could not take. */
  readonly broken: number;
  /** Entries with the id of a later one, which counts instead; and those where that is in the same file. */
  readonly replaced: { readonly all: number; readonly sameFile: number };
  /** In how many people's entries each field of the config has a value. */
  readonly fields: Readonly<Record<string, number>>;
  readonly files: {
    readonly found: number;
    readonly missing: number;
    /** Named by a manifest, and not there. */
    readonly absent: number;
    /** In whole drops, and named by no entry. */
    readonly withoutEntry: number;
    /** Held to a manifest: read, and right. */
    readonly checked: number;
  };
  /** Lines, files and entries that an export could not take; the first ones are in `bad`. */
  readonly failures: number;
  readonly bad: readonly BadEntry[];
}

export interface WaitingDrop {
  readonly drop: number;
  /** Something in it changed a short time ago, or its marker is missing. */
  readonly why: "quiet" | "marker";
  readonly isStalled: boolean;
  /** When something in it last changed, RFC 3339 UTC; null if it is empty. */
  readonly changed: string | null;
  /** When it is taken if nothing else changes. Null if only a marker makes it ready. */
  readonly takenFrom: string | null;
}

/** Where something is wrong, and what; never what it says. */
export interface BadEntry {
  readonly drop: number;
  /** Undefined: the whole drop. */
  readonly file?: number | undefined;
  /** Undefined: the whole file. */
  readonly line?: number | undefined;
  readonly why: string;
}

const MAX_BAD = 100;

/** Reads all drops as an export would, and stores nothing. */
export async function checkFolder(
  store: Store,
  config: FolderSourceConfig,
  { now, signal }: { readonly now: () => Temporal.Instant; readonly signal?: AbortSignal },
): Promise<FolderCheck> {
  const scan = new Scan(await findDrops(store, config, now));
  const named = new Places();
  try {
    await scan.read(store, config, signal);
    return await new Check(store, config, scan, named).run(signal);
  } finally {
    scan.close();
    named.close();
  }
}

class Check {
  readonly #store: Store;
  readonly #config: FolderSourceConfig;
  readonly #scan: Scan;
  /** The files that entries name. */
  readonly #named: Places;
  readonly #bad: BadEntry[] = [];
  readonly #fields: Record<string, number> = {};
  #failures = 0;
  #replaced = 0;
  #sameFile = 0;
  #entries = 0;
  #broken = 0;
  #found = 0;
  #missing = 0;
  #checked = 0;

  constructor(store: Store, config: FolderSourceConfig, scan: Scan, named: Places) {
    this.#store = store;
    this.#config = config;
    this.#scan = scan;
    this.#named = named;
    for (const name of fieldsIn(config.fields).keys()) this.#fields[name] = 0;
  }

  async run(signal: AbortSignal | undefined): Promise<FolderCheck> {
    const { drops, files } = this.#scan.survey;
    for (const [at, { fault }] of drops.entries()) if (fault !== undefined) this.#tell({ drop: at + 1, why: fault });
    for (const [number, file] of files.entries()) await this.#checkFile(number, file, signal);
    const absent = await this.#absent();
    let withoutEntry = 0;
    for (const drop of drops.filter(isTaken)) withoutEntry += await this.#unnamed(drop, drop.top);
    return {
      drops: drops.length,
      waiting: drops.flatMap((drop, at) => this.#waiting(drop, at + 1)),
      entryFiles: files.length,
      entries: this.#entries,
      people: this.#scan.places.count - this.#broken,
      broken: this.#broken,
      replaced: { all: this.#replaced, sameFile: this.#sameFile },
      fields: this.#fields,
      files: { found: this.#found, missing: this.#missing, absent, withoutEntry, checked: this.#checked },
      failures: this.#failures,
      bad: this.#bad,
    };
  }

  #waiting({ waits, isStalled = false, changed = 0 }: Drop, drop: number): WaitingDrop[] {
    if (waits === undefined) return [];
    const { ready } = this.#config;
    const last = changed === 0 ? null : Temporal.Instant.fromEpochMilliseconds(Math.floor(changed));
    const from = ready.kind === "quiet" ? last?.add(ready.time) : undefined;
    const text = (instant: Temporal.Instant | null | undefined) =>
      instant?.toString({ smallestUnit: "second" }) ?? null;
    return [{ drop, why: waits, isStalled, changed: text(last), takenFrom: text(from) }];
  }

  async #checkFile(number: number, file: EntryFile, signal: AbortSignal | undefined): Promise<void> {
    const unfit = this.#scan.unfit.get(file);
    if (unfit !== undefined) return this.#note(file, undefined, unfit);
    try {
      for await (const entries of read(this.#store, file)) {
        for (const entry of entries) {
          signal?.throwIfAborted();
          await this.#checkEntry(number, file, entry);
        }
      }
    } catch (error) {
      this.#note(file, undefined, whyUnfit(error));
    }
  }

  async #checkEntry(number: number, file: EntryFile, entry: FolderEntry): Promise<void> {
    if (entry.why !== undefined) return this.#note(file, entry.line, entry.why);
    this.#entries += 1;
    const id = idOf(entry.value, this.#config.fields);
    if (id === undefined) return this.#note(file, entry.line, "has no id where fields.id says");
    const home = this.#scan.home(number);
    try {
      identityOf(id, entry.value, this.#config);
      const files = await filesOf(this.#store, this.#scan, home, id, entry.value, this.#config);
      for (const { path } of files) this.#named.promise(path, "");
      // An entry that a newer one replaces is not taken.
      if (!this.#scan.places.isAt(id, number, entry.at)) {
        this.#replaced += 1;
        if (this.#scan.places.get(id)?.file === number) this.#sameFile += 1;
        return;
      }
      for (const [name, pointers] of fieldsIn(this.#config.fields))
        if (pointers.some((pointer) => isThere(valueAt(entry.value, pointer)))) this.#fields[name]! += 1;
      for (const { name, path, stat } of files) {
        if (stat === undefined) this.#missing += 1;
        else this.#found += 1;
        const promised = stat && this.#scan.promised(home.drop, path);
        if (promised === undefined) continue;
        const ref = { id: promised.algorithm === "sha256" ? promised.digest : undefined, resource: name };
        const { bytes } = await openFile(this.#store, home, ref, this.#scan);
        for await (const _ of bytes);
        this.#checked += 1;
      }
    } catch (error) {
      if (!hasCode(error, "source-response", "source-denied", "source-missing")) throw error;
      if (this.#scan.places.isAt(id, number, entry.at)) this.#broken += 1;
      this.#note(file, entry.line, (error as Error).message.replace(/^folder (entry|file): /, ""));
    }
  }

  async #absent(): Promise<number> {
    let count = 0;
    for (const { path: drop } of this.#scan.survey.drops) {
      const manifest = this.#scan.manifest(drop);
      if (manifest === undefined) continue;
      for await (const [path] of digestsIn(this.#store, manifest)) {
        const inside = insidePath(path);
        if (inside === undefined || !(await isPlainFile(this.#store, joined(drop, inside)))) count += 1;
      }
    }
    return count;
  }

  /** Files that are neither named nor read: each may be one that the mapping should find. */
  async #unnamed(drop: Drop, folder: string, depth = 0): Promise<number> {
    if (depth > DEEPEST) return 1;
    let count = 0;
    for (const { name, kind } of await itemsOf(this.#store, folder)) {
      const path = joined(folder, name);
      const isOurs = folder === drop.path && (OURS.test(name) || name === markerOf(this.#config));
      if (kind === "folder") count += await this.#unnamed(drop, path, depth + 1);
      else if (!isOurs && !this.#isEntryFile(path) && this.#named.promised(path) === undefined) count += 1;
    }
    return count;
  }

  #isEntryFile(path: string): boolean {
    this.#paths ??= new Set(this.#scan.survey.files.map((file) => file.path));
    return this.#paths.has(path);
  }
  #paths: ReadonlySet<string> | undefined;

  #note({ drop, path }: EntryFile, line: number | undefined, why: string): void {
    const { drops, files } = this.#scan.survey;
    const ofDrop = files.filter((file) => file.drop === drop);
    const file = ofDrop.findIndex((one) => byName(one.path, path) === 0 && folderOf(one.path) === folderOf(path)) + 1;
    this.#tell({ drop: drops.indexOf(drop) + 1, file, line, why });
  }

  #tell(bad: BadEntry): void {
    this.#failures += 1;
    if (this.#bad.length < MAX_BAD) this.#bad.push(bad);
  }
}

/** Lists of digests, and what makes a folder a bag. */
const OURS = /^(SHA256SUMS|manifest-sha256\.txt|tagmanifest-.*|bag(it|-info)\.txt|fetch\.txt)$/;

const markerOf = ({ ready }: FolderSourceConfig): string | undefined =>
  ready.kind === "marker" ? ready.name : undefined;

const isThere = (value: unknown): boolean => value !== undefined && value !== null && value !== "";

/** By the names that the config has for them. */
function fieldsIn({ data, ...fields }: FolderFields): Map<string, readonly (readonly string[])[]> {
  const found = new Map<string, readonly (readonly string[])[]>();
  for (const [name, of] of Object.entries(fields) as [string, readonly string[] | readonly (readonly string[])[]][]) {
    if (of === undefined) continue;
    const pointers =
      of.length > 0 && typeof of[0] === "string" ? [of as readonly string[]] : (of as readonly string[][]);
    if (pointers.length > 0) found.set(name, pointers);
  }
  for (const [name, pointer] of Object.entries(data)) found.set(`data.${name}`, [pointer]);
  return found;
}
