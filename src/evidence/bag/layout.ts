/** Where things lie in a bag (docs/FORMAT.md, section 14), besides what BagIt says. */
export const README = "README.txt";
export const NOTE = "tagmanifest-sha256.txt.note";
export const CHECKPOINT = "evidence/checkpoint";
export const VAULT = "evidence/vault.json";
export const RETRIEVAL = "evidence/retrieval.json";

/** An object of the vault, by its key there. */
export const dataPath = (key: string): string => `data/${key}`;
export const entryPath = (index: number): string => `evidence/entries/${index}.json`;
export const proofPath = (index: number): string => `evidence/proofs/${index}.tlog-proof`;
