import { readFile } from "node:fs/promises";
import { HoldfastError } from "../src/error.ts";

/** Somebody, as a line of a list names them. */
export interface Listed {
  readonly kind: "identity" | "email" | "reference" | "subject";
  readonly value: string;
}

const LINE = /^(identity|email|reference|subject)[ \t]+(\S.*)$/;

/**
 * People from a file: `<kind> <value>` to a line; empty lines and those that begin with # say nothing.
 * Throws `usage` with the number of a line, and never with what stands in it: that is personal.
 */
export async function listedPeople(path: string): Promise<Listed[]> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new HoldfastError("usage", `${path} cannot be read (${cause.code})`, { cause });
  });
  return text.split(/\r?\n/).flatMap((line, at) => {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) return [];
    const [, kind, value] = LINE.exec(trimmed) ?? [];
    if (kind !== undefined && value !== undefined) return [{ kind: kind as Listed["kind"], value }];
    throw new HoldfastError("usage", `line ${at + 1} of ${path} names nobody`, {
      mend: "Write to each line: identity <id>, email <address>, reference <value> or subject <token>.",
    });
  });
}
