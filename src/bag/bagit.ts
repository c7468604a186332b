import { HoldfastError } from "../core/error.ts";
import { printable } from "../core/printable.ts";

/**
 * BagIt (RFC 8493): the files that say what is in a bag. Digests alone prove nothing of who made it: that is for the
 * signed note over the tag manifest (`NOTE` in `layout.ts`).
 */
export const BAGIT = "bagit.txt";
export const BAG_INFO = "bag-info.txt";
export const MANIFEST = "manifest-sha256.txt";
export const TAG_MANIFEST = "tagmanifest-sha256.txt";

export const DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/** Path in the bag, with slashes, to SHA-256 in hex. */
export type Manifest = ReadonlyMap<string, string>;

/** A path of a bag: below its root, of plain names. Holdfast writes no others, so none needs percent-encoding. */
const PATH = /^(?!.*(?:^|\/)\.\.?(?:\/|$))[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;

export function isBagPath(path: string): boolean {
  return path.length <= 500 && PATH.test(path);
}

export function formatManifest(manifest: Manifest): string {
  return [...manifest]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, digest]) => `${digest}  ${path}\n`)
    .join("");
}

/** Untrusted text. Throws `malformed`, also for a path that is named twice or leads out of the bag. */
export function parseManifest(name: string, text: string): Manifest {
  const manifest = new Map<string, string>();
  for (const line of text.split("\n").slice(0, -1)) {
    const [, digest, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    if (digest === undefined || path === undefined || !isBagPath(path) || manifest.has(path)) {
      throw new HoldfastError(
        "malformed",
        `${name} has a line that no manifest has: a digest, two spaces, a path, once`,
      );
    }
    manifest.set(path, digest);
  }
  if (!text.endsWith("\n") && text !== "") throw new HoldfastError("malformed", `${name} ends in the middle of a line`);
  return manifest;
}

/** `Payload-Oxum` counts the payload's bytes and files. */
export function formatInfo(fields: readonly (readonly [name: string, value: string])[]): string {
  // A line break would begin another field.
  return fields.map(([name, value]) => `${name}: ${printable(value)}\n`).join("");
}
