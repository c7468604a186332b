import { createReadStream } from "node:fs";
import { rename } from "node:fs/promises";
import { HoldfastError, hasCode, ownError } from "../core/error.ts";
import { writeDurable } from "../io/durable-file.ts";
import { makePrivateFolder } from "../io/private-folder.ts";
import { lastSeenIn } from "../vault/former.ts";
import { CHECKPOINT } from "../vault/layout.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { state } from "./journal.ts";
import type { AuditLog, Head } from "./log.ts";
import { verifyConsistency } from "./merkle.ts";
import { MAX_SIGNED_NOTE, type Verifier } from "./note.ts";
import { consistencyProof } from "./proof.ts";

/** Must be durable before the journal deletes what the checkpoint covers. */
export async function rememberHead(folder: string, note: Uint8Array): Promise<void> {
  await state("write the checkpoint that this machine saw last,", lastSeenIn(folder), async () => {
    makePrivateFolder(folder);
    const temporary = `${lastSeenIn(folder)}.new`;
    await writeDurable(temporary, note, "replace");
    await rename(temporary, lastSeenIn(folder));
  });
}

/** A head that this machine saw before, and the file that has it. */
interface Seen {
  readonly path: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * The last head that this machine saw, or undefined. Throws `malformed` or `unverified` if the local file was changed,
 * `forked` if the vault's log is now shorter, or as long but different.
 */
export async function lastSeenHead(
  folder: string,
  log: Pick<AuditLog, "origin" | "verifiers">,
  head: Pick<Head, "size" | "root">,
): Promise<Seen | undefined> {
  const seen = await readSeen(folder, log);
  if (seen) refuseShorter(seen, head);
  return seen;
}

async function readSeen(
  folder: string,
  { origin, verifiers }: Pick<AuditLog, "origin" | "verifiers">,
): Promise<Seen | undefined> {
  const path = lastSeenIn(folder);
  const note = await state("read the checkpoint that this machine saw last,", path, async () => {
    return readBounded(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
  });
  if (note === null) return undefined;
  const { size, root } = openSeen(path, note, origin, verifiers);
  return { path, size, root };
}

function refuseShorter(seen: Seen, head: Pick<Head, "size" | "root">): void {
  const { path, size } = seen;
  if (size > head.size)
    throw forked(`it had ${size} entries when this machine last saw it (${path}) and now has ${head.size}`);
  if (size === head.size && Buffer.compare(seen.root, head.root) !== 0)
    throw forked(`its ${size} entries are not the ones this machine saw (${path})`);
}

/** Whether the checkpoint that this machine saw last was signed by this key. False where it saw none. */
export async function wasSeenUnder(folder: string, origin: string, verifier: Verifier): Promise<boolean> {
  try {
    openCheckpoint(await readBounded(lastSeenIn(folder)), origin, [verifier]);
    return true;
  } catch {
    // There is no checkpoint, or it is not signed with this key.
    return false;
  }
}

/** Reads one byte more than the largest note at most. parseNote then refuses it. */
async function readBounded(path: string): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(createReadStream(path, { end: MAX_SIGNED_NOTE })));
}

function openSeen(path: string, note: Uint8Array, origin: string, verifiers: readonly Verifier[]) {
  try {
    return openCheckpoint(note, origin, verifiers);
  } catch (error) {
    const own = ownError(error);
    if (!own || !hasCode(own, "malformed", "unverified")) throw error;
    throw new HoldfastError(own.code, `${path}, the last checkpoint that this machine saw: ${own.message}`, {
      cause: error,
      hint: "Either this file was changed, or the vault has another key. Compare vault.json with what init printed. If they match, copy this file and move it away.",
    });
  }
}

/**
 * Checks that the vault's log continues the one this machine last saw: no one may truncate or rewrite it. Gives the
 * number of entries it had then, or undefined if this machine never saw it.
 */
export async function checkAgainstLastSeen(folder: string, log: AuditLog, head: Head): Promise<number | undefined> {
  const seen = await readSeen(folder, log);
  if (seen === undefined) return undefined;
  await refuseRewritten(seen, log, head);
  return seen.size;
}

/**
 * The log's head, checked like `checkAgainstLastSeen`, for a reader beside a running export: what this machine saw is
 * read first, because the export moves both on.
 */
export async function headAfterLastSeen(folder: string, log: AuditLog): Promise<Head> {
  const seen = await readSeen(folder, log);
  const head = await log.head();
  if (seen) await refuseRewritten(seen, log, head);
  return head;
}

async function refuseRewritten(seen: Seen, log: AuditLog, head: Head): Promise<void> {
  refuseShorter(seen, head);
  try {
    verifyConsistency(
      seen.size,
      seen.root,
      head.size,
      head.root,
      await consistencyProof(seen.size, head.size, log.tile),
    );
  } catch (error) {
    if (hasCode(error, "unverified")) throw forked(`its first ${seen.size} entries are not the ones this machine saw`);
    throw error;
  }
}

export function forked(what: string): HoldfastError {
  return new HoldfastError(
    "forked",
    `the audit log in the vault (${CHECKPOINT}) is not the one this machine knows: ${what}`,
    {
      hint: "Stop every export to this vault. Compare the versions of audit/checkpoint in the vault with the state directory: either there was another writer, or someone replaced the log. Keep both sides: they are evidence.",
    },
  );
}
