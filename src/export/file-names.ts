import type { FileRef } from "../core/identity.ts";
import type { Tokens } from "../record/tokens.ts";
import { fileKey } from "../vault/layout.ts";

/** A file in the provider's list, and its key in the vault. */
export interface NamedFile {
  readonly ref: FileRef;
  readonly key: string;
  /** Its key in earlier versions of Holdfast. */
  readonly former: string;
  /** Whether another file of the list has the same `former` key: then the bytes there could belong to either. */
  readonly isFormerShared: boolean;
}

/** The provider's list without duplicates: lines with the same resource, id and time are one file. */
export function nameFiles(subject: string, refs: readonly FileRef[], tokens: Tokens): NamedFile[] {
  const named = new Map<string, FileRef>();
  for (const ref of refs) {
    const key = fileKey(subject, tokens.file(ref.resource, ref.id, ref.updated));
    if (!named.has(key)) named.set(key, ref);
  }
  const formers = new Map<string, number>();
  const files = [...named].map(([key, ref]) => {
    const former = fileKey(subject, tokens.formerFile(ref.id, ref.updated));
    formers.set(former, (formers.get(former) ?? 0) + 1);
    return { ref, key, former };
  });
  return files.map((file) => ({ ...file, isFormerShared: formers.get(file.former)! > 1 }));
}
