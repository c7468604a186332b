import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { HoldfastError } from "../core/error.ts";
import { CHECKPOINT } from "../vault/layout.ts";
import { lockFor } from "../vault/lock.ts";
import type { Conditional, Lock, Vault } from "../vault/vault.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { type Entry, encodeEntry } from "./entry.ts";
import { Frontier } from "./frontier.ts";
import { Journal, type Journaled } from "./journal.ts";
import { checkAgainstLastSeen, forked, rememberHead } from "./last-seen.ts";
import { AuditLog, type Head, sameLeaf } from "./log.ts";
import { emptyRoot, leafHash } from "./merkle.ts";
import type { Signer, Verifier } from "./note.ts";
import { proving, toLogAgain } from "./overtaken.ts";
import { type Present, refuseReplaced, replaceCheckpoint } from "./replace-checkpoint.ts";
import { SignedLog } from "./signed-log.ts";
import { splitEntry } from "./split.ts";
import { encodeBundle, newBundles, TILE_WIDTH, tilePath } from "./tile.ts";
import { type LogPiece, writePieces } from "./write-pieces.ts";

export interface WriterOptions {
  readonly vault: Vault;
  readonly signer: Signer;
  /** Signs too when the log changes its key. */
  readonly cosigner?: Signer;
  /** Former keys of the log. They verify what this machine saw earlier. */
  readonly former?: readonly Verifier[];
  /** This client's state directory. Holds the journal and the last checkpoint seen. */
  readonly state: string;
  readonly conditional: Conditional;
  readonly lock: { readonly mode: Lock["mode"]; readonly initial: Temporal.Duration };
  readonly now: Clock;
  /** Throws once this process no longer holds the vault. Called before each attempt to write. */
  readonly holds: () => void;
  /** Called with each part of the log that this writer stored, and until when it is locked. */
  readonly onLocked?: (key: string, versionId: string, until: Temporal.Instant) => void;
  /** Entries per batch. A multiple of 256, so that a full batch writes only full tiles. */
  readonly batch?: number;
}

/** An entry with its index in the log. */
export interface Appended extends Journaled {
  readonly entry: Entry;
}

const BATCH = 4 * TILE_WIDTH;
/** Batches that may wait in memory for a store that is slower than this machine's disk. */
const WAITING = 8;

/**
 * Appends to a client's audit log. One writer per vault. This order makes a crash harmless at any time: journal
 * (fsync), bundles and tiles, checkpoint, release of the journal.
 */
export class AuditWriter {
  readonly log: AuditLog;
  /** Whether this machine has seen the log before. If not, its state directory may be lost, and a journal with it. */
  readonly continued: boolean;
  readonly #options: WriterOptions;
  readonly #journal: Journal;
  #head: Head;
  #frontier: Frontier;
  /** Entries that are journaled, or about to be, and not in the log yet. The first has index `#head.size`. */
  #pending: Journaled[] = [];
  #next: number;
  /** Entries below this index are on this machine's disk or in the log. */
  #durable: number;
  /** Entries below this index existed when the last batch was started. */
  #scheduled: number;
  /** The entries of the last bundle, if it is not full. Read from the vault when first needed. */
  #tail: Uint8Array[] = [];
  #flushing: Promise<void> = Promise.resolve();
  /** What appends wait for. A later one does not overtake those that wait, so that all resolve in the log's order. */
  #held: Promise<void> | undefined;
  #failure: unknown;

  private constructor(
    options: WriterOptions,
    log: AuditLog,
    journal: Journal,
    head: Head,
    frontier: Frontier,
    continued: boolean,
  ) {
    this.continued = continued;
    this.#options = options;
    this.log = log;
    this.#journal = journal;
    this.#head = head;
    this.#frontier = frontier;
    this.#next = head.size;
    this.#durable = head.size;
    this.#scheduled = head.size;
  }

  /** Creates the empty log of a new vault. */
  static async create({ vault, signer, now, lock, conditional, state }: WriterOptions): Promise<void> {
    const note = Buffer.from(signCheckpoint({ origin: signer.name, size: 0, root: emptyRoot }, signer));
    await vault.put(CHECKPOINT, note, {
      lock: lockFor(lock.mode, lock.initial, now()),
      ifAbsent: conditional.ifNoneMatch,
    });
    await rememberHead(state, note);
  }

  /**
   * Continues the log. First appends what an earlier process journaled, even if another machine has continued the log
   * meanwhile. Throws `forked` if the vault's log does not continue the one this machine saw.
   */
  static async open(options: WriterOptions): Promise<AuditWriter> {
    const { vault, signer } = options;
    const log = new AuditLog(vault, signer.name, [signer.verifier, ...(options.former ?? [])]);
    const head = await log.head();
    const frontier = await Frontier.load(head.size, head.root, log.tile);
    const seen = await checkAgainstLastSeen(options.state, log, head);
    const journal = new Journal(join(options.state, "journal"));
    const writer = new AuditWriter(options, log, journal, head, frontier, seen !== undefined);
    await writer.#takeUp(await journal.recover(), seen ?? 0);
    return writer;
  }

  get #present(): Present {
    const { vault, conditional, holds } = this.#options;
    return { vault, conditional, holds, head: this.#head };
  }

  /** The number of entries, including those not yet in the log. */
  get size(): number {
    return this.#next;
  }

  get head(): Head {
    return this.#head;
  }

  /** The log up to this head, whose right edge need not be read again. */
  get signed(): SignedLog {
    return new SignedLog(this.log, this.#head, this.#frontier);
  }

  /** Journaled entries not yet in the log, in order. */
  get pending(): readonly Journaled[] {
    return this.#pending;
  }

  /** @param seen a checkpoint that this machine wrote or read covers all entries below this index */
  async #takeUp(journaled: readonly Journaled[], seen: number): Promise<void> {
    const { size } = this.#head;
    const first = journaled[0]?.index ?? size;
    if (first > size) throw forked(`the log ends at entry ${size}, but the journal continues from ${first}`);
    const holds = proving(this.log, this.#head);
    const waiting: Journaled[] = [];
    for (const entry of journaled) {
      if (await holds(entry)) continue; // A crash between checkpoint and release.
      if (entry.index < seen) throw forked(`entry ${entry.index} of the log is not the one in this machine's journal`);
      waiting.push(entry);
    }
    const isOvertaken = waiting.some(({ index }) => index < size);
    const again = isOvertaken
      ? await toLogAgain(waiting, this.log, this.#head, holds, this.#options.now())
      : waiting.map(({ bytes }) => bytes);
    this.#pending = again.map((bytes, position) => ({ index: size + position, bytes }));
    this.#next = size + again.length;
    this.#durable = this.#next;
    if (isOvertaken) {
      if (again.length > 0) await this.#grow(this.#next);
      // Do this before remembering this head: it covers these entries at other indexes than the journal's.
      await this.#journal.release(Number.POSITIVE_INFINITY);
    }
    await this.flush();
  }

  /**
   * Resolves once the entry is durable on this machine: its work then counts as done. Gives the entry as logged, in
   * several parts if it is too long for one. Throws `log-rejected` if the log cannot hold it. Writes full batches to
   * the log automatically, and waits for the store while too many entries wait for it. After a failed write, every call
   * throws that error.
   */
  async append(entry: Entry): Promise<readonly Appended[]> {
    if (this.#failure) throw this.#failure;
    // Encode all parts before journaling the first: if the log cannot hold the entry, the journal gets none of it.
    const encoded = splitEntry(entry).map((part) => ({ entry: part, bytes: encodeEntry(part) }));
    const appended = encoded.map((part) => ({ index: this.#next++, ...part }));
    const journaled = appended.map(({ index, bytes }) => ({ index, bytes }));
    this.#pending.push(...journaled);
    try {
      await Promise.all(journaled.map((each) => this.#journal.append(each)));
    } catch (error) {
      // Later entries would leave a gap, so this writer must stop.
      this.#failure ??= error;
      throw error;
    }
    this.#durable = Math.max(this.#durable, appended.at(-1)!.index + 1);
    const batch = this.#options.batch ?? BATCH;
    if (this.#durable >= this.#scheduled + batch) {
      this.#scheduled = this.#durable;
      void this.#schedule((size) => Math.floor(size / TILE_WIDTH) * TILE_WIDTH).catch(() => {});
    }
    if (this.#pending.length >= WAITING * batch) this.#held = this.#flushing;
    await this.#held;
    return appended;
  }

  /** Resolves once everything appended so far is in the log, under a signed checkpoint. */
  async flush(): Promise<void> {
    await this.#schedule((size) => size);
  }

  /** Closes the writer without writing. The next one continues with the journal. */
  async close(): Promise<void> {
    await this.#flushing;
    await this.#journal.close();
  }

  #schedule(until: (size: number) => number): Promise<void> {
    const flushed = this.#flushing.then(async () => {
      if (this.#failure) throw this.#failure;
      const size = until(this.#durable);
      if (size > this.#head.size) await this.#grow(size);
      await rememberHead(this.#options.state, this.#head.note);
      await this.#journal.release(this.#head.size);
    });
    this.#flushing = flushed.catch((error: unknown) => {
      this.#failure ??= error;
    });
    return flushed;
  }

  async #grow(size: number): Promise<void> {
    const { vault, conditional, signer, cosigner, now, lock, holds, onLocked } = this.#options;
    holds();
    await refuseReplaced(this.#present);
    const added = this.#pending.slice(0, size - this.#head.size).map(({ bytes }) => bytes);
    const bundles = await this.#bundles(size, added);
    const frontier = this.#frontier.clone();
    const tiles = frontier.append(added.map(leafHash));
    const locked = lockFor(lock.mode, lock.initial, now());
    let uncovered: Promise<void> | undefined;
    const refuseCovered = () => (uncovered ??= this.#refuseCovered());
    const onStored = (key: string, version: string): void => onLocked?.(key, version, locked.until);
    await writePieces([...bundles, ...tiles], { vault, conditional, lock: locked, holds, refuseCovered, onStored });
    const root = frontier.root();
    const signers = cosigner ? [signer, cosigner] : [signer];
    const note = Buffer.from(signCheckpoint({ origin: signer.name, size, root }, ...signers));
    const { etag, versionId } = await replaceCheckpoint(this.#present, note, locked);
    onStored(CHECKPOINT, versionId);
    this.#head = { origin: signer.name, size, root, note, etag, versionId };
    this.#frontier = frontier;
    this.#pending = this.#pending.slice(added.length);
  }

  /** The bundles that the log of `size` has and the current one does not. The first may begin with logged entries. */
  async #bundles(size: number, added: readonly Uint8Array[]): Promise<LogPiece[]> {
    const before = this.#head.size;
    const begun = this.#frontier.lastLeaves;
    if (this.#tail.length !== begun.length) {
      this.#tail = await this.log.bundle(Math.floor(before / TILE_WIDTH), before);
      if (!this.#tail.every((entry, position) => sameLeaf(entry, begun[position]!))) {
        throw new HoldfastError("unverified", "the audit log's last bundle does not match its tiles", {
          hint: "Run `holdfast verify` to see which object was changed. Its earlier versions are in the vault.",
        });
      }
    }
    const entries = [...this.#tail, ...added];
    const first = before - this.#tail.length;
    this.#tail = entries.slice(Math.floor(size / TILE_WIDTH) * TILE_WIDTH - first);
    return Array.from(newBundles(before, size), (bundle) => {
      const start = bundle.index * TILE_WIDTH - first;
      return { path: tilePath(bundle), bytes: encodeBundle(entries.slice(start, start + bundle.width)) };
    });
  }

  /** The next pieces have entries beyond the head: no checkpoint may cover them, whatever exists there. */
  async #refuseCovered(): Promise<void> {
    await refuseReplaced(this.#present);
    const largest = await this.log.largestSigned();
    if (largest <= this.#head.size) return;
    throw forked(`it had ${largest} entries in an earlier version of its checkpoint and now has ${this.#head.size}`);
  }
}
