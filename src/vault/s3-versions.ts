import {
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  type ListObjectVersionsCommandOutput,
} from "@aws-sdk/client-s3";
import * as z from "zod";
import { HoldfastError } from "../core/error.ts";
import { retrying } from "../io/retry.ts";
import { compareKeys } from "./layout.ts";
import { s3Error } from "./s3-errors.ts";
import type { Bucket } from "./s3-list.ts";
import type { VersionInfo } from "./vault.ts";

/** Untrusted, and checked like everything from outside. A version without an id was stored before versioning. */
const item = z.object({
  Key: z.string().min(1),
  VersionId: z.string().min(1).default("null"),
  Size: z.int().min(0).default(0),
  LastModified: z.date().optional(),
  IsLatest: z.boolean().optional(),
});
const answer = z.object({
  EncodingType: z.literal("url").optional(),
  IsTruncated: z.boolean().optional(),
  NextKeyMarker: z.string().optional(),
  NextVersionIdMarker: z.string().optional(),
  Versions: z.array(item).default([]),
  DeleteMarkers: z.array(item.omit({ Size: true })).default([]),
});

type Item = z.output<typeof item>;
type Listed = Pick<Item, "Key" | "VersionId" | "Size"> & { readonly deleteMarker?: true };
type Marker = Pick<ListObjectVersionsCommandInput, "KeyMarker" | "VersionIdMarker">;
interface Page {
  readonly items: readonly Listed[];
  readonly next: Marker | undefined;
}

/**
 * Every version and delete marker of keys with this prefix, by key, newest first; 1,000 a request, and the next page is
 * on its way while this one is read. Throws `vault-unfit` where the store's listing cannot be used: keys in another
 * order or outside of the prefix, a page that does not say where the next begins, or one that leads back.
 */
export async function* listVersions(bucket: Bucket, prefix: string): AsyncGenerator<VersionInfo> {
  const place = new Place(bucket, prefix);
  const get = (from: Marker) => retrying(() => versionPage(bucket, prefix, from), bucket.retry);
  let coming: Promise<Page> | undefined = get({});
  while (coming !== undefined) {
    const { items, next }: Page = await coming;
    if (next) place.advance(next);
    coming = next && get(next);
    // Its failure is thrown when it is awaited, and ends nothing if the reader stops before.
    coming?.catch(() => {});
    for (const { Key, VersionId, Size, deleteMarker } of items) {
      place.check(Key);
      yield {
        key: Key.slice(bucket.prefix.length),
        versionId: VersionId,
        size: Size,
        deleteMarker: deleteMarker === true,
      };
    }
  }
}

/** How far a listing has come. An untrusted store may go back, or lead in a circle. */
class Place {
  readonly #bucket: Bucket;
  readonly #prefix: string;
  #key = "";
  #marker = "";
  /** The version markers of the present key marker. */
  readonly #passed = new Set<string | undefined>();

  constructor(bucket: Bucket, prefix: string) {
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  check(key: string): void {
    if (!key.startsWith(this.#bucket.prefix + this.#prefix)) throw unfit(this.#prefix, "a key outside of that prefix");
    if (compareKeys(key, this.#key) < 0) throw unfit(this.#prefix, "its keys are not in order");
    this.#key = key;
  }

  advance({ KeyMarker = "", VersionIdMarker }: Marker): void {
    const order = compareKeys(KeyMarker, this.#marker);
    if (order > 0) this.#passed.clear();
    if (order < 0 || this.#passed.has(VersionIdMarker))
      throw unfit(this.#prefix, "a page leads back to an earlier one");
    this.#marker = KeyMarker;
    this.#passed.add(VersionIdMarker);
  }
}

function unfit(prefix: string, what: string, cause?: unknown): HoldfastError {
  return new HoldfastError("vault-unfit", `LIST versions of ${prefix}: the store's listing is unusable: ${what}`, {
    cause,
    hint: "Whether the objects are there was not checked. Tell the operator of the store: S3 lists keys in the order of their bytes.",
  });
}

async function versionPage(bucket: Bucket, prefix: string, from: Marker): Promise<Page> {
  let output: ListObjectVersionsCommandOutput;
  try {
    output = await bucket.client.send(
      new ListObjectVersionsCommand({ Bucket: bucket.name, Prefix: bucket.prefix + prefix, ...from }),
    );
  } catch (error) {
    throw s3Error(error, `LIST versions of ${prefix}`);
  }
  const read = answer.safeParse(output);
  if (!read.success) throw unfit(prefix, "an answer that is no page of versions", read.error);
  const { IsTruncated, NextKeyMarker, NextVersionIdMarker, Versions, DeleteMarkers, EncodingType } = read.data;
  const plain = (text: string): string => (EncodingType === undefined ? text : decoded(text, prefix));
  if (IsTruncated && NextKeyMarker === undefined) throw unfit(prefix, "a page does not say where the next begins");
  const named = <T extends { Key: string }>(items: readonly T[]) =>
    EncodingType === undefined ? items : items.map((each) => ({ ...each, Key: plain(each.Key) }));
  const next = IsTruncated
    ? {
        KeyMarker: plain(NextKeyMarker!),
        ...(NextVersionIdMarker === undefined ? {} : { VersionIdMarker: NextVersionIdMarker }),
      }
    : undefined;
  return { items: inOrder(named(Versions), named(DeleteMarkers)), next };
}

/** Some stores encode keys without being asked to, as forms do: a space as a plus sign. */
function decoded(text: string, prefix: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch (cause) {
    throw unfit(prefix, "a key that cannot be decoded", cause);
  }
}

/**
 * The SDK returns a page's delete markers apart from its versions. This merges them by time, newest first. Versions
 * keep the server's order, which is more reliable than clocks.
 */
function inOrder(versions: readonly Item[], deleteMarkers: readonly Omit<Item, "Size">[]): readonly Listed[] {
  if (deleteMarkers.length === 0) return versions;
  const markers = deleteMarkers.map((marker) => ({ ...marker, Size: 0, deleteMarker: true as const }));
  const ordered: Listed[] = [];
  let passed = 0;
  for (const version of versions) {
    while (passed < markers.length && comesFirst(markers[passed]!, version)) ordered.push(markers[passed++]!);
    ordered.push(version);
  }
  return [...ordered, ...markers.slice(passed)];
}

function comesFirst(a: Omit<Item, "Size">, b: Omit<Item, "Size">): boolean {
  if (a.Key !== b.Key) return compareKeys(a.Key, b.Key) < 0;
  // Some servers give times in whole seconds, but they do mark the newest.
  if (a.IsLatest) return true;
  return Number(a.LastModified ?? 0) > Number(b.LastModified ?? 0);
}
