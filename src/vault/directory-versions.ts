import { randomBytes } from "node:crypto";
import { lstat, readdir, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { HoldfastError } from "../core/error.ts";
import { createDurable, syncFolder } from "../io/durable-file.ts";
import { noFile } from "../io/is-there.ts";
import { fileDigest, isMissing } from "./directory-files.ts";
import { MAX_METADATA, type Meta, parseMeta, VERSION, versionsIn } from "./directory-note.ts";
import { isKey } from "./directory-walk.ts";
import { MeasuredBody } from "./measured-body.ts";

/** File mode of a version: it is written once. */
export const READ_ONLY = 0o440;

/** The versions of each key below `.versions`, and the metadata file beside each version. */
export class DirectoryVersions {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  folder(key: string): string {
    if (!isKey(key)) throw new HoldfastError("malformed", "not a valid vault key");
    return join(this.#root, ".versions", key);
  }

  /**
   * `versionId` is untrusted: it comes from the log, and anyone with write access to the vault may have changed the
   * log.
   */
  path(key: string, versionId: string): string {
    if (!VERSION.test(versionId)) throw new HoldfastError("vault-missing", `${key}: no such version`);
    return join(this.folder(key), versionId);
  }

  /** The key's versions, oldest first. */
  async numbers(key: string): Promise<string[]> {
    return versionsIn(await this.names(key));
  }

  async anyThere(key: string, versionIds: readonly string[]): Promise<boolean> {
    for (const versionId of versionIds) if (!(await isMissing(this.path(key, versionId)))) return true;
    return false;
  }

  async names(key: string): Promise<string[]> {
    const entries = await readdir(this.folder(key), { withFileTypes: true }).catch((error) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    });
    return entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  }

  async newest(key: string): Promise<string> {
    const newest = (await this.numbers(key)).at(-1);
    if (newest === undefined) throw new HoldfastError("vault-missing", `${key}: no such object`);
    return newest;
  }

  async writeMeta(key: string, versionId: string, meta: Meta): Promise<void> {
    const path = join(this.folder(key), `${versionId}.json`);
    const temporary = `${path}.${randomBytes(4).toString("hex")}.new`;
    await createDurable(temporary, new MeasuredBody(Buffer.from(JSON.stringify(meta))), READ_ONLY);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  }

  /** A crash may leave a committed version without its metadata. Then compute the digest and report no lock. */
  async readMeta(key: string, versionId: string): Promise<Meta> {
    const path = join(this.folder(key), versionId);
    const note = await lstat(`${path}.json`).catch(noFile);
    if (note === undefined) return { sha256: await fileDigest(path), lock: null, hold: false };
    // Untrusted: read only a small regular file.
    if (!note.isFile() || note.size > MAX_METADATA) {
      throw new HoldfastError("malformed", `${key}: its metadata file is invalid`);
    }
    return parseMeta(await readFile(`${path}.json`, "utf8"), key);
  }
}
