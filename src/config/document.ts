import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type YAMLError } from "yaml";
import type { ConfigProblem, Path } from "./problem.ts";

/** How often the aliases of a file may be used in all: enough to share a list of recipients, too few for a bomb. */
const MAX_ALIASES = 100;

/**
 * A config file as data, with the way back to its lines. YAML 1.2 core, one document, no repeated keys, no tags.
 * The text is untrusted: whatever it holds, the answer is a document or problems, and these quote none of it.
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
      // `apiKey: {{ a template no one filled in }}` is a key that is a section, and the library warns by printing it.
      stringKeys: true,
      logLevel: "error",
      // The library's prettier errors quote the line, secrets included.
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
    // Nesting beyond the stack, aliases without end, or of nothing.
    return { problems: [problem(error instanceof ReferenceError ? ALIASES : DEPTH)] };
  }

  function line(error: YAMLError): number | undefined {
    return lines.linePos(error.pos[0]).line || undefined;
  }
}

function problem(text: string, line?: number): ConfigProblem {
  return { path: [], text, code: "config", line };
}

const EMPTY = "is empty; make one with `holdfast new`";
const DEPTH = "is nested too deeply to be a config; make one with `holdfast new`";
const ALIASES =
  "an alias (*name) has no anchor (&name) before it, or aliases multiply; write the values themselves, or quote them";
const OTHER = "is not YAML here; check indentation, quotes and brackets";

/** The library's own words may quote the text, so these replace them. */
const SAID: Partial<Record<YAMLError["code"], string>> = {
  DUPLICATE_KEY: "a key is written twice in one section; remove one",
  TAB_AS_INDENT: "a tab indents this line; use spaces",
  BAD_INDENT: "the indentation is wrong, or a bracket before it is not closed; align it with its section",
  BAD_DQ_ESCAPE: "a backslash in \"…\" means an escape that does not exist; use '…' instead",
  BAD_ALIAS: "an alias (*name) or anchor (&name) is not well formed; write the value itself, or quote it",
  MISSING_CHAR: "a quote, bracket, comma or colon is missing; close what was opened before",
  MULTILINE_IMPLICIT_KEY: "a key goes over more than one line; check colons and quotes",
  MULTIPLE_DOCS: "there is more than one document (---); keep one",
  NON_STRING_KEY: "a key is not a name; fill in the template if this is one, or quote the value",
  TAG_RESOLVE_FAILED: "a tag (!…) has no meaning here; remove it, or quote the value",
};

/** The line of a value; for one that is missing, the line of the section it is missing from. */
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
