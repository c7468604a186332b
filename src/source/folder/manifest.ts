import { refused } from "./errors.ts";
import { type Row, Rows } from "./rows.ts";
import { chunksOf, isThere, joined, type Store } from "./store.ts";

export type Algorithm = "sha256" | "sha512" | "sha1" | "md5";

/** A list of digests in a drop. In a bag (BagIt, RFC 8493) it names every file of the payload, which is in `data`. */
export interface DigestList {
  readonly path: string;
  readonly algorithm: Algorithm;
  readonly isBag: boolean;
}

/** What a drop's files are held to, the best first. */
const BAG: readonly Algorithm[] = ["sha256", "sha512", "sha1", "md5"];
const BESIDE = ["SHA256SUMS", "manifest-sha256.txt"];
const LENGTH: Readonly<Record<Algorithm, number>> = { sha256: 64, sha512: 128, sha1: 40, md5: 32 };
const MAX_LINE = 16 * 1024;

export async function isBag(store: Store, drop: string): Promise<boolean> {
  return isThere(store, joined(drop, "bagit.txt"));
}

/** The manifest of a drop; undefined if it has none. @throws HoldfastError "source-response" for a bag without one */
export async function manifestOf(store: Store, drop: string): Promise<DigestList | undefined> {
  if (await isBag(store, drop)) {
    for (const algorithm of BAG) {
      const path = joined(drop, `manifest-${algorithm}.txt`);
      if (await isThere(store, path)) return { path, algorithm, isBag: true };
    }
    throw refused("a bag has no manifest of its files");
  }
  for (const name of BESIDE) {
    const path = joined(drop, name);
    if (await isThere(store, path)) return { path, algorithm: "sha256", isBag: false };
  }
  return undefined;
}

/**
 * Each path that it names, from the drop's top, with the digest: in the form of sha256sum, or of BSD and macOS. Blank lines
 * and comments are passed over. @throws HoldfastError "source-response" for any other line, which checks nothing
 */
export async function* digestsIn(
  store: Store,
  { path, algorithm, isBag }: DigestList,
): AsyncGenerator<readonly [path: string, digest: string]> {
  await using file = disposable(await store.open(path));
  const rows = new Rows(MAX_LINE);
  const bsd = new RegExp(`^${algorithm} ?\\((?:\\./)?(.+)\\) ?= ?([0-9a-f]{${LENGTH[algorithm]}})\\s*$`, "i");
  const form = new RegExp(`^\\\\?([0-9a-f]{${LENGTH[algorithm]}})[ \\t]+\\*?(?:\\./)?(.+?)\\r?$`, "i");
  const read = (row: Row) => {
    const text = row.bytes?.toString().replace(/^\uFEFF/, "");
    if (text !== undefined && /^\s*(#|$)/.test(text)) return [];
    const [, swapped, last] = bsd.exec(text ?? "") ?? [];
    const [, digest = last, name = swapped] = form.exec(text ?? "") ?? [];
    if (digest === undefined || name === undefined)
      throw refused(`line ${row.line} of the manifest is not of the form of sha256sum`);
    return [[isBag ? decoded(name) : name, digest.toLowerCase()] as const];
  };
  for await (const chunk of chunksOf(file.of)) yield* rows.push(chunk).flatMap(read);
  yield* rows.end().flatMap(read);
}

/** BagIt writes line breaks and percent signs of a name as in URLs. */
const decoded = (name: string): string =>
  name.replace(/%(0A|0D|25)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

/** Something to close, for `await using`. */
export function disposable<T extends { close(): Promise<void> }>(of: T): AsyncDisposable & { readonly of: T } {
  return { of, [Symbol.asyncDispose]: () => of.close() };
}
