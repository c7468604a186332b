import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type YAMLError } from "yaml";
import type { ConfigProblem, Path } from "./problem.ts";

/** How many times a file may use aliases in total: enough to share a list of recipients, too few for a bomb. */
const MAX_ALIASES = 100;

/**
 * A config file as data, with the line of each value. YAML 1.2 core, one document, no repeated keys, no tags.
 * The text is untrusted: for any input, the result is a document or problems, and problems never quote the text.
 */
export type ParsedDocument =
  | { readonly value: unknown; readonly lineOf: (path: Path) => number | undefined }
  | { readonly problems: readonly ConfigProblem[] };

export function parseDocument(text: string): ParsedDocument {
  const lines = new LineCounter();
  try {
    const documents = parseAllDocuments(text, {
      version: "1.2",
      schema: "core",
      uniqueKeys: true,
      // `apiKey: {{ a template no one filled in }}` parses as a map used as a key; the library's warning would print
      // it.
      stringKeys: true,
      logLevel: "error",
      // The library's "pretty" errors quote the line, including secrets.
      prettyErrors: false,
      lineCounter: lines,
    });
    const all = Array.isArray(documents) ? documents : [];
    const found = all.flatMap((document) => [...document.errors, ...document.warnings]);
    if (found.length > 0) return { problems: found.map((error) => problem(SAID[error.code] ?? OTHER, line(error))) };
    const document = all[0];
    if (document === undefined || document.contents === null) return { problems: [problem(EMPTY)] };
    if (all.length > 1) return { problems: [problem(SAID.MULTIPLE_DOCS ?? OTHER)] };
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    if (value === null) return { problems: [problem(EMPTY)] };
    return { value, lineOf: (path) => lineOf(document, lines, path) };
  } catch (error) {
    // Nested too deeply for the stack, aliases that expand without limit, or aliases without an anchor.
    return { problems: [problem(error instanceof ReferenceError ? ALIASES : DEPTH)] };
  }

  function line(error: YAMLError): number | undefined {
    return lines.linePos(error.pos[0]).line || undefined;
  }
}

function problem(text: string, line?: number): ConfigProblem {
  return { path: [], text, code: "config", line };
}

const EMPTY = "is empty; create one with `holdfast new`";
const DEPTH = "is nested too deeply for a config; create one with `holdfast new`";
const ALIASES =
  "an alias (*name) has no anchor (&name) before it, or aliases expand without limit; write out the values, or quote them";
const OTHER = "invalid YAML; check indentation, quotes and brackets";

/** These replace the library's messages, which may quote the text. */
const SAID: Partial<Record<YAMLError["code"], string>> = {
  DUPLICATE_KEY: "a key appears twice in one section; remove one",
  TAB_AS_INDENT: "a tab indents this line; use spaces",
  BAD_INDENT: "wrong indentation, or a bracket before this is not closed; align the line with its section",
  BAD_DQ_ESCAPE: "invalid backslash escape in \"…\"; use '…' instead",
  BAD_ALIAS: "invalid alias (*name) or anchor (&name); write out the value, or quote it",
  MISSING_CHAR: "a quote, bracket, comma or colon is missing; check whether everything opened above is closed",
  MULTILINE_IMPLICIT_KEY: "a key spans several lines; check colons and quotes",
  MULTIPLE_DOCS: "the file has more than one document (---); keep one",
  NON_STRING_KEY: "a key is not a name; fill in the template if this is one, or quote the value",
  TAG_RESOLVE_FAILED: "tags (!…) are not supported; remove it, or quote the value",
};

/** The line of a value; for a missing value, the line of the section it belongs in. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: Path): number | undefined {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) break;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === "number") {
      node = node.items[step];
      offset = startOf(node) ?? offset;
    } else break;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line || undefined;
}

function startOf(node: unknown): number | undefined {
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
  return range?.[0];
}
