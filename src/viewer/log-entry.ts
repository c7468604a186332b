import { openCheckpoint } from "../audit/checkpoint.ts";
import { leafHash, verifyInclusion } from "../audit/merkle.ts";
import type { Verifier } from "../audit/note.ts";
import { parseProof } from "../audit/proof.ts";
import { entryPath, proofPath } from "../bag/layout.ts";
import { HoldfastError } from "../core/error.ts";
import { type BagFile, readSmall } from "./bag-file.ts";
import type { Findings } from "./finding.ts";
import { Json } from "./json.ts";

/** One line of the audit log as the bag has it. */
export interface ShownEntry {
  readonly index: number;
  readonly type: string;
  readonly time: string;
  readonly run: string;
  readonly json: Json;
  /** Why the log is not shown to hold this line; null where it is. */
  readonly unproven: string | null;
  /** That is only because something could not be read here. */
  readonly unchecked: boolean;
}

const MAX_ENTRY = 65_535;
const MAX_PROOF_FILE = 2_000_000;

/** What lines are proven with; null for what could not be read. */
export interface Proving {
  readonly verifier: Verifier | null;
  /** The text of the checkpoint that every proof must lead to. */
  readonly checkpoint: string | null;
}

/** Reads and proves one entry; `failed` where it cannot be read at all. */
export async function readEntry(
  files: ReadonlyMap<string, BagFile>,
  index: number,
  proving: Proving,
  findings: Findings,
): Promise<{ entry: ShownEntry; failed?: never } | { entry: null; failed: "bad" | "unchecked" }> {
  const path = entryPath(index);
  const file = files.get(path);
  if (file === undefined) {
    findings.wrong(path, "Missing: a line of the audit log.");
    return { entry: null, failed: "bad" };
  }
  try {
    const bytes = await readSmall(file, MAX_ENTRY);
    const json = Json.parse(bytes, "The line of the log");
    const head = {
      index,
      type: json.member("type").text(500),
      time: json.member("time").text(40),
      run: json.member("run").text(500),
      json,
    };
    const proof = files.get(proofPath(index));
    const { failed, words } = await findings.attempt(proofPath(index), () => prove(proof, bytes, index, proving));
    return { entry: { ...head, unproven: words, unchecked: failed === "unchecked" } };
  } catch (error) {
    return { entry: null, failed: findings.note(path, error) };
  }
}

async function prove(
  file: BagFile | undefined,
  entry: Uint8Array,
  index: number,
  { verifier, checkpoint }: Proving,
): Promise<void> {
  if (file === undefined) throw new HoldfastError("incomplete", "Missing: the proof that the log holds this line.");
  const proof = parseProof(await readSmall(file, MAX_PROOF_FILE));
  if (proof.index !== index) throw new HoldfastError("unverified", "This is the proof of a different line.");
  if (verifier === null || checkpoint === null)
    throw new HoldfastError(
      "state",
      "The log's key or its signed state could not be read here, so this line cannot be checked.",
    );
  if (proof.checkpoint !== checkpoint)
    throw new HoldfastError("unverified", "The proof leads to a different state of the log than the one in the bag.");
  const { size, root } = openCheckpoint(proof.checkpoint, verifier.name, [verifier]);
  verifyInclusion(leafHash(entry), index, size, proof.hashes, root);
}
