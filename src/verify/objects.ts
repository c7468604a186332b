import { createHash } from "node:crypto";
import type { CatalogObject } from "../catalog/objects.ts";
import type { Clock } from "../core/clock.ts";
import { hasCode, ownError } from "../core/error.ts";
import { defaultRetry, retrying } from "../io/retry.ts";
import { parseRecord, type ReadRecord } from "../record/read.ts";
import type { Opener } from "../seal/open.ts";
import { parseKey } from "../vault/layout.ts";
import { covers } from "../vault/lock.ts";
import type { ObjectInfo, Vault } from "../vault/vault.ts";
import type { Problem } from "./problem.ts";

export interface ObjectCheck {
  readonly vault: Vault;
  readonly now: Clock;
  readonly signal: AbortSignal;
  /** Decrypts what is read, to check that it opens. */
  readonly opener?: Opener | undefined;
  /** Called with an object that is held, or locked for longer than promised. */
  readonly onMore: (key: string, info: ObjectInfo) => void;
  /** Called with a decrypted record's list of files, and with the digest of a decrypted file. */
  readonly onRecord: (record: ReadRecord, entry: number) => void;
  readonly onFile: (key: string, sha256: string) => void;
}

/** The largest sealed record, in bytes, that is parsed when opened. Of a larger one, only the digest is checked. */
const MAX_RECORD = 64 * 1024 ** 2;

/** What was read of an object's content. */
export interface Content {
  readonly bytes: number;
  /** A key was given, and it opens. */
  readonly opened: boolean;
}

const UNREAD: Content = { bytes: 0, opened: false };

/**
 * Asks the store about one object: it must exist, with its size and digest, locked as long as it must be. Returns what was
 * read.
 * @param isRead also reads and hashes its content
 */
export async function checkObject(
  check: ObjectCheck,
  promised: CatalogObject,
  isRead: boolean,
  problem: (found: Problem) => void,
): Promise<Content> {
  const { vault } = check;
  const { key, versionId, size, sha256, lockedUntil } = promised;
  try {
    const info = await vault.head(key, versionId);
    const whole = info.size === size;
    if (!whole) problem(of(promised, `has ${info.size} bytes instead of ${size}`));
    if (info.sha256 !== null && info.sha256 !== sha256) problem(of(promised, "its noted digest differs from the log"));
    checkLock(info, promised, check.now(), problem);
    const longer = info.lock && Temporal.Instant.compare(info.lock.until, Temporal.Instant.from(lockedUntil)) > 0;
    if (longer || info.hold) check.onMore(key, info);
    // A different size proves a different content, so it need not be read.
    if (!whole || !isRead) return UNREAD;
    const opened = await retrying(() => checkContent(check, promised, problem), defaultRetry, check.signal);
    return { bytes: size, opened };
  } catch (error) {
    if (!hasCode(error, "vault-missing", "malformed")) throw error;
    const isMissing = hasCode(error, "vault-missing");
    const what = isMissing ? "is missing" : "its metadata (digest and lock) is damaged";
    problem({ ...of(promised, what), ...(isMissing ? { isMissing } : {}) });
    return UNREAD;
  }
}

function of({ key, entry }: CatalogObject, what: string): Problem {
  return { key, ...(entry === null ? {} : { entry }), what };
}

function checkLock(
  info: ObjectInfo,
  promised: CatalogObject,
  now: Temporal.Instant,
  problem: (found: Problem) => void,
): void {
  const { lockedUntil, lockMode } = promised;
  const wanted = { mode: lockMode, until: Temporal.Instant.from(lockedUntil) };
  if (Temporal.Instant.compare(wanted.until, now) <= 0 || covers(info.lock, wanted)) return;
  const is = info.lock ? `locked in ${info.lock.mode} mode until ${info.lock.until}` : "not locked";
  problem({
    ...of(promised, `must be locked in ${wanted.mode} mode until ${lockedUntil}, but is ${is}`),
    lockDue: { versionId: promised.versionId, mode: wanted.mode, until: lockedUntil },
  });
}

/** Returns whether it was opened, with the key that was given. */
async function checkContent(
  { vault, opener, onRecord, onFile }: ObjectCheck,
  promised: CatalogObject,
  problem: (found: Problem) => void,
): Promise<boolean> {
  const { key, versionId, sha256, size, entry } = promised;
  const hash = createHash("sha256");
  const sealed = (async function* () {
    for await (const chunk of await vault.stream(key, versionId)) {
      hash.update(chunk);
      yield chunk;
    }
  })();
  const plain = createHash("sha256");
  const isRecord = parseKey(key)?.kind === "record";
  const record: Uint8Array[] = [];
  let opens = true;
  try {
    for await (const chunk of opener ? await opener.openStream(sealed) : sealed) {
      if (opener === undefined) continue;
      if (!isRecord) plain.update(chunk);
      else if (size <= MAX_RECORD) record.push(chunk);
    }
  } catch (error) {
    // A wrong key is not the vault's fault: the error goes to the person who gave it.
    if (!hasCode(error, "unverified")) throw error;
    opens = false;
    problem(of(promised, "does not decrypt"));
  }
  if (!opens) return false;
  if (hash.digest("hex") !== sha256) {
    problem(of(promised, "its content was changed"));
    return opener !== undefined;
  }
  if (opener === undefined) return false;
  if (!isRecord) onFile(key, plain.digest("hex"));
  else if (size <= MAX_RECORD && entry !== null) {
    try {
      onRecord(parseRecord(Buffer.concat(record)), entry);
    } catch (error) {
      const own = ownError(error);
      if (own?.code !== "malformed") throw error;
      problem(of(promised, own.message));
    }
  }
  return true;
}
