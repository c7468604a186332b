import { looksSecret } from "../core/redacted.ts";
import { distance, tolerance } from "./close-word.ts";
import { formatPath, type Path } from "./problem.ts";
import { raw, rawList } from "./raw.ts";
import { jsonSchema } from "./schema.ts";

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  /** Sections of different kinds. */
  readonly oneOf?: readonly Node[];
  readonly const?: string;
}

/** Built on first use: most runs never need it. */
let root: Node | undefined;

/**
 * The error text for an unknown key in the section at `path`: suggests the nearest known key, or where the key belongs.
 * @param document the whole document, which says of what kind each section is
 */
export function unknownKey(path: Path, key: string, document: unknown): string {
  root ??= jsonSchema() as Node;
  const { node, kinds } = nodeAt(root, path, document);
  const known = Object.keys(node?.properties ?? {});
  // Only text that looks like a key is repeated: a secret without its key parses as a key.
  const named = /^[A-Za-z_][A-Za-z0-9_-]{0,30}$/.test(key) && !looksSecret(key) ? `"${key}"` : "this (not shown)";
  const nearest = known
    .map((name) => ({ name, distance: distance(name.toLowerCase(), key.toLowerCase()) }))
    .toSorted((one, other) => one.distance - other.distance)[0];
  if (nearest !== undefined && nearest.distance <= tolerance(nearest.name)) {
    return `${named} is not a key here; did you mean "${nearest.name}"?`;
  }
  const having = kinds.filter(({ properties = {} }) => Object.hasOwn(properties, key));
  if (having.length > 0) {
    const only = having.map(({ properties }) => properties!.kind!.const).join(" or ");
    return `${named} is not a key here; only a source of kind ${only} has it`;
  }
  const elsewhere = [...new Set(places(root, key, []).map(formatPath))];
  if (elsewhere.length > 0) return `${named} is not a key here; it belongs at ${elsewhere.join(" or ")}`;
  return `${named} is not a key here; remove it, or write one of ${known.join(", ")}`;
}

/** The node, and where its section may be of different kinds, all of them. */
function nodeAt(top: Node, path: Path, document: unknown): { node?: Node; kinds: readonly Node[] } {
  let node = top;
  let kinds: readonly Node[] = [];
  let value = document;
  for (const step of path) {
    const inside: unknown = typeof step === "number" ? rawList(value)[step] : raw(value)[step];
    const next: Node | undefined =
      typeof step === "number"
        ? node.items
        : Object.hasOwn(node.properties ?? {}, step)
          ? node.properties?.[step]
          : undefined;
    if (next === undefined) return { kinds: [] };
    const { kind } = raw(inside);
    kinds = next.oneOf?.filter(({ properties }) => properties?.kind !== undefined) ?? [];
    node = kinds.find(({ properties }) => properties?.kind?.const === kind) ?? next;
    value = inside;
  }
  return { node, kinds };
}

function places(node: Node, key: string, path: Path): Path[] {
  if (node.items !== undefined) return places(node.items, key, path);
  const kinds = node.oneOf?.filter(({ properties }) => properties?.kind !== undefined) ?? [];
  if (kinds.length > 0) return kinds.flatMap((kind) => places(kind, key, path));
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => [
    ...(name === key ? [[...path, name]] : []),
    ...places(child, key, [...path, name]),
  ]);
}
