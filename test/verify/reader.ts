import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { newBundles, tilePath, tilesFor } from "../../src/audit/tile.ts";
import { auditKey, CHECKPOINT, LEASE, VAULT_JSON } from "../../src/vault/layout.ts";
import { parseClaim } from "../../src/vault/lease-claims.ts";
import type { Scene } from "./scene.ts";

/** What readers see of the checkpoint if the state with the last one is gone. */
export const NO_MEMORY = "no memory";

/** What an entry says about a record or file. */
interface Logged {
  readonly versionId: string;
  readonly lockedUntil: string;
}

/**
 * What readers of a directory vault see of each key, computed from the files alone, without the tested code: two
 * different texts mean that a change altered something for someone.
 */
export class Reader {
  readonly #root: string;
  readonly #state: string;
  readonly logged = new Map<string, Logged>();
  /** Tiles and bundles of the signed log. */
  readonly pieces = new Set<string>();

  private constructor({ root, state }: Scene) {
    this.#root = root;
    this.#state = join(state, "checkpoint");
  }

  static async of(scene: Scene): Promise<Reader> {
    const reader = new Reader(scene);
    for (const { object, files, lockedUntil } of await scene.place.entries("record.stored")) {
      reader.logged.set(object.key, { versionId: object.versionId, lockedUntil });
      for (const file of files) if (file.storedWith === undefined) reader.logged.set(file.key, file);
    }
    const { head } = await scene.place.log();
    for (const piece of [...tilesFor(head.size), ...newBundles(0, head.size)])
      reader.pieces.add(auditKey(tilePath(piece)));
    return reader;
  }

  async see(key: string): Promise<string> {
    const versions = await this.#versions(key);
    const newest = versions.at(-1);
    const logged = this.logged.get(key);
    if (logged) {
      const plain = digest(await read(join(this.#root, key)));
      const bytes = digest(await this.#read(key, logged.versionId));
      const note = await this.#note(key, logged.versionId, logged.lockedUntil);
      return JSON.stringify([newest === logged.versionId, bytes, note, plain]);
    }
    const bytes = newest === undefined ? undefined : await this.#read(key, newest);
    if (key === LEASE) return bytes === undefined || isClaim(bytes) ? "claim or none" : "garbage";
    if (key === VAULT_JSON) return JSON.stringify([meaning(bytes), await this.#foreign(key, versions)]);
    if (key === CHECKPOINT && (await read(this.#state)) === undefined) return NO_MEMORY;
    if (key !== CHECKPOINT && !this.pieces.has(key)) return "no one reads it";
    const note = newest === undefined ? "none" : await this.#note(key, newest);
    // Parts that prove no record need not be locked, and may lack their metadata.
    const kept = PROVING.test(key)
      ? note
      : note.replace(/^(\w+) (true|false) .*/, "$1").replace(/^lost$/, digest(bytes)!);
    return JSON.stringify([digest(bytes), kept, await this.#foreign(key, versions)]);
  }

  /**
   * Whether the plain name shows something that is not a version. After a crash it may show an earlier one or nothing.
   */
  async #foreign(key: string, versions: readonly string[]): Promise<boolean> {
    const plain = await read(join(this.#root, key));
    if (plain === undefined) return false;
    const stored = await Promise.all(versions.map((name) => this.#read(key, name)));
    return !stored.some((bytes) => bytes?.equals(plain));
  }

  async #note(key: string, versionId: string, until = "2026-01-01T00:00:00Z"): Promise<string> {
    const note = await this.#read(key, `${versionId}.json`);
    if (note === undefined) return "lost";
    try {
      const { sha256, lock, hold } = JSON.parse(String(note));
      const locked = Temporal.Instant.compare(Temporal.Instant.from(lock.until), Temporal.Instant.from(until)) >= 0;
      return `${sha256} ${locked} ${typeof hold} ${lock.mode}`;
    } catch {
      return "none";
    }
  }

  async #versions(key: string): Promise<string[]> {
    const names = await readdir(join(this.#root, ".versions", key)).catch(() => []);
    return names.filter((name) => /^\d{8,}$/.test(name)).sort();
  }

  #read(key: string, name: string): Promise<Buffer | undefined> {
    return read(join(this.#root, ".versions", key, name));
  }
}

/** In the scene all records are among the first 256 entries. */
const PROVING = /^audit\/(checkpoint|tile\/(0|entries)\/000|tile\/1\/.*)$/;

async function read(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(() => undefined);
}

function digest(bytes: Uint8Array | undefined): string | null {
  return bytes ? createHash("sha256").update(bytes).digest("hex") : null;
}

/** The content of vault.json, without what the store was found to support: earlier versions of it lack that. */
function meaning(bytes: Buffer | undefined): string {
  try {
    const { store: _, ...rest } = JSON.parse(String(bytes));
    return JSON.stringify(rest);
  } catch {
    return "garbage";
  }
}

function isClaim(bytes: Uint8Array): boolean {
  try {
    return parseClaim({ url: "" }, bytes) !== undefined;
  } catch {
    return false;
  }
}
