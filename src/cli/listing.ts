import type { Command } from "commander";
import { number } from "../observe/format.ts";
import { command } from "./command.ts";

/** Rows that the text shows without --all; `--json` always has all. */
export const SHOWN = 20;

export interface ListFlags {
  readonly all: boolean;
}

/** A command that lists what the log says. It takes no lease and writes nothing to the vault. */
export function listCommand(name: string, description: string, examples: readonly string[]): Command {
  return command(name, description, examples).option("--all", `every row, and not only the first ${SHOWN}`, false);
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
  const shown = all ? rows : rows.slice(0, SHOWN);
  const lines = [heads, ...shown];
  const widths = heads.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)));
  const left = rows.length - shown.length;
  return [
    title,
    ...lines.map((cells) => `  ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")}`.trimEnd()),
    ...(left > 0 ? [`  … and ${number(left)} more. Add --all to see them.`] : []),
  ];
}
