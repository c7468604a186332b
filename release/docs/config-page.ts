import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { PRESET_NAMES, presetInWords, presetOf } from "../../src/config/presets.ts";
import { jsonSchema } from "../../src/config/schema.ts";
import { anchor, code, prose, table } from "./markdown.ts";

/** Both have the same fields: the page shows them once. */
const SINGLE = "clients[].source";
const LISTED = "clients[].sources[]";

/** The parts of a JSON Schema that a page shows. */
interface Node {
  readonly type?: string;
  readonly description?: string;
  /** Of references to secrets, among others. */
  readonly pattern?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  /** Sections of different kinds: `kind` says which. */
  readonly oneOf?: readonly Node[];
  readonly const?: string;
}

const HEAD = `# Config

<!-- Made by \`npm run docs\` from the config's schema (src/config/) and config/holdfast.example.yaml. Do not edit it here. -->

Holdfast reads one YAML file. \`holdfast new\` writes a first one. [config/holdfast.example.yaml](../config/holdfast.example.yaml)
is a commented example with every field; [config/holdfast.schema.json](../config/holdfast.schema.json) gives an editor
completion and checks. Run \`holdfast doctor\` after every change.

- **Where it is.** Without \`--config\` a command reads \`holdfast.yaml\` in the working directory, else
  \`config/holdfast.yaml\`, else \`/etc/holdfast/holdfast.yaml\`. It refuses one that another user of the machine may have put
  there.
- **Paths.** A relative path starts at the folder of the config file.
- **Secrets** are references, never values: \`env:NAME\`, \`file:/path\`, or \`aws-secretsmanager:<name or ARN>\`, with \`#<key>\`
  where the secret is a JSON object. Holdfast reads a secret when it needs it, and reads the API key again when the
  provider refuses it. You can rotate a key during a run.
- **Durations** are ISO 8601: \`PT50S\` is 50 seconds, \`P90D\` 90 days, \`P6M\` six months, \`P5Y\` five years.
- **Reload.** The daemon (\`export --schedule\`) reads its config again on SIGHUP. It rejects a config that is invalid or names a
  secret it cannot read, logs why, and keeps the previous one. A run in progress finishes with the config it started with.
  Changes of \`metrics\` and \`schedule.grace\` need a restart.
- **S3 credentials** are not in the config. They come from the AWS SDK's chain: \`AWS_ACCESS_KEY_ID\` and
  \`AWS_SECRET_ACCESS_KEY\`, a profile, or the machine's role.
- **Core dumps.** Holdfast keeps its memory out of core dumps (Linux: \`coredump_filter\`) and its environment out of Node's crash
  reports. CPU registers still end up in a dump. To have no dumps at all: \`ulimit -c 0\`, \`LimitCORE=0\`, \`--ulimit core=0\`.

In the tables, "required" means that the config is refused without the field.`;

/** Every field of the config: type, default, description, example. */
export function configPage(root: string): string {
  const schema = merged(jsonSchema() as Node);
  const text = readFileSync(join(root, "config/holdfast.example.yaml"), "utf8");
  const examples = new Map<string, string>();
  collect(parse(uncommented(text, fieldNames(schema))), "", examples);
  const presets = PRESET_NAMES.map((name) => {
    const [rule = "", ...more] = presetInWords(presetOf(name)!);
    const [citation = "", ...clock] = rule.split(": ");
    return [code(name), citation, [clock.join(": "), ...more].join("; ")];
  });
  return [
    HEAD,
    ...sections(schema, "").flatMap(([path, node]) => sectionText(path, node, examples)),
    "## Presets",
    "What `retention.preset` stands for. This is not legal advice.",
    table(["preset", "law", "keeps copies for"], presets),
    "",
  ].join("\n\n");
}

/** The same with the sections of different kinds as one, which says what only one kind has, and which defaults differ. */
function merged(node: Node): Node {
  const kinds = node.oneOf?.filter(({ properties }) => properties !== undefined) ?? [];
  const { oneOf: _, ...rest } = node;
  const all = kinds.length === 0 ? rest : { ...rest, ...asOne(kinds) };
  const within = Object.entries(all.properties ?? {}).map(([name, child]) => [name, merged(child)] as const);
  return {
    ...all,
    ...(all.properties ? { properties: Object.fromEntries(within) } : {}),
    ...(all.items ? { items: merged(all.items) } : {}),
  };
}

function asOne(kinds: readonly Node[]): Pick<Node, "properties" | "required"> {
  const kindOf = ({ properties }: Node): string => properties?.kind?.const ?? "";
  const properties: Record<string, Node> = {};
  for (const name of new Set(kinds.flatMap((kind) => Object.keys(kind.properties!)))) {
    const having = kinds.filter((kind) => kind.properties![name]);
    const fields = having.map((kind) => kind.properties![name]!);
    const defaults = new Set(fields.map((field) => JSON.stringify(field.default)));
    const { const: _, ...first } = fields[0]!;
    properties[name] = {
      ...first,
      ...(name === "kind" ? { enum: kinds.map(kindOf) } : {}),
      ...(defaults.size > 1
        ? { default: having.map((kind, at) => `${fields[at]!.default ?? "required"} (${kindOf(kind)})`).join(", ") }
        : {}),
      ...(having.length < kinds.length
        ? { description: `Only for ${having.map(kindOf).join(", ")}. ${first.description}` }
        : {}),
    };
  }
  const required = Object.keys(properties).filter((name) =>
    kinds.every((kind) => kind.properties![name] === undefined || kind.required?.includes(name)),
  );
  return { properties, required };
}

/** Objects in the order in which the example has them: each before those inside it. */
function sections(node: Node, path: string): [string, Node][] {
  if (node.items) return sections(node.items, `${path}[]`);
  if (!node.properties) return [];
  if (path === SINGLE) return [[path, node]];
  const inside = Object.entries(node.properties).flatMap(([name, child]) => sections(child, join2(path, name)));
  return [[path, node], ...inside];
}

function sectionText(path: string, node: Node, examples: ReadonlyMap<string, string>): string[] {
  if (path === SINGLE)
    return [`## ${headingOf(path)}`, `One source, with the fields of [\`${LISTED}\`](#${anchor(headingOf(LISTED))}).`];
  const rows = Object.entries(node.properties!).map(([name, field]) => {
    const at = join2(path, name);
    const { type, says } = typeOf(field);
    const isSection = (field.items ?? field).properties !== undefined;
    const usual = isSection ? (node.required?.includes(name) ? "required" : "optional") : usualOf(field, node, name);
    const inside = field.items?.properties ? `${at}[]` : at;
    const more = isSection ? `See [\`${inside}\`](#${anchor(headingOf(inside))}).` : "";
    return [
      code(name),
      prose(type),
      usual,
      [prose(says), more].filter(Boolean).join(" "),
      code(examples.get(at) ?? ""),
    ];
  });
  return [
    `## ${headingOf(path)}`,
    ...(path === "" ? [] : [prose(node.description ?? "")]),
    table(["field", "type", "default", "what it is", "example"], rows),
  ];
}

const headingOf = (path: string): string => (path === "" ? "Top level" : code(path));
const join2 = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

function usualOf(field: Node, parent: Node, name: string): string {
  if (field.default !== undefined) return code(flow(field.default));
  return parent.required?.includes(name) ? "required" : "none";
}

/** A description ends with `Write <what is expected>.` where the field is read by a parser: that is its type. */
function typeOf(node: Node): { type: string; says: string } {
  const { type, enum: choices, items, properties, minimum, maximum, pattern, description = "" } = node;
  const [, says = description, expected] = /^(.*?)\s*\bWrite (.+)\.$/s.exec(description) ?? [];
  if (choices) return { type: choices.map(code).join(", "), says };
  if (items?.properties) return { type: "list of sections", says };
  if (properties) return { type: "section", says };
  if (items) {
    const inner = typeOf(items);
    return { type: `list: ${inner.type}`, says };
  }
  if (type === "integer") return { type: `whole number, ${minimum} to ${maximum}`, says };
  if (type === "boolean") return { type: "`true` or `false`", says };
  return { type: pattern?.includes("env:") ? "reference to a secret" : (expected ?? "text"), says };
}

/** The example with every field that it shows in a comment. Other comments stay comments. */
export function uncommented(text: string, names: ReadonlySet<string>): string {
  let isOpen = false;
  return text
    .split("\n")
    .map((line) => {
      const [, indent = "", rest = ""] = /^(\s*)# (.*)$/.exec(line) ?? [];
      const [, name = ""] = /^\s*(?:# )?(?:- )?(\w+):(?: |$)/.exec(rest) ?? [];
      const isField = names.has(name);
      const isItem = isOpen && /^\s+- /.test(rest);
      isOpen = rest !== "" && (isField || isItem);
      return isOpen ? `${indent}${rest.replace(/^(\s*)# /, "$1")}` : line;
    })
    .join("\n");
}

export function fieldNames(node: Node): Set<string> {
  const below = [...Object.values(node.properties ?? {}), ...(node.items ? [node.items] : []), ...(node.oneOf ?? [])];
  return new Set([...Object.keys(node.properties ?? {}), ...below.flatMap((child) => [...fieldNames(child)])]);
}

/** The first value of each path. */
function collect(value: unknown, path: string, found: Map<string, string>): void {
  if (Array.isArray(value) && value.some((item) => typeof item === "object")) {
    for (const item of value) collect(item, `${path}[]`, found);
  } else if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    for (const [name, child] of Object.entries(value)) collect(child, join2(path, name), found);
  } else if (!found.has(path)) found.set(path, flow(value));
}

function flow(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trimEnd();
}
