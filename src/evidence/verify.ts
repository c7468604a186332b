import PQueue from "p-queue";
import { decodeEntry, type Entry } from "../audit/entry.ts";
import type { AuditLog, Head } from "../audit/log.ts";
import type { Verifier } from "../audit/note.ts";
import { MAX_TILE, TILE_WIDTH, tilePath } from "../audit/tile.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { HoldfastError, hasCode } from "../error.ts";
import { auditKey } from "../vault/layout.ts";
import { checkpointHistory } from "./history.ts";
import { checkObject, type ObjectCheck, promisedBy } from "./objects.ts";
import type { Problem } from "./problem.ts";
import { findStrays, type Orphan } from "./strays.ts";
import { TreeCheck } from "./tree.ts";

export interface VerifyOptions extends ObjectCheck {
  readonly log: AuditLog;
  readonly head: Head;
  readonly verifiers: readonly Verifier[];
  /** Empty; filled on the way, and asked at the end what the log mentions. */
  readonly index: Catalog;
  /** Requests in flight. */
  readonly concurrency: number;
  /** Objects of earlier entries are left out; the log itself is always checked whole. */
  readonly since?: Temporal.Instant | undefined;
  readonly signal: AbortSignal;
  onProgress(entries: number, total: number, problems: number): void;
  onProblem(problem: Problem): void;
  onOrphan(orphan: Orphan): void;
}

export interface VerifyReport {
  readonly entries: number;
  /** Checkpoints that the vault keeps, the present one included. */
  readonly checkpoints: number;
  readonly records: number;
  readonly files: number;
  readonly bytes: number;
  /** Objects whose content was read, and its bytes. */
  readonly read: number;
  readonly readBytes: number;
  readonly orphans: number;
  readonly problems: number;
}

/** Bundles asked for ahead of the one being checked. */
const AHEAD = 4;

/**
 * Log against checkpoint: every entry is hashed into the tree, every tile and earlier checkpoint held against it, and
 * the root must be the one signed. Vault against log, both ways: every object an entry promises is there, of its size
 * and digest, locked as long as it must be, and neither hidden nor replaced. Streams; memory does not grow with the log.
 */
export async function verifyVault(options: VerifyOptions): Promise<VerifyReport> {
  const { vault, log, head, index, concurrency, signal } = options;
  const report = {
    entries: 0,
    checkpoints: 1,
    records: 0,
    files: 0,
    bytes: 0,
    read: 0,
    readBytes: 0,
    orphans: 0,
    problems: 0,
  };
  const problem = (found: Problem): void => {
    report.problems += 1;
    options.onProblem(found);
  };
  const checks = new Checks(concurrency);
  const earlier = await checkpointHistory(vault, head, options.verifiers, problem);
  report.checkpoints += earlier.length;
  const tree = new TreeCheck(log, head, earlier, problem);
  const since = options.since?.toString({ smallestUnit: "millisecond" }) ?? "";

  for await (const { bundle, entries } of bundles(log, head.size, problem)) {
    if (signal.aborted) throw new HoldfastError("interrupted", "verify was interrupted");
    for (const tile of await tree.add(bundle, entries)) await checks.add(() => checkTile(options, tile, problem));
    for (const [position, bytes] of (entries ?? []).entries()) {
      report.entries += 1;
      const at = bundle * TILE_WIDTH + position;
      const entry = readEntry(bytes, at, bundle, problem);
      if (entry?.type !== "record.stored" || entry.time < since) continue;
      report.records += 1;
      for (const promised of promisedBy(at, entry)) {
        if (promised.key !== entry.object.key) report.files += 1;
        report.bytes += promised.size;
        await checks.add(async () => {
          const read = await checkObject(options, promised, problem);
          report.read += read > 0 ? 1 : 0;
          report.readBytes += read;
        });
      }
    }
    index.applyKnown(bundle * TILE_WIDTH, entries ?? []);
    options.onProgress(report.entries, head.size, report.problems);
  }
  await checks.end();
  tree.end();
  await findStrays(vault, index, problem, (orphan) => {
    report.orphans += 1;
    options.onOrphan(orphan);
  });
  options.onProgress(report.entries, head.size, report.problems);
  return report;
}

/** The log's bundles in order, read ahead; `entries` is undefined where one is missing or does not parse. */
async function* bundles(log: AuditLog, size: number, problem: (found: Problem) => void) {
  const last = Math.ceil(size / TILE_WIDTH);
  const read = async (bundle: number): Promise<Uint8Array[] | undefined> => {
    try {
      return await log.bundle(bundle, size);
    } catch (error) {
      if (!hasCode(error, "vault-missing", "malformed")) throw error;
      const width = Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH);
      const key = auditKey(tilePath({ level: "entries", index: bundle, width }));
      problem({
        key,
        what: hasCode(error, "malformed") ? "the entry bundle does not parse" : "the entry bundle is missing",
      });
      return undefined;
    }
  };
  const asked: Promise<Uint8Array[] | undefined>[] = [];
  for (let bundle = 0; bundle < last; bundle++) {
    while (asked.length < AHEAD && bundle + asked.length < last) {
      const promise = read(bundle + asked.length);
      promise.catch(() => {});
      asked.push(promise);
    }
    yield { bundle, entries: await asked.shift()! };
  }
}

function readEntry(bytes: Uint8Array, entry: number, bundle: number, problem: (found: Problem) => void): Entry | null {
  try {
    return decodeEntry(bytes);
  } catch (error) {
    if (!hasCode(error, "malformed")) throw error;
    problem({ key: auditKey(`tile/entries (bundle ${bundle})`), entry, what: error.message });
    return null;
  }
}

/** A tile above the leaves must be one of those that entries or tiles below give. */
async function checkTile(
  { vault }: VerifyOptions,
  { key, bytes }: { key: string; bytes: readonly Uint8Array[] },
  problem: (found: Problem) => void,
): Promise<void> {
  try {
    const found = (await vault.read(key, MAX_TILE)).bytes;
    if (!bytes.some((expected) => Buffer.compare(expected, found) === 0)) {
      problem({ key, what: "the tile was changed: it does not match what is below it" });
    }
  } catch (error) {
    if (!hasCode(error, "vault-missing", "malformed")) throw error;
    problem({ key, what: hasCode(error, "malformed") ? "the tile has the wrong size" : "the tile is missing" });
  }
}

/** Checks under way: so many at once, a few more waiting. The first that cannot be made ends them all. */
class Checks {
  readonly #queue: PQueue;
  readonly #waiting: number;
  #failure: unknown;

  constructor(concurrency: number) {
    this.#queue = new PQueue({ concurrency });
    this.#waiting = concurrency * 4;
  }

  async add(work: () => Promise<void>): Promise<void> {
    if (this.#failure) throw this.#failure;
    void this.#queue.add(work).catch((error: unknown) => {
      this.#failure ??= error;
      this.#queue.clear();
    });
    await this.#queue.onSizeLessThan(this.#waiting);
  }

  async end(): Promise<void> {
    await this.#queue.onIdle();
    if (this.#failure) throw this.#failure;
  }
}
