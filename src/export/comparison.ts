import type { Tokens } from "../record/tokens.ts";
import type { Dossier } from "../source/source.ts";
import { type NamedFile, nameFiles } from "./file-names.ts";
import type { Kept } from "./kept.ts";

/** A dossier against what the vault holds of the same identity. */
export interface Comparison {
  readonly version: string;
  /** What the list says, if the dossier shows it: the name of the version in record/1. */
  readonly listed: string | undefined;
  /** The version that the same answers are once the config leaves some out. Undefined if it is no other. */
  readonly base: string | undefined;
  readonly files: readonly NamedFile[];
  /** Whether the newest version in the vault has this content, under this version or as a record/1. */
  readonly isNewest: boolean;
  readonly isRecord1: boolean;
  readonly wasPurged: boolean;
}

export function compare(dossier: Dossier, subject: string, kept: Kept, tokens: Tokens): Comparison {
  const { updated } = dossier.identity;
  const version = tokens.version(updated, dossier.content);
  const listed =
    dossier.listed === undefined ? undefined : tokens.listed(dossier.listedUpdated ?? updated, dossier.listed);
  const without = dossier.base === undefined ? version : tokens.version(updated, dossier.base);
  const base = without === version ? undefined : without;
  const files = nameFiles(subject, dossier.files, tokens);
  const isRecord1 = isStillRecord1(kept, listed, version, files);
  return {
    version,
    listed,
    base,
    files,
    isRecord1,
    // That the config leaves something out since then changes nothing about the person.
    isNewest: (isRecord1 || kept.known?.version === version || kept.known?.base === version) && !isBack(kept, dossier),
    // That the config leaves something out, or no longer does, brings no one back.
    wasPurged: [version, base, listed].some((name) => name !== undefined && kept.wasPurged(name)),
  };
}

/** Whether someone whom the log has as redacted has personal data again. The log must say so: it names them as gone. */
function isBack({ known }: Kept, { redacted }: Dossier): boolean {
  return known?.gone === "redacted" && !redacted;
}

/**
 * Whether the newest kept version is a record/1 whose identity the provider describes as then. Its name says nothing
 * about the other answers, so what they said when this was first seen counts, and that no file has come since.
 */
function isStillRecord1(
  { known, file, wasFilePurged }: Kept,
  listed: string | undefined,
  version: string,
  files: readonly NamedFile[],
): boolean {
  if (!known || known.version !== listed) return false;
  if (known.content !== null) return known.content === version;
  const isThere = (key: string): boolean => file(key) !== undefined || wasFilePurged(key);
  return files.filter(({ key, former }) => !isThere(key) && !isThere(former)).length <= known.withheld;
}
