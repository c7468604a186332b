import { randomInt } from "node:crypto";
import type { Catalog } from "../catalog/catalog.ts";
import type { CatalogObject } from "../catalog/objects.ts";
import { HoldfastError } from "../core/error.ts";
import type { Superseded } from "../retention/superseded.ts";
import { parseKey } from "../vault/layout.ts";
import type { Checks } from "./checks.ts";
import { type Expected, expectedUnder, PREFIXES } from "./expected.ts";
import type { Inventory } from "./inventory.ts";
import type { LockTurns } from "./lock-turns.ts";
import { type Match, merge } from "./merge.ts";
import { type Content, checkObject, type ObjectCheck } from "./objects.ts";
import type { Problem } from "./problem.ts";
import { checkPurged, checkRemains, checkSeen, type Orphan, type UnloggedCheck } from "./unlogged-versions.ts";

/** What a pass over the vault counts. */
export interface VaultTally {
  records: number;
  files: number;
  /** Sealed notes: words of holds and retrievals. */
  notes: number;
  bytes: number;
  /** Of the records and files, those that are missing or differ from the log. */
  recordsFaulty: number;
  filesFaulty: number;
  /** Objects whose content was read, and their bytes. */
  read: number;
  readBytes: number;
  /** Of these, the ones that the key opened; null where no key was given. */
  opened: number | null;
  /** Lost or damaged objects that a later entry stored again under the same key. */
  renewed: number;
  /** Objects that a purge removed, according to the log. */
  purged: number;
  orphans: number;
  /** Versions still in the vault whose key a later entry stored again. */
  superseded: number;
  /** Objects that are there as logged, though the store's listing leaves them out or gives them another size. */
  unlisted: number;
  /** Records, files and notes about which the store was asked, for lock and noted digest. */
  looked: number;
  /** Those whose lock an inventory confirmed instead. */
  inventoried: number;
}

export interface VaultPass extends ObjectCheck {
  readonly index: Catalog;
  readonly superseded: Superseded;
  readonly checks: Checks;
  /** Whose lock is looked at. All are if that costs no request. */
  readonly turns: LockTurns;
  /** The percentage of objects, 0 to 100, whose content is read and hashed: a sample that no one can predict. */
  readonly readData: number;
  /** Locks as an inventory has them: then the store is asked only about those that it does not confirm. */
  readonly inventory?: Inventory | undefined;
  /** Objects of earlier entries are skipped. */
  readonly since?: Temporal.Instant | undefined;
  readonly tally: VaultTally;
  readonly onObject: () => void;
  readonly problem: (found: Problem) => void;
  readonly orphan: (found: Orphan) => void;
}

/**
 * Compares the vault with the log in one pass over the store's listing, in both directions: every object that the log names
 * must be there, neither hidden nor replaced; and what no entry names is found. A version that hides or replaces one in the
 * log is a problem. One that the log never mentions is an orphan, which is harmless. One that an earlier entry stored is
 * superseded. A listing proves no loss: what it leaves out is asked for, one by one.
 */
export async function compareVault(pass: VaultPass): Promise<void> {
  const { vault, index, superseded, checks, signal, tally } = pass;
  const unlogged: UnloggedCheck = {
    ...pass,
    orphan: (found) => {
      tally.orphans += 1;
      pass.orphan(found);
    },
  };
  const objects = new ObjectPass(pass);
  const isUnsure = ({ seen }: Match, { versionId }: CatalogObject): boolean =>
    vault.view !== undefined || seen?.deleteMarker !== false || seen.versionId !== versionId;
  for (const prefix of PREFIXES) {
    const other = ({ key, versionId, size }: Orphan): void => {
      // The note was purged: that it is there is a problem, told with its key.
      if (index.notes.get(key)?.versionId !== versionId) unlogged.orphan({ key, versionId, size });
    };
    for await (const match of merge(expectedUnder(prefix, index, superseded), vault.versions(prefix), other)) {
      if (signal.aborted) throw new HoldfastError("interrupted", "verify was interrupted");
      checkPurged(unlogged, match);
      const { present } = match.expected ?? {};
      if (present !== undefined && match.listed.has(present.versionId) && isUnsure(match, present))
        await checks.add(() => checkSeen(unlogged, match, present.versionId));
      if (match.expected) await objects.check(match, match.expected);
    }
    await checks.end();
    await checkRemains(unlogged, prefix, signal);
  }
}

type Ask = (problem: (found: Problem) => void, onRead?: (read: Content) => void) => Promise<void>;

/** Checks what the log says of each key. */
class ObjectPass {
  readonly #pass: VaultPass;
  /** For versions that are not the current one of their key, whose files no record describes. */
  readonly #former: ObjectCheck;
  readonly #from: string;

  constructor(pass: VaultPass) {
    this.#pass = pass;
    this.#former = { ...pass, onRecord: () => {}, onFile: () => {} };
    this.#from = pass.since?.toString({ smallestUnit: "millisecond" }) ?? "";
  }

  async check(match: Match, { present, former }: Expected): Promise<void> {
    if (present) {
      if (parseKey(present.key) === null) await this.#note(match, present);
      else await this.#present(match, present);
    }
    for (const object of former) {
      if (object.versionId !== present?.versionId) await this.#superseded(match, object);
      // Logged again later, perhaps with a shorter lock: the first promise still counts.
      else if (present.lockedUntil < object.lockedUntil || present.lockMode !== object.lockMode)
        await this.#promisedBefore(match, { ...present, lockedUntil: object.lockedUntil, lockMode: object.lockMode });
    }
  }

  async #present(match: Match, object: CatalogObject): Promise<void> {
    const { tally, index, problem, onObject, turns } = this.#pass;
    onObject();
    if (this.#isOld(object)) return;
    const kind = parseKey(object.key)?.kind === "record" ? "records" : "files";
    tally[kind] += 1;
    tally.bytes += object.size;
    const ask = this.#asks(match, object, this.#pass);
    if (ask === undefined) return;
    let isFaulty = false;
    tally.looked += 1;
    await ask(
      (found) => {
        if (found.isMissing && index.purges.stateOf(object.key) === "begun") tally.purged += 1;
        else {
          if (!isFaulty) tally[`${kind}Faulty`] += 1;
          isFaulty = true;
          turns.noteFault(object.key);
          problem(found);
        }
      },
      (read) => {
        tally.read += read.bytes > 0 ? 1 : 0;
        tally.readBytes += read.bytes;
        if (tally.opened !== null && read.opened) tally.opened += 1;
      },
    );
  }

  /** A note about a person of whom nothing is left may be gone. */
  async #note(match: Match, object: CatalogObject): Promise<void> {
    const { tally, index, problem, turns } = this.#pass;
    if (this.#isOld(object)) return;
    tally.notes += 1;
    const ask = this.#asks(match, object, { ...this.#former, onMore: () => {} });
    if (ask === undefined) return;
    tally.looked += 1;
    const mayBeGone = index.notes.get(object.key)?.state === "free";
    await ask((found) => {
      if (found.isMissing && mayBeGone) return;
      turns.noteFault(object.key);
      problem(found);
    });
  }

  async #superseded(match: Match, object: CatalogObject): Promise<void> {
    const { tally } = this.#pass;
    if (match.listed.has(object.versionId)) tally.superseded += 1;
    if (this.#isOld(object)) return;
    let isWell = true;
    await this.#asks(
      match,
      object,
      this.#former,
    )?.(() => {
      if (isWell) tally.renewed += 1;
      isWell = false;
    });
  }

  /** The same version as the present one, with what an earlier entry promised of its lock. */
  async #promisedBefore(match: Match, object: CatalogObject): Promise<void> {
    if (this.#isOld(object)) return;
    const { problem, turns } = this.#pass;
    await this.#asks(
      match,
      object,
      this.#former,
      false,
    )?.((found) => {
      turns.noteFault(object.key);
      problem(found);
    });
  }

  /**
   * How the store is asked about an object; undefined if its listing is enough: it has this version, with the logged size,
   * and it is not the object's turn to have its lock looked at. Asking tells whether only the listing was wrong.
   */
  #asks(match: Match, object: CatalogObject, check: ObjectCheck, mayRead = true): Ask | undefined {
    const { vault, checks, tally } = this.#pass;
    const isListed = match.listed.get(object.versionId) === object.size;
    const isRead = mayRead && this.#isRead();
    if (isListed && !isRead && vault.isLocal !== true && !this.#isDue(object)) return undefined;
    return async (problem, onRead) =>
      checks.add(async () => {
        let differs = false;
        const read = await checkObject(check, object, isRead, (found) => {
          differs = true;
          problem(found);
        });
        if (!differs && !isListed) tally.unlisted += 1;
        onRead?.(read);
      });
  }

  #isDue(object: CatalogObject): boolean {
    const { inventory, turns, tally } = this.#pass;
    if (inventory === undefined) return turns.isDue(object);
    if (turns.wasFaulty(object.key) || !inventory.confirms(object)) return true;
    tally.inventoried += 1;
    return false;
  }

  #isOld({ stored }: CatalogObject): boolean {
    return stored !== null && stored < this.#from;
  }

  #isRead(): boolean {
    return randomInt(0, 1_000_000) < this.#pass.readData * 10_000;
  }
}
