import { compareKeys } from "../vault/layout.ts";
import type { VersionInfo } from "../vault/vault.ts";
import type { Expected } from "./expected.ts";

/** One key, as the log and the store's listing have it. */
export interface Match {
  readonly key: string;
  /** Undefined if no entry names the key. */
  readonly expected: Expected | undefined;
  /** What readers of the key see: its newest version, or a delete marker. Undefined if the key is not listed. */
  readonly seen: VersionInfo | undefined;
  /** The expected versions that are listed, with their sizes. */
  readonly listed: ReadonlyMap<string, number>;
}

/**
 * Goes through what the log expects and what the store lists side by side, both in the order of their keys, and gives
 * each key once. Holds one key at a time, and of its versions only those that are expected: a key may have any number.
 * @param onOther called with each listed version, no delete marker, that is not expected, before its key's match
 */
export async function* merge(
  expected: Iterator<Expected>,
  versions: AsyncIterable<VersionInfo>,
  onOther: (version: VersionInfo) => void,
): AsyncGenerator<Match, void, undefined> {
  let next = expected.next();
  let match: Listing | undefined;
  for await (const version of versions) {
    if (match?.key !== version.key) {
      if (match) yield match;
      for (; !next.done && compareKeys(next.value.key, version.key) < 0; next = expected.next())
        yield new Listing(next.value.key, next.value, undefined);
      const isExpected = !next.done && next.value.key === version.key;
      match = new Listing(version.key, isExpected ? next.value : undefined, version);
      if (isExpected) next = expected.next();
    }
    if (!version.deleteMarker && !match.take(version)) onOther(version);
  }
  if (match) yield match;
  for (; !next.done; next = expected.next()) yield new Listing(next.value.key, next.value, undefined);
}

class Listing implements Match {
  readonly key: string;
  readonly expected: Expected | undefined;
  readonly seen: VersionInfo | undefined;
  readonly listed = new Map<string, number>();

  constructor(key: string, expected: Expected | undefined, seen: VersionInfo | undefined) {
    this.key = key;
    this.expected = expected;
    this.seen = seen;
  }

  /** Whether this version is expected. */
  take({ versionId, size }: VersionInfo): boolean {
    const { present, former = [] } = this.expected ?? {};
    if (present?.versionId !== versionId && !former.some((each) => each.versionId === versionId)) return false;
    this.listed.set(versionId, size);
    return true;
  }
}
