import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { S3VaultConfig } from "../config/config.ts";
import { hasCode } from "../core/error.ts";
import { noFile } from "../io/is-there.ts";
import { openVault } from "../vault/open.ts";
import { MAX_INVENTORY_MANIFEST, unusable } from "./inventory-manifest.ts";

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
export async function openPlace(address: string, vault: S3VaultConfig, signal: AbortSignal): Promise<InventoryPlace> {
  const folder = address.replace(/\/?manifest\.json$/, "").replace(/\/$/, "");
  return address.startsWith("s3://") ? openBucket(folder, vault, signal) : new LocalPlace(folder);
}

async function openBucket(address: string, vault: S3VaultConfig, signal: AbortSignal): Promise<InventoryPlace> {
  const [, bucket, folder = ""] = /^s3:\/\/([a-z0-9.-]+)\/?(.*)$/.exec(address) ?? [];
  if (bucket === undefined) throw unusable("the address is not s3://bucket/path");
  // The bucket of inventories may belong to another account.
  const of = { ...vault, url: `s3://${bucket}`, bucket, prefix: "", expectedOwner: undefined };
  const opened = await openVault(of, { signal });
  return {
    read: async (name) =>
      (await found(opened.read(folder === "" ? name : `${folder}/${name}`, MAX_INVENTORY_MANIFEST))).bytes,
    stream: (key) => found(opened.stream(key)),
    [Symbol.asyncDispose]: () => opened.close(),
  };
}

async function found<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, "vault-missing")) throw unusable("a part of it is missing", undefined, error);
    throw error;
  }
}

/** A copy on this machine: with the folders as S3 writes them, or all files in one folder. */
class LocalPlace implements InventoryPlace {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder === "" ? "." : folder;
  }

  async read(name: string): Promise<Uint8Array> {
    const path = join(this.#folder, name);
    const there = await stat(path).catch(noFile);
    if (there === undefined || !there.isFile()) throw unusable(`there is no ${path}`);
    if (there.size > MAX_INVENTORY_MANIFEST) throw unusable(`${path} is larger than ${MAX_INVENTORY_MANIFEST} bytes`);
    return readFile(path);
  }

  async stream(key: string): Promise<AsyncIterable<Uint8Array>> {
    const name = basename(key);
    const folders = [join(dirname(this.#folder), "data"), join(this.#folder, "data"), this.#folder];
    for (const folder of folders) {
      const path = join(folder, name);
      if ((await stat(path).catch(noFile))?.isFile()) return createReadStream(path);
    }
    throw unusable(`there is no ${name} in ${folders.join(", ")}`, "Copy the inventory's folder data beside it.");
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
