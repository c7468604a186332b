import { createHash } from "node:crypto";
import { pMapIterable } from "p-map";
import { openCheckpoint } from "../audit/checkpoint.ts";
import type { Head } from "../audit/log.ts";
import { MAX_SIGNED_NOTE, openNote, type Verifier } from "../audit/note.ts";
import { hasCode } from "../core/error.ts";
import { CHECKPOINT } from "../vault/layout.ts";
import type { Vault } from "../vault/vault.ts";
import type { Problem } from "./problem.ts";

/** An earlier head of the log. The current one must continue it. */
export interface Earlier {
  readonly size: number;
  readonly root: Uint8Array;
  /** Where it is from: `version 00000003`. */
  readonly source: string;
}

/** An earlier head that the vault keeps. */
export interface KeptCheckpoint extends Earlier {
  /** The log keys that signed it, as verifier keys. */
  readonly signers: readonly string[];
  /** SHA-256 of the note, hex. */
  readonly sha256: string;
}

/** Versions read at once. */
const AT_ONCE = 8;

/**
 * The checkpoints that the vault keeps behind the current one, smallest first: the store's own memory of the log. Only
 * signed ones are evidence. A version that does not verify, or that is larger than a later one, is a problem.
 */
export async function checkpointHistory(
  vault: Vault,
  head: Head,
  verifiers: readonly Verifier[],
  problem: (found: Problem) => void,
): Promise<KeptCheckpoint[]> {
  const found: KeptCheckpoint[] = [];
  let newer = head.size;
  const opened = pMapIterable(
    behind(vault, head, problem),
    async (versionId) => {
      return { versionId, earlier: await openVersion(vault, head.origin, verifiers, versionId) };
    },
    { concurrency: AT_ONCE },
  );
  for await (const { versionId, earlier } of opened) {
    const source = `version ${versionId}`;
    if (earlier === undefined) {
      problem({ key: CHECKPOINT, what: `${source} is not a checkpoint signed by the log's key` });
      continue;
    }
    const { size, root, signers, sha256 } = earlier;
    if (size <= newer) newer = size;
    else
      problem({
        key: CHECKPOINT,
        what: `${source} has ${size} entries, but a later one has ${newer}: the log was cut short`,
      });
    if (size <= head.size) found.push({ size, root, source, signers, sha256 });
  }
  return found.sort((a, b) => a.size - b.size);
}

/**
 * The versions behind the head, newest first. Versions before it in the listing were written since, by a running job.
 */
async function* behind(vault: Vault, head: Head, problem: (found: Problem) => void): AsyncGenerator<string> {
  let passed = false;
  for await (const { key, versionId, deleteMarker } of vault.versions(CHECKPOINT)) {
    if (key !== CHECKPOINT) continue;
    if (deleteMarker) problem({ key, what: "was hidden by a delete marker" });
    else if (versionId === head.versionId) passed = true;
    else if (passed) yield versionId;
  }
  if (!passed) problem({ key: CHECKPOINT, what: `version ${head.versionId} was read but is not listed` });
}

async function openVersion(vault: Vault, origin: string, verifiers: readonly Verifier[], versionId: string) {
  try {
    const { bytes } = await vault.read(CHECKPOINT, MAX_SIGNED_NOTE, versionId);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return { ...openCheckpoint(bytes, origin, verifiers), signers: signersOf(bytes, verifiers), sha256 };
  } catch (error) {
    if (hasCode(error, "malformed", "unverified", "vault-missing")) return undefined;
    throw error;
  }
}

/** Which of these keys signed a note, as verifier keys. */
export function signersOf(note: Uint8Array, verifiers: readonly Verifier[]): string[] {
  const signed = new Set(openNote(note, verifiers).verified.map(({ id }) => id));
  return verifiers.filter(({ id }) => signed.has(id)).map(({ vkey }) => vkey);
}
