import type { Command } from "commander";
import { firstFew, MOST } from "../observe/first-few.ts";
import { command } from "./command.ts";

export interface ListFlags {
  readonly all: boolean;
}

/** A command that lists what the log says. It takes no lease and writes nothing to the vault. */
export function listCommand(name: string, description: string, examples: readonly string[]): Command {
  return command(name, description, examples).option(
    "--all",
    `every row, and not only the first ${MOST}; --json always has all`,
    false,
  );
}

/**
 * A table for people: a first line, then the rows under their heads. Every cell but those of the last column is as wide
 * as the widest of its column.
 */
export function tableText(
  title: string,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  { all }: ListFlags,
): string[] {
  if (rows.length === 0) return [title];
  const { first, more } = all ? { first: rows, more: undefined } : firstFew(rows, "--all lists all");
  const lines = [heads, ...first];
  const widths = heads.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)));
  return [
    title,
    ...lines.map((cells) => `  ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")}`.trimEnd()),
    ...(more === undefined ? [] : [`  ${more}`]),
  ];
}
