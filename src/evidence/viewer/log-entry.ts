import { openCheckpoint } from "../../audit/checkpoint.ts";
import { leafHash, verifyInclusion } from "../../audit/merkle.ts";
import type { Verifier } from "../../audit/note.ts";
import { parseProof } from "../../audit/proof.ts";
import { HoldfastError } from "../../error.ts";
import { entryPath, proofPath } from "../bag/layout.ts";
import type { BagFile } from "./bag-file.ts";
import { type Problem, wordsOf } from "./finding.ts";
import { Json } from "./json.ts";
import { readSmall } from "./manifest.ts";

/** One line of the audit log as the bag has it. */
export interface LogEntry {
  readonly index: number;
  readonly type: string;
  readonly time: string;
  readonly run: string;
  readonly json: Json;
  /** Why the log is not shown to hold this line; null where it is. */
  readonly unproven: string | null;
}

const MAX_ENTRY = 65_535;
const MAX_PROOF_FILE = 2_000_000;

/** Reads and proves one entry. `checkpoint`: the text of the checkpoint that the proof must lead to. A line that cannot be read is null. */
export async function readEntry(
  files: ReadonlyMap<string, BagFile>,
  index: number,
  verifier: Verifier | null,
  checkpoint: string,
): Promise<{ entry: LogEntry | null; problems: Problem[] }> {
  const path = entryPath(index);
  const file = files.get(path);
  if (file === undefined) return { entry: null, problems: [{ path, words: "Missing: a line of the audit log." }] };
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
    const unproven = await whyUnproven(files.get(proofPath(index)), bytes, index, verifier, checkpoint);
    const problems = unproven === null ? [] : [{ path: proofPath(index), words: unproven }];
    return { entry: { ...head, unproven }, problems };
  } catch (error) {
    return { entry: null, problems: [{ path, words: wordsOf(error) }] };
  }
}

async function whyUnproven(
  file: BagFile | undefined,
  entry: Uint8Array,
  index: number,
  verifier: Verifier | null,
  checkpoint: string,
): Promise<string | null> {
  if (verifier === null) return "There is no key to check it with.";
  if (file === undefined) return "Missing: the proof that the log holds this line.";
  try {
    const proof = parseProof(await readSmall(file, MAX_PROOF_FILE));
    if (proof.index !== index) throw new HoldfastError("unverified", "This is the proof of another line.");
    if (proof.checkpoint !== checkpoint)
      throw new HoldfastError("unverified", "It leads to another checkpoint than the bag's.");
    const { size, root } = openCheckpoint(proof.checkpoint, verifier.name, [verifier]);
    verifyInclusion(leafHash(entry), index, size, proof.hashes, root);
    return null;
  } catch (error) {
    return wordsOf(error);
  }
}
