import { hasCode } from "../../core/error.ts";
import type { ListedIdentity, Page } from "../source.ts";
import { byName, type EntryFile, isTaken } from "./drops.ts";
import type { FolderEntry } from "./entries.ts";
import { filesOf, listedOf } from "./files.ts";
import { identityOf, idOf, type Mapping } from "./mapping.ts";
import { read, type Scan, whyUnfit } from "./scan.ts";
import type { Store } from "./store.ts";

/** Entries per page. */
const PAGE = 100;
/** Entries whose files are looked at side by side. */
const AT_ONCE = 8;

/** Where a page ends: drop, file, and the position in it. New drops come later in this order. */
type Position = readonly [drop: string, file: string, at: number];

/**
 * The entries that count, in the order of their drops and files. Who is in a drop that is not whole yet, or in a drop or
 * file that cannot be read, was not seen: then the walk is not whole.
 */
export async function* pagesOf(
  store: Store,
  scan: Scan,
  mapping: Mapping,
  cursor: string | undefined,
): AsyncGenerator<Page> {
  const from = cursor === undefined ? undefined : positionOf(cursor);
  let whole = scan.survey.drops.every(isTaken) && scan.unfit.size === 0;
  let entries: FolderEntry[] = [];
  // Each walk counts the drops that cannot be read, also one that goes on from a cursor.
  let broken = scan.survey.drops.filter(({ fault }) => fault !== undefined).length;
  const last = scan.survey.files.length - 1;
  for (const [number, file] of scan.survey.files.entries()) {
    if (from && isBefore(file, from)) continue;
    const begins = from && file.drop.path === from[0] && file.path === from[1] ? from[2] : -1;
    const page = async (cursor: string | null): Promise<Page> => {
      const [taken, unreadable] = [entries, broken];
      [entries, broken] = [[], 0];
      return { ...(await listed(store, scan, mapping, number, taken)), unreadable, cursor, whole };
    };
    if (scan.unfit.has(file)) broken += begins < 0 ? 1 : 0;
    else {
      try {
        for await (const found of read(store, file)) {
          for (const entry of found) {
            if (entry.at <= begins) continue;
            const id = entry.why === undefined ? idOf(entry.value, mapping.fields) : undefined;
            if (id === undefined) broken += 1;
            else if (scan.places.isAt(id, number, entry.at)) entries.push(entry);
            if (entries.length === PAGE) yield await page(JSON.stringify([file.drop.path, file.path, entry.at]));
          }
        }
      } catch (error) {
        // It was fit a moment ago: it is being changed.
        whyUnfit(error);
        broken += 1;
        whole = false;
      }
    }
    if (entries.length > 0 || broken > 0)
      yield await page(number === last ? null : JSON.stringify([file.drop.path, file.path, Number.MAX_SAFE_INTEGER]));
    else if (number === last) yield { identities: [], unread: [], unreadable: 0, cursor: null, whole };
  }
  if (last < 0 || broken > 0) yield { identities: [], unread: [], unreadable: broken, cursor: null, whole };
}

async function listed(
  store: Store,
  scan: Scan,
  mapping: Mapping,
  file: number,
  entries: readonly FolderEntry[],
): Promise<Pick<Page, "identities" | "unread">> {
  const identities: ListedIdentity[] = [];
  const unread: string[] = [];
  for (let at = 0; at < entries.length; at += AT_ONCE) {
    const group = entries.slice(at, at + AT_ONCE);
    const read = await Promise.all(group.map((entry) => listedEntry(store, scan, mapping, file, entry)));
    for (const one of read) {
      if (typeof one === "string") unread.push(one);
      else if (one) identities.push(one);
    }
  }
  return { identities, unread };
}

/** Its id alone, if only its dossier can say what is wrong with it. */
async function listedEntry(
  store: Store,
  scan: Scan,
  mapping: Mapping,
  file: number,
  entry: FolderEntry,
): Promise<ListedIdentity | string | undefined> {
  if (entry.why !== undefined) return undefined;
  const id = idOf(entry.value, mapping.fields);
  if (id === undefined) return undefined;
  const home = scan.home(file);
  try {
    const { created, updated, status } = identityOf(id, entry.value, mapping);
    const files = await filesOf(store, scan, home, id, entry.value, mapping);
    const raw = listedOf(entry.text, files, home, scan);
    return { id, created: created ?? updated, updated, status, raw };
  } catch (error) {
    if (!hasCode(error, "source-response", "source-denied", "source-missing")) throw error;
    return id;
  }
}

/** Undefined for what this version did not write: then the walk begins at the beginning. */
function positionOf(cursor: string): Position | undefined {
  try {
    const [drop, file, at] = JSON.parse(cursor) as unknown[];
    return typeof drop === "string" && typeof file === "string" && typeof at === "number"
      ? [drop, file, at]
      : undefined;
  } catch {
    return undefined;
  }
}

function isBefore({ drop, path }: EntryFile, [of, file, at]: Position): boolean {
  const order = byName(drop.path, of) || byName(path, file);
  return order < 0 || (order === 0 && at === Number.MAX_SAFE_INTEGER);
}
