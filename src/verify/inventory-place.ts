import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { S3VaultConfig } from "../config/config.ts";
import { hasCode } from "../core/error.ts";
import { noFile } from "../io/is-there.ts";
import { openVault } from "../vault/open.ts";
import { MAX_INVENTORY_MANIFEST, unusable } from "./inventory-manifest.ts";

/** What S3 writes with a manifest beside it: an inventory, or the completion report of a job. */
export interface Kind {
  /** Where copies of its files lie on a disk, from the folder with the manifest. */
  readonly folders: readonly string[];
  readonly unusable: typeof unusable;
}

const INVENTORY: Kind = { folders: ["../data", "data", "."], unusable };

/** Where an inventory lies: its manifest, and the files that it names. */
export interface InventoryPlace extends AsyncDisposable {
  /** A small object beside the manifest. */
  read(name: "manifest.json" | "manifest.checksum"): Promise<Uint8Array>;
  /** @param key as the manifest has it */
  stream(key: string): Promise<AsyncIterable<Uint8Array>>;
}

/**
 * Opens an inventory in a bucket or a folder.
 * @param address `s3://bucket/…/manifest.json`, a path, or the folder of a manifest
 * @param vault whose inventory it is: S3 writes inventories to a bucket in the same region
 */
export async function openPlace(
  address: string,
  vault: S3VaultConfig,
  signal: AbortSignal,
  kind: Kind = INVENTORY,
): Promise<InventoryPlace> {
  const folder = address.replace(/\/?manifest\.json$/, "").replace(/\/$/, "");
  return address.startsWith("s3://") ? openBucket(folder, vault, signal, kind) : new LocalPlace(folder, kind);
}

async function openBucket(
  address: string,
  vault: S3VaultConfig,
  signal: AbortSignal,
  kind: Kind,
): Promise<InventoryPlace> {
  const [, bucket, folder = ""] = /^s3:\/\/([a-z0-9.-]+)\/?(.*)$/.exec(address) ?? [];
  if (bucket === undefined) throw kind.unusable("the address is not s3://bucket/path");
  // The bucket of inventories may belong to another account.
  const of = { ...vault, url: `s3://${bucket}`, bucket, prefix: "", expectedOwner: undefined };
  const opened = await openVault(of, { signal });
  const pathOf = (name: string): string => (folder === "" ? name : `${folder}/${name}`);
  const found = <T>(key: string, work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw hasCode(error, "vault-missing")
        ? kind.unusable(`there is no s3://${bucket}/${key}`, undefined, error)
        : error;
    });
  return {
    read: async (name) => (await found(pathOf(name), opened.read(pathOf(name), MAX_INVENTORY_MANIFEST))).bytes,
    stream: (key) => found(key, opened.stream(key)),
    [Symbol.asyncDispose]: () => opened.close(),
  };
}

/** A copy on this machine: with the folders as S3 writes them, or all files in one folder. */
class LocalPlace implements InventoryPlace {
  readonly #folder: string;
  readonly #kind: Kind;

  constructor(folder: string, kind: Kind) {
    this.#folder = folder === "" ? "." : folder;
    this.#kind = kind;
  }

  async read(name: string): Promise<Uint8Array> {
    const path = join(this.#folder, name);
    const there = await stat(path).catch(noFile);
    const { unusable } = this.#kind;
    if (there === undefined || !there.isFile()) throw unusable(`there is no ${path}`);
    if (there.size > MAX_INVENTORY_MANIFEST) throw unusable(`${path} is larger than ${MAX_INVENTORY_MANIFEST} bytes`);
    return readFile(path);
  }

  async stream(key: string): Promise<AsyncIterable<Uint8Array>> {
    const name = basename(key);
    const folders = this.#kind.folders.map((each) => join(this.#folder, each));
    for (const folder of folders) {
      const path = join(folder, name);
      if ((await stat(path).catch(noFile))?.isFile()) return createReadStream(path);
    }
    throw this.#kind.unusable(
      `there is no ${name} in ${folders.join(", ")}`,
      "Copy the folder with its files beside it.",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
