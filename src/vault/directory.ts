import { randomBytes } from "node:crypto";
import { link, lstat, mkdir, readFile, rename, rm, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { pMapIterable } from "p-map";
import { type Clock, systemClock } from "../core/clock.ts";
import { HoldfastError } from "../core/error.ts";
import { createDurable, syncFolder } from "../io/durable-file.ts";
import { noFile } from "../io/is-there.ts";
import { directoryError } from "./directory-errors.ts";
import { fileSize, fileStream, isMissing, sameFile } from "./directory-files.ts";
import { Folders } from "./directory-folders.ts";
import { leftIn } from "./directory-left.ts";
import { notesIn, versionsIn } from "./directory-note.ts";
import { DirectoryVersions, READ_ONLY } from "./directory-versions.ts";
import { AT_ONCE, checkPrefix, isKey, keysUnder } from "./directory-walk.ts";
import { covers } from "./lock.ts";
import { MeasuredBody } from "./measured-body.ts";
import type { Body, Lock, ObjectInfo, PutOptions, Stored, Vault, VersionInfo } from "./vault.ts";

/**
 * A vault in a directory that behaves like a locked bucket: a put adds a version, and a locked version cannot be
 * replaced or deleted. The lock binds Holdfast, not the machine's administrator.
 *
 *     <key>                         the newest version, a hard link, for stock tools
 *     .versions/<key>/<n>           each version; the exclusive creation of <n> is the commit and the compare-and-swap
 *     .versions/<key>/<n>.json its digest, lock and hold; it stays when <n> is deleted, so that <n> is never reused
 */
export class DirectoryVault implements Vault {
  readonly url: string;
  readonly isLocal = true;
  readonly #root: string;
  readonly #now: Clock;
  readonly #folders: Folders;
  readonly #versions: DirectoryVersions;

  constructor(root: string, now: Clock = systemClock) {
    this.url = pathToFileURL(root).href;
    this.#root = root;
    this.#now = now;
    this.#folders = new Folders(root);
    this.#versions = new DirectoryVersions(root);
  }

  async put(key: string, body: Body, options: PutOptions = {}): Promise<Stored> {
    const intake = new MeasuredBody(body, options.onSent);
    const stored = this.#guard(`write ${key}`, async () => {
      const versions = this.#versions.folder(key);
      await this.#folders.make(versions);
      const temporary = join(versions, `.new-${randomBytes(8).toString("hex")}`);
      try {
        await createDurable(temporary, intake, READ_ONLY);
        const versionId = await this.#commit(key, temporary, options);
        await this.#versions.writeMeta(key, versionId, {
          sha256: intake.sent.sha256,
          lock: options.lock ?? null,
          hold: false,
        });
        await this.#show(key);
        return { key, versionId, etag: versionId, ...intake.sent };
      } finally {
        await rm(temporary, { force: true });
      }
    });
    return stored.catch((error) => {
      throw intake.failure ? intake.failure.error : error;
    });
  }

  /** Gives the written bytes the next version number. If another process took that number first, the link fails. */
  async #commit(key: string, temporary: string, { ifAbsent, ifMatch }: PutOptions): Promise<string> {
    for (;;) {
      // Read the folder once, for both the condition and the next number. Between two reads, another writer could make
      // the condition stale.
      const names = await this.#versions.names(key);
      const newest = versionsIn(names).at(-1);
      if (ifAbsent && newest !== undefined) {
        // Its writer may have died before linking the plain name, and the caller may adopt this version.
        await this.#show(key);
        throw new HoldfastError("vault-exists", `write ${key}: the object already exists`);
      }
      if (ifMatch !== undefined && newest !== ifMatch) {
        throw new HoldfastError("vault-conflict", `write ${key}: the object has changed`);
      }
      const noted = notesIn(names).filter((number) => Number(number) > Number(newest ?? 0));
      // Metadata with a higher number belongs to a deleted version, or to one written just after the folder was read.
      if (await this.#versions.anyThere(key, noted)) continue;
      const next = String(Number(noted.at(-1) ?? newest ?? 0) + 1).padStart(8, "0");
      try {
        await link(temporary, join(this.#versions.folder(key), next));
        return next;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
    }
  }

  /**
   * Points the plain name at the newest version, or removes it if no version is left, because the link keeps the bytes.
   * Then looks again: without that, the slower of two writers would leave the older version in place.
   */
  async #show(key: string): Promise<void> {
    const plain = join(this.#root, key);
    // Null, not undefined: a key without versions needs one pass too.
    for (let shown: string | null | undefined = null; ; ) {
      const newest = (await this.#versions.numbers(key)).at(-1);
      if (newest === shown) return;
      if (newest === undefined) await this.#folders.remove(plain);
      else {
        await this.#folders.make(dirname(plain));
        const temporary = `${plain}.new-${randomBytes(4).toString("hex")}`;
        try {
          await link(join(this.#versions.folder(key), newest), temporary);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
          // Meanwhile someone deleted the version, or the folder with its last object.
          this.#folders.forget(dirname(plain));
          continue;
        }
        await rename(temporary, plain);
        // If both are links to the same file, rename does nothing and the temporary name remains.
        await rm(temporary, { force: true });
      }
      shown = newest;
    }
  }

  async stream(key: string, versionId?: string): Promise<AsyncIterable<Uint8Array>> {
    return this.#guard(`read ${key}`, async () => {
      const path = this.#versions.path(key, versionId ?? (await this.#versions.newest(key)));
      await fileSize(path, key);
      return fileStream(path, key);
    });
  }

  async read(key: string, limit: number, versionId?: string): Promise<{ bytes: Uint8Array; info: ObjectInfo }> {
    const info = await this.head(key, versionId);
    if (info.size > limit) {
      throw new HoldfastError("malformed", `${key}: ${info.size} bytes is more than the limit of ${limit}`);
    }
    return this.#guard(`read ${key}`, async () => ({
      bytes: await readFile(this.#versions.path(key, info.versionId)),
      info,
    }));
  }

  async head(key: string, versionId?: string): Promise<ObjectInfo> {
    return this.#guard(`read ${key}`, async () => {
      const version = versionId ?? (await this.#versions.newest(key));
      const size = await fileSize(this.#versions.path(key, version), key);
      return { key, versionId: version, etag: version, size, ...(await this.#versions.readMeta(key, version)) };
    });
  }

  async *list(prefix: string): AsyncGenerator<{ key: string; size: number }> {
    for await (const { key } of keysUnder(this.#root, prefix)) {
      if (!key.startsWith(prefix)) continue;
      const { size } = await this.head(key);
      yield { key, size };
    }
  }

  async *versions(prefix: string): AsyncGenerator<VersionInfo> {
    const listed = pMapIterable(
      keysUnder(this.#root, prefix),
      async ({ key, names }): Promise<VersionInfo[]> => {
        if (!key.startsWith(prefix)) return [];
        return this.#guard(`list ${key}`, async () => {
          const numbers = versionsIn(names).reverse();
          const found = await Promise.all(
            // As listed: a name that is no key is shown too, for verify to tell.
            numbers.map((name) => stat(join(this.#root, ".versions", key, name)).catch(noFile)),
          );
          // Skip a version that was deleted meanwhile.
          return numbers.flatMap((versionId, n) =>
            found[n] ? [{ key, versionId, size: found[n].size, deleteMarker: false }] : [],
          );
        });
      },
      { concurrency: AT_ONCE },
    );
    for await (const versions of listed) yield* versions;
  }

  async view(key: string, newest?: string): Promise<"newest" | "earlier" | "other"> {
    return this.#guard(`look at ${key}`, async () => {
      const plain = join(this.#root, key);
      if (newest !== undefined && (await sameFile(plain, [this.#versions.path(key, newest)])) === 0) return "newest";
      const versions = (await this.#versions.numbers(key))
        .reverse()
        .map((name) => join(this.#versions.folder(key), name));
      const same = await sameFile(plain, versions);
      return same === 0 ? "newest" : same === undefined ? "other" : "earlier";
    });
  }

  async *remains(prefix: string): AsyncGenerator<{ key: string; size: number }> {
    checkPrefix(prefix);
    for await (const { key, paths } of leftIn(this.#root, prefix)) {
      if (isKey(key) && (await this.#guard(`look at ${key}`, () => this.#versions.numbers(key))).length > 0) continue;
      const found = await this.#guard(`look at ${key}`, () =>
        Promise.all(paths.map((path) => lstat(path).catch(noFile))),
      );
      const there = found.filter((each) => each !== undefined);
      if (there.length > 0) yield { key, size: there.reduce((sum, { size }) => sum + size, 0) };
    }
  }

  async clear(key: string): Promise<number> {
    return this.#guard(`clear ${key}`, async () => {
      if ((await this.#versions.numbers(key)).length > 0) return 0;
      let removed = 0;
      for await (const found of leftIn(this.#root, key)) {
        if (found.key !== key) continue;
        for (const path of found.paths) await this.#folders.remove(path);
        removed += found.paths.length;
      }
      return removed;
    });
  }

  async lockOf(key: string, versionId: string): Promise<Lock | null> {
    return (await this.head(key, versionId)).lock;
  }

  async lock(key: string, versionId: string, lock: Lock): Promise<void> {
    const { lock: current, sha256, hold } = await this.head(key, versionId);
    if (current !== null && !covers(lock, current)) {
      throw new HoldfastError("vault-locked", `lock ${key}: a lock cannot be shortened or weakened`);
    }
    await this.#guard(`lock ${key}`, async () => {
      await this.#versions.writeMeta(key, versionId, { sha256, lock, hold });
      // A crash between writing a version and linking its plain name is repaired only here.
      await this.#show(key);
    });
  }

  async hold(key: string, versionId: string, held: boolean): Promise<void> {
    const { lock, sha256, hold } = await this.head(key, versionId);
    if (hold !== held)
      await this.#guard(`hold ${key}`, () => this.#versions.writeMeta(key, versionId, { sha256, lock, hold: held }));
  }

  async deleteVersion(key: string, versionId: string): Promise<void> {
    await this.#guard(`delete ${key}`, async () => {
      const path = this.#versions.path(key, versionId);
      if (await isMissing(path)) return;
      const meta = await this.#versions.readMeta(key, versionId);
      if (meta.hold || (meta.lock !== null && Temporal.Instant.compare(this.#now(), meta.lock.until) < 0)) {
        throw new HoldfastError(
          "vault-locked",
          `delete ${key}: ${meta.hold ? "under a legal hold" : `locked until ${meta.lock?.until}`}`,
        );
      }
      if (await isMissing(`${path}.json`)) await this.#versions.writeMeta(key, versionId, meta);
      await unlink(path);
      await syncFolder(dirname(path));
      await this.#show(key);
    });
  }

  async inspect(): Promise<void> {
    await this.#guard(`inspect ${this.#root}`, async () => {
      await mkdir(this.#root, { recursive: true });
      const probe = join(this.#root, `.probe-${randomBytes(4).toString("hex")}`);
      try {
        await createDurable(probe, new MeasuredBody(new Uint8Array()), READ_ONLY);
        await link(probe, `${probe}-link`);
      } catch (error) {
        throw new HoldfastError("vault-unfit", `${this.#root}: cannot create files or hard links here`, {
          cause: error,
          hint: "Use an S3 bucket, or a directory on a local file system where this user can write.",
        });
      } finally {
        await rm(probe, { force: true });
        await rm(`${probe}-link`, { force: true });
      }
    });
  }

  async close(): Promise<void> {}

  async #guard<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw directoryError(error, what);
    }
  }
}
