import { createHash, randomInt } from "node:crypto";
import type { RecordStored } from "../audit/entry.ts";
import type { Clock } from "../clock.ts";
import { hasCode } from "../error.ts";
import { defaultRetry, retrying } from "../retry.ts";
import type { Opener } from "../seal/open.ts";
import { covers } from "../vault/lock.ts";
import type { Lock, ObjectInfo, Vault } from "../vault/vault.ts";
import type { Problem } from "./problem.ts";

/** An object as a log entry promises it. */
export interface Promised {
  readonly entry: number;
  readonly key: string;
  readonly versionId: string;
  readonly size: number;
  readonly sha256: string;
  readonly lockedUntil: string;
  readonly lockMode?: Lock["mode"] | undefined;
}

/** What was stored with this version; files that came with an earlier one were promised there. */
export function* promisedBy(
  entry: number,
  { object, files, lockedUntil, lockMode }: RecordStored,
): Generator<Promised> {
  for (const file of files) if (file.storedWith === undefined) yield { entry, ...file, lockMode };
  yield { entry, ...object, lockedUntil, lockMode };
}

export interface ObjectCheck {
  readonly vault: Vault;
  readonly now: Clock;
  /** Share of the objects, 0 to 100, whose content is read and hashed: a sample nobody can foresee. */
  readonly readData: number;
  readonly signal: AbortSignal;
  /** Decrypts what is read, to see that it opens. */
  readonly opener?: Opener | undefined;
  /** Told of what is locked for longer than was promised, or held. */
  readonly onMore: (key: string, info: ObjectInfo) => void;
}

/** There, of its size and digest, locked as long as it must be. Gives the bytes that were read. */
export async function checkObject(
  check: ObjectCheck,
  promised: Promised,
  problem: (found: Problem) => void,
): Promise<number> {
  const { vault, now, readData } = check;
  const { entry, key, versionId, size, sha256, lockedUntil, lockMode } = promised;
  try {
    const info = await vault.head(key, versionId);
    const whole = info.size === size;
    if (!whole) problem({ key, entry, what: `has ${info.size} bytes; ${size} were stored` });
    if (info.sha256 !== null && info.sha256 !== sha256) problem({ key, entry, what: "its noted digest is another" });
    checkLock(info, { entry, key, lockedUntil, lockMode }, now, problem);
    const longer = info.lock && Temporal.Instant.compare(info.lock.until, Temporal.Instant.from(lockedUntil)) > 0;
    if (longer || info.hold) check.onMore(key, info);
    // What has another size is another content, however long it is.
    if (!whole || readData === 0 || randomInt(0, 1_000_000) >= readData * 10_000) return 0;
    await retrying(() => checkContent(check, promised, problem), defaultRetry, check.signal);
    return size;
  } catch (error) {
    if (!hasCode(error, "vault-missing", "malformed")) throw error;
    const isMissing = hasCode(error, "vault-missing");
    const what = isMissing ? "is missing" : "its note of digest and lock is damaged";
    problem({ key, entry, what, ...(isMissing ? { isMissing } : {}) });
    return 0;
  }
}

/** An object whose lock was extended: in place, as long as the log says. That it is there, its own entry is held to. */
export async function checkExtended(
  { vault, now }: Pick<ObjectCheck, "vault" | "now">,
  promised: Pick<Promised, "entry" | "key" | "versionId" | "lockedUntil" | "lockMode">,
  problem: (found: Problem) => void,
): Promise<void> {
  try {
    checkLock(await vault.head(promised.key, promised.versionId), promised, now, problem);
  } catch (error) {
    if (!hasCode(error, "vault-missing", "malformed")) throw error;
    const { key, entry } = promised;
    const what = "is missing, or its note of digest and lock is damaged";
    problem({ key, entry, what, ...(hasCode(error, "vault-missing") ? { isMissing: true } : {}) });
  }
}

function checkLock(
  info: ObjectInfo,
  { entry, key, lockedUntil, lockMode }: Pick<Promised, "entry" | "key" | "lockedUntil" | "lockMode">,
  now: Clock,
  problem: (found: Problem) => void,
): void {
  const wanted = { mode: lockMode ?? "governance", until: Temporal.Instant.from(lockedUntil) } as const;
  if (Temporal.Instant.compare(wanted.until, now()) <= 0 || covers(info.lock, wanted)) return;
  const is = info.lock ? `in ${info.lock.mode} until ${info.lock.until}` : "not locked";
  problem({ key, entry, what: `must be locked in ${wanted.mode} until ${lockedUntil}, and is ${is}` });
}

async function checkContent(
  { vault, opener }: ObjectCheck,
  { entry, key, versionId, sha256 }: Promised,
  problem: (found: Problem) => void,
): Promise<void> {
  const hash = createHash("sha256");
  const sealed = (async function* () {
    for await (const chunk of await vault.stream(key, versionId)) {
      hash.update(chunk);
      yield chunk;
    }
  })();
  let opens = true;
  try {
    for await (const _ of opener ? await opener.openStream(sealed) : sealed);
  } catch (error) {
    // A key that does not fit is no fault of the vault's: whoever gave it is told.
    if (!hasCode(error, "unverified")) throw error;
    opens = false;
    problem({ key, entry, what: "does not decrypt" });
  }
  if (opens && hash.digest("hex") !== sha256) problem({ key, entry, what: "its content was changed" });
}
