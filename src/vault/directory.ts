import { randomBytes } from "node:crypto";
import type { Dirent } from "node:fs";
import { link, lstat, mkdir, readdir, readFile, rename, rm, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Clock, systemClock } from "../core/clock.ts";
import { HoldfastError } from "../core/error.ts";
import { createDurable, syncFolder } from "../io/durable-file.ts";
import { ahead } from "../io/in-order.ts";
import { directoryError } from "./directory-errors.ts";
import { fileDigest, fileSize, fileStream, isMissing, noFile, sameFile } from "./directory-files.ts";
import { leftIn } from "./directory-left.ts";
import { MAX_NOTE, type Meta, notesIn, parseMeta, VERSION, versionsIn } from "./directory-note.ts";
import { covers } from "./lock.ts";
import { Intake } from "./measured-body.ts";
import type { Body, Lock, ObjectInfo, PutOptions, Stored, Vault, VersionInfo } from "./vault.ts";

/** What a listing reads at once. */
const AT_ONCE = 8;
/** Mode of a file that is written once. */
const READ_ONLY = 0o440;

/**
 * A vault in a directory that behaves as a locked bucket does: a put adds a version, and a locked version is neither
 * replaced nor deleted. The lock binds Holdfast, not the machine's administrator.
 *
 *     <key>                         the newest version, a hard link, for stock tools
 *     .versions/<key>/<n>           each version; the exclusive creation of <n> is the commit and the compare-and-swap
 *     .versions/<key>/<n>.json      its digest, lock and hold; it outlives the version, so that <n> is never given again
 */
export class DirectoryVault implements Vault {
  readonly url: string;
  readonly #root: string;
  readonly #now: Clock;
  /** Directories known to exist and to be durable in their parents. */
  readonly #made = new Set<string>();

  constructor(root: string, now: Clock = systemClock) {
    this.url = pathToFileURL(root).href;
    this.#root = root;
    this.#now = now;
  }

  async put(key: string, body: Body, options: PutOptions = {}): Promise<Stored> {
    const intake = new Intake(body);
    const stored = this.#guard(`write ${key}`, async () => {
      const versions = this.#versions(key);
      await this.#makeDirectory(versions);
      const temporary = join(versions, `.new-${randomBytes(8).toString("hex")}`);
      try {
        await createDurable(temporary, intake, READ_ONLY);
        const written = { size: intake.size, sha256: intake.sha256() };
        const versionId = await this.#commit(key, temporary, options);
        await this.#writeMeta(key, versionId, { sha256: written.sha256, lock: options.lock ?? null, hold: false });
        await this.#show(key);
        return { key, versionId, etag: versionId, ...written };
      } finally {
        await rm(temporary, { force: true });
      }
    });
    return stored.catch((error) => {
      throw intake.failure ? intake.failure.error : error;
    });
  }

  /** Gives the written bytes the next version number. The link fails if another process took it: a lost race. */
  async #commit(key: string, temporary: string, { ifAbsent, ifMatch }: PutOptions): Promise<string> {
    for (;;) {
      // One look at the folder decides both whether the condition holds and which number is next: with two, a writer
      // in between would make this one's number free again and its condition stale.
      const names = await this.#names(key);
      const newest = versionsIn(names).at(-1);
      if (ifAbsent && newest !== undefined) {
        // Whoever wrote it may have died before it was shown, and whoever finds it here takes it up.
        await this.#show(key);
        throw new HoldfastError("vault-exists", `write ${key}: it is there already`);
      }
      if (ifMatch !== undefined && newest !== ifMatch) {
        throw new HoldfastError("vault-conflict", `write ${key}: the object is not as expected`);
      }
      const noted = notesIn(names).filter((number) => Number(number) > Number(newest ?? 0));
      // A note above the newest is of a version deleted since, or of one being written that this look just missed.
      if (await this.#anyThere(key, noted)) continue;
      const next = String(Number(noted.at(-1) ?? newest ?? 0) + 1).padStart(8, "0");
      try {
        await link(temporary, join(this.#versions(key), next));
        return next;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
    }
  }

  /**
   * Points the plain name at the newest version, and takes it away when there is none: it is a link to the bytes.
   * Whoever put it in place looks once more: of two writers, the slower one would else leave the older version on view.
   */
  async #show(key: string): Promise<void> {
    const plain = join(this.#root, key);
    // Null, not undefined: a key without versions has to be shown as such, too.
    for (let shown: string | null | undefined = null; ; ) {
      const newest = (await this.#numbers(key)).at(-1);
      if (newest === shown) return;
      if (newest === undefined) await this.#remove(plain);
      else {
        await this.#makeDirectory(dirname(plain));
        const temporary = `${plain}.new-${randomBytes(4).toString("hex")}`;
        try {
          await link(join(this.#versions(key), newest), temporary);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
          // The version was deleted meanwhile, or the folder with the last object in it.
          this.#made.delete(dirname(plain));
          continue;
        }
        await rename(temporary, plain);
        // Where both are links to one file already, rename leaves the temporary name standing.
        await rm(temporary, { force: true });
      }
      shown = newest;
    }
  }

  /** Takes a name away for good, and then the folders under the vault's root that are empty without it. */
  async #remove(path: string): Promise<void> {
    await rm(path, { force: true });
    await syncFolder(dirname(path)).catch(noFile);
    for (let folder = dirname(path); folder !== this.#root; folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch (error) {
        if (["ENOTEMPTY", "EEXIST", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
        throw error;
      }
      this.#made.delete(folder);
    }
  }

  async stream(key: string, versionId?: string): Promise<AsyncIterable<Uint8Array>> {
    return this.#guard(`read ${key}`, async () => {
      const path = this.#version(key, versionId ?? (await this.#newest(key)));
      await fileSize(path, key);
      return fileStream(path, key);
    });
  }

  async read(key: string, limit: number, versionId?: string): Promise<{ bytes: Uint8Array; info: ObjectInfo }> {
    const info = await this.head(key, versionId);
    if (info.size > limit) {
      throw new HoldfastError("malformed", `${key}: ${info.size} bytes, where at most ${limit} are expected`);
    }
    return this.#guard(`read ${key}`, async () => ({
      bytes: await readFile(this.#version(key, info.versionId)),
      info,
    }));
  }

  async head(key: string, versionId?: string): Promise<ObjectInfo> {
    return this.#guard(`read ${key}`, async () => {
      const version = versionId ?? (await this.#newest(key));
      const size = await fileSize(this.#version(key, version), key);
      return { key, versionId: version, etag: version, size, ...(await this.#readMeta(key, version)) };
    });
  }

  async *list(prefix: string): AsyncGenerator<{ key: string; size: number }> {
    for await (const { key } of this.#keys(prefix)) {
      if (!key.startsWith(prefix)) continue;
      const { size } = await this.head(key);
      yield { key, size };
    }
  }

  async *versions(prefix: string): AsyncGenerator<VersionInfo> {
    const listed = ahead(this.#keys(prefix), AT_ONCE, async ({ key, names }): Promise<VersionInfo[]> => {
      if (!key.startsWith(prefix)) return [];
      return this.#guard(`list ${key}`, async () => {
        const numbers = versionsIn(names).reverse();
        const found = await Promise.all(numbers.map((name) => stat(join(this.#versions(key), name)).catch(noFile)));
        // One that is deleted meanwhile is left out.
        return numbers.flatMap((versionId, n) =>
          found[n] ? [{ key, versionId, size: found[n].size, deleteMarker: false }] : [],
        );
      });
    });
    for await (const versions of listed) yield* versions;
  }

  /** Walks no wider than the prefix: a job asks for lease.json several times, which lies beside everything else. */
  async *#keys(prefix: string): AsyncGenerator<{ key: string; names: string[] }> {
    checkPrefix(prefix);
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    const inside = await this.#inside(folder);
    yield* this.#walk(
      folder,
      inside.filter((entry) => `${folder}${entry.name}/`.startsWith(prefix)),
    );
  }

  /** Depth first, in the order of keys; folders beside each other are read ahead. */
  async *#walk(folder: string, entries: readonly Dirent[]): AsyncGenerator<{ key: string; names: string[] }> {
    const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
    if (names.some((name) => VERSION.test(name))) yield { key: folder.replace(/\/$/, ""), names };
    const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    const read = ahead(folders.sort(byKey), AT_ONCE, async (name) => {
      return { path: `${folder}${name}/`, inside: await this.#inside(`${folder}${name}/`) };
    });
    for await (const { path, inside } of read) yield* this.#walk(path, inside);
  }

  async #inside(folder: string): Promise<Dirent[]> {
    const path = join(this.#root, ".versions", folder);
    return readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw directoryError(error, `list ${folder}`);
    });
  }

  async view(key: string, newest?: string): Promise<"newest" | "earlier" | "other"> {
    return this.#guard(`look at ${key}`, async () => {
      const plain = join(this.#root, key);
      if (newest !== undefined && (await sameFile(plain, [this.#version(key, newest)])) === 0) return "newest";
      const versions = (await this.#numbers(key)).reverse().map((name) => join(this.#versions(key), name));
      const same = await sameFile(plain, versions);
      return same === 0 ? "newest" : same === undefined ? "other" : "earlier";
    });
  }

  async *remains(prefix: string): AsyncGenerator<{ key: string; size: number }> {
    checkPrefix(prefix);
    for await (const { key, paths } of leftIn(this.#root, prefix)) {
      if (isKey(key) && (await this.#guard(`look at ${key}`, () => this.#numbers(key))).length > 0) continue;
      const found = await this.#guard(`look at ${key}`, () =>
        Promise.all(paths.map((path) => lstat(path).catch(noFile))),
      );
      const there = found.filter((each) => each !== undefined);
      if (there.length > 0) yield { key, size: there.reduce((sum, { size }) => sum + size, 0) };
    }
  }

  async clear(key: string): Promise<number> {
    return this.#guard(`clear ${key}`, async () => {
      if ((await this.#numbers(key)).length > 0) return 0;
      let removed = 0;
      for await (const found of leftIn(this.#root, key)) {
        if (found.key !== key) continue;
        for (const path of found.paths) await this.#remove(path);
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
      throw new HoldfastError("vault-locked", `lock ${key}: a lock is never shortened or weakened`);
    }
    await this.#guard(`lock ${key}`, async () => {
      await this.#writeMeta(key, versionId, { sha256, lock, hold });
      // Where a crash came between a version and its plain name, nobody else would mend that.
      await this.#show(key);
    });
  }

  async hold(key: string, versionId: string, held: boolean): Promise<void> {
    const { lock, sha256, hold } = await this.head(key, versionId);
    if (hold !== held)
      await this.#guard(`hold ${key}`, () => this.#writeMeta(key, versionId, { sha256, lock, hold: held }));
  }

  async deleteVersion(key: string, versionId: string): Promise<void> {
    await this.#guard(`delete ${key}`, async () => {
      const path = this.#version(key, versionId);
      if (await isMissing(path)) return;
      const meta = await this.#readMeta(key, versionId);
      if (meta.hold || (meta.lock !== null && Temporal.Instant.compare(this.#now(), meta.lock.until) < 0)) {
        throw new HoldfastError(
          "vault-locked",
          `delete ${key}: ${meta.hold ? "a legal hold stands" : `locked until ${meta.lock?.until}`}`,
        );
      }
      if (await isMissing(`${path}.json`)) await this.#writeMeta(key, versionId, meta);
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
        await createDurable(probe, new Intake(new Uint8Array()), READ_ONLY);
        await link(probe, `${probe}-link`);
      } catch (error) {
        throw new HoldfastError("vault-unfit", `${this.#root}: cannot write files and hard links here`, {
          cause: error,
          mend: "Use a directory on a local file system that this user may write to, or an S3 bucket.",
        });
      } finally {
        await rm(probe, { force: true });
        await rm(`${probe}-link`, { force: true });
      }
    });
  }

  async close(): Promise<void> {}

  #versions(key: string): string {
    if (!isKey(key)) throw new HoldfastError("malformed", "not a key of a vault");
    return join(this.#root, ".versions", key);
  }

  /** Untrusted: a version's name comes from the log, and the log from whoever could write to the vault. */
  #version(key: string, versionId: string): string {
    if (!VERSION.test(versionId)) throw new HoldfastError("vault-missing", `${key}: no such version`);
    return join(this.#versions(key), versionId);
  }

  /** Versions that are there, oldest first. */
  async #numbers(key: string): Promise<string[]> {
    return versionsIn(await this.#names(key));
  }

  async #anyThere(key: string, versionIds: readonly string[]): Promise<boolean> {
    for (const versionId of versionIds) if (!(await isMissing(this.#version(key, versionId)))) return true;
    return false;
  }

  async #names(key: string): Promise<string[]> {
    const entries = await readdir(this.#versions(key), { withFileTypes: true }).catch((error) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    });
    return entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  }

  async #newest(key: string): Promise<string> {
    const newest = (await this.#numbers(key)).at(-1);
    if (newest === undefined) throw new HoldfastError("vault-missing", `${key}: no such object`);
    return newest;
  }

  async #writeMeta(key: string, versionId: string, meta: Meta): Promise<void> {
    const path = join(this.#versions(key), `${versionId}.json`);
    const temporary = `${path}.${randomBytes(4).toString("hex")}.new`;
    await createDurable(temporary, new Intake(Buffer.from(JSON.stringify(meta))), READ_ONLY);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  }

  /** A crash may leave a committed version without its note: then the digest is computed, and no lock is claimed. */
  async #readMeta(key: string, versionId: string): Promise<Meta> {
    const path = join(this.#versions(key), versionId);
    const note = await lstat(`${path}.json`).catch(noFile);
    if (note === undefined) return { sha256: await fileDigest(path), lock: null, hold: false };
    // Untrusted: what is no file, or a huge one, is not read.
    if (!note.isFile() || note.size > MAX_NOTE) {
      throw new HoldfastError("malformed", `${key}: the note of its digest and lock is none`);
    }
    return parseMeta(await readFile(`${path}.json`, "utf8"), key);
  }

  async #makeDirectory(path: string): Promise<void> {
    if (this.#made.has(path)) return;
    const first = await mkdir(path, { recursive: true });
    if (first !== undefined) {
      for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
    }
    if (this.#made.size > 10_000) this.#made.clear();
    this.#made.add(path);
  }

  async #guard<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw directoryError(error, what);
    }
  }
}

/** A part that begins with a dot is none: `..` leaves the vault, `.versions` is its inside. */
const KEY = /^[a-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
function isKey(text: string): boolean {
  return KEY.test(text);
}

function checkPrefix(prefix: string): void {
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  if (folder !== "" && !isKey(folder.slice(0, -1))) throw new HoldfastError("malformed", "not a prefix of keys");
}

/** The order in which S3 lists: folders compare as if their name ended in a slash. */
function byKey(a: string, b: string): number {
  return `${a}/` < `${b}/` ? -1 : 1;
}
