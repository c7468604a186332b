import { createHash } from "node:crypto";
import type { CatalogNote } from "../catalog/notes.ts";
import { type ErrorCode, HoldfastError, ownError } from "../core/error.ts";
import type { Opener } from "../seal/open.ts";
import type { Vault } from "../vault/vault.ts";
import { MAX_NOTE, type Note, parseNote } from "./note.ts";

/** The words of a note that the log proves, or the reason why they are not shown. */
export type Opened =
  | { readonly case: string; readonly reason: string; readonly requestedBy?: string }
  | { readonly problem: string; readonly code: ErrorCode };

/** How many notes of one commitment to try: a large retrieval has one for each person. */
const TRIES = 3;

/**
 * Opens notes of one commitment until the words of one give this commitment. Undefined where the log names no note.
 * @param commits the commitment that the words of a note give, or undefined for words about something else
 */
export async function openNotes(
  { vault, opener }: { readonly vault: Vault; readonly opener: Opener },
  notes: readonly CatalogNote[],
  commits: (note: Note) => string | undefined,
): Promise<Opened | undefined> {
  let problem: Opened | undefined;
  for (const note of notes.slice(0, TRIES)) {
    try {
      const said = await openOne(vault, opener, note);
      if (said !== undefined && commits(said) === note.commitment) {
        const { case: number, reason } = said;
        return { case: number, reason, ...("requestedBy" in said ? { requestedBy: said.requestedBy } : {}) };
      }
      problem ??= { problem: "the note is not what the log commits to", code: "unverified" };
    } catch (error) {
      const own = ownError(error);
      const what = own && PROBLEMS[own.code];
      if (what === undefined) throw error;
      problem ??= { problem: what, code: own!.code };
    }
  }
  return problem;
}

/** Throws if a note does not match the log. A note sealed to another key proves nothing either way. */
export function refuseFalse(opened: readonly (Opened | undefined)[]): void {
  const count = opened.filter((each) => each !== undefined && "problem" in each && each.code !== "key").length;
  if (count === 0) return;
  throw new HoldfastError("unverified", `${count === 1 ? "1 note is" : `${count} notes are`} not as the log says`, {
    hint: "Run `holdfast verify`, and keep what you see as evidence.",
  });
}

const PROBLEMS: Readonly<Partial<Record<ErrorCode, string>>> = {
  "vault-missing": "the note is missing",
  key: "the note was not sealed to this key",
  unverified: "the note was changed: it does not decrypt",
  malformed: "the note is not one that Holdfast wrote",
};

/** Undefined where the stored bytes are not those in the log. */
async function openOne(
  vault: Vault,
  opener: Opener,
  { key, versionId, sha256 }: CatalogNote,
): Promise<Note | undefined> {
  const { bytes } = await vault.read(key, MAX_NOTE, versionId);
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) return undefined;
  return parseNote(await opener.open(bytes));
}
