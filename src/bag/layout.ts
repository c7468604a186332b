import { BAG_INFO, MANIFEST, TAG_MANIFEST } from "./bagit.ts";

/** Where things lie in a bag (docs/FORMAT.md, section 14), besides what BagIt says. */
export const README = "README.txt";
/** The page that opens a bag in a browser. */
export const VIEWER = "viewer.html";
export const NOTE = "tagmanifest-sha256.txt.note";
export const CHECKPOINT = "evidence/checkpoint";
/** Of that checkpoint, where a time-stamping authority answered. */
export const TIMESTAMP = "evidence/checkpoint.tsr";
export const VAULT = "evidence/vault.json";
export const RETRIEVAL = "evidence/retrieval.json";
/** What a second person approved, to the byte, and their signature over it; where the client asks for approval. */
export const REQUEST = "evidence/request.json";
export const APPROVAL = "evidence/request.sig";

/** Of a bag that was handed on: to whom, and what each object was and is. */
export const RESEAL = "reseal.json";
/** What of a bag changes with its payload when it is handed on; everything else stays, to the byte. */
export const REWRITTEN: readonly string[] = [BAG_INFO, MANIFEST, TAG_MANIFEST, NOTE];
/** What the bag had in the place of these before. */
export const originalPath = (path: string): string => `original/${path}`;
/** The header that an object had in the vault. */
export const headerPath = (key: string): string => `original/headers/${key}`;

/** An object of the vault, by its key there. */
export const dataPath = (key: string): string => `data/${key}`;
/** The other way: of a path below `data/`. */
export const keyOf = (path: string): string => path.slice(dataPath("").length);
export const entryPath = (index: number): string => `evidence/entries/${index}.json`;
export const proofPath = (index: number): string => `evidence/proofs/${index}.tlog-proof`;

/** What is signed of a bag: the log's name, and the digest of its tag manifest, which covers all else. */
export function bagNoteText(origin: string, sha256: string): string {
  return `${origin}/bag\n${Buffer.from(sha256, "hex").toString("base64")}\n`;
}
