import { HoldfastError } from "../core/error.ts";

export type Path = readonly (string | number)[];

/** One thing wrong with a document. */
export interface ConfigFinding {
  /** Where in the document; empty for the file as a whole. */
  readonly path: Path;
  /** What is wrong and how to fix it; never a secret. */
  readonly text: string;
}

/** A finding placed in its file. */
export interface ConfigProblem extends ConfigFinding {
  readonly code: "config" | "recipients";
  /** Counted from 1; undefined if the problem has no line. */
  readonly line: number | undefined;
}

/** A longer list helps no one: the file is probably not a config at all. */
const MAX_LISTED = 50;

const HINT =
  "config/holdfast.example.yaml explains every field; the Debian package has it in /usr/share/doc/holdfast/examples.";

/** `clients[0].vault.url` */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}

/** One error for all problems, sorted by line: `file:line: path: what is wrong; how to fix it`. */
export function configError(file: string, problems: readonly ConfigProblem[], cause?: unknown): HoldfastError {
  const lines = problems
    .toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0))
    .map(({ line, path, text }) => [line === undefined ? file : `${file}:${line}`, formatPath(path), text])
    .map((parts) => parts.filter((part) => part !== "").join(": "));
  const listed = [...new Set(lines)];
  const more = listed.length - MAX_LISTED;
  if (more > 0) listed.splice(MAX_LISTED, more, `${file}: and ${more} more`);
  const code = problems.every((problem) => problem.code === "recipients") ? "recipients" : "config";
  return new HoldfastError(code, listed, { hint: HINT, cause });
}
