import type { SealedRecord } from "../../record/record.ts";
import { isObject } from "./json.ts";
import { instant, label } from "./words.ts";

/** One value of a record, with a name that is the same in every version of it. */
export interface Field {
  readonly group: string;
  readonly label: string;
  readonly value: string;
}

const MAX_FIELDS = 3_000;
const MAX_DEPTH = 8;

/** Every value of an identity, in the order a person reads them. Keys are unique: group and label. */
export function fieldsOf({ identity, fetched, legalBasis }: SealedRecord): Map<string, Field> {
  const fields = new Map<string, Field>();
  function add(group: string, name: string, value: unknown, depth = 0): void {
    if (fields.size >= MAX_FIELDS || depth > MAX_DEPTH) return;
    if (Array.isArray(value)) {
      for (const [i, item] of value.entries())
        add(group, value.length > 1 ? `${name} ${i + 1}` : name, item, depth + 1);
    } else if (isObject(value)) {
      for (const [inner, item] of Object.entries(value)) {
        add(
          group,
          inner === "value" || name === "" ? name || label(inner) : `${name} › ${label(inner)}`,
          item,
          depth + 1,
        );
      }
    } else if (value !== undefined && value !== null && value !== "") {
      const key = `${group}\n${name}`;
      fields.set(fields.has(key) ? `${key}\n${fields.size}` : key, { group, label: name, value: written(value) });
    }
  }
  const said: Record<string, unknown> = { ...identity };
  add("Identity", "Given name", (said.owner as { firstName?: unknown } | null | undefined)?.firstName);
  add("Identity", "Family name", (said.owner as { lastName?: unknown } | null | undefined)?.lastName);
  add("Identity", "E-mail", (said.owner as { email?: unknown } | null | undefined)?.email);
  add("Identity", "Provider's verdict", said.status);
  add("Identity", "Verified", said.verified);
  add("Identity", "Confidence", said.score);
  add("Identity", "Created at the provider", said.created);
  add("Identity", "Changed at the provider", said.updated);
  add("Identity", "Provider's ID", said.id);
  if (isObject(said.over)) {
    for (const [age, answer] of Object.entries(said.over)) add("Identity", `Over ${age}`, answer ?? "not known");
  }
  const documents = Array.isArray(said.documents) ? said.documents.slice(0, 100) : [];
  const numbers = new Map<string, number>();
  for (const document of documents) {
    if (!isObject(document)) continue;
    const kind = label(String(document.type ?? "Document"));
    const number = (numbers.get(kind) ?? 0) + 1;
    numbers.set(kind, number);
    add(number > 1 ? `${kind} ${number}` : kind, "", document.datapoints);
  }
  add("Watchlist", "Result", isObject(said.watchlist) ? undefined : said.watchlist);
  if (isObject(said.watchlist)) add("Watchlist", "", said.watchlist);
  add("Metadata from the client", isObject(said.metadata) ? "" : "Value", said.metadata);
  add("Network", isObject(said.network) ? "" : "Value", said.network);
  add("This copy", "Fetched", fetched);
  add("This copy", "Legal basis", [...legalBasis]);
  return fields;
}

function written(value: unknown): string {
  if (value === true) return "yes";
  if (value === false) return "no";
  const text = String(value);
  return instant(text.length > 5_000 ? `${text.slice(0, 5_000)} …` : text);
}
