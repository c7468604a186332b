import type { SealedRecord } from "../record/record.ts";
import { instant, label } from "./format.ts";
import { isObject } from "./json.ts";

/** A heading and the rows below it. `id` is of the page's own making: no word of the provider can be another group's. */
export interface Group {
  readonly id: string;
  readonly heading: string;
  /** What the provider calls it: shown as the provider's word, never as the page's. */
  readonly word?: string | undefined;
  readonly from: "provider" | "holdfast";
}

/** One value of a record. */
export interface Field {
  readonly group: Group;
  readonly label: string;
  readonly value: string;
}

const MAX_FIELDS = 3_000;
const MAX_DEPTH = 8;
const MAX_LABEL = 200;

const theirs = (id: string, heading: string, word?: string): Group => ({ id, heading, word, from: "provider" });
const IDENTITY = theirs("identity", "Identity");
const WATCHLIST = theirs("watchlist", "Watchlist");
const METADATA = theirs("metadata", "Metadata from the client");
const NETWORK = theirs("network", "Network");
const OURS: Group = { id: "copy", heading: "This copy", from: "holdfast" };

/**
 * Every value of a record, in the order a person reads them, under a key that is the same in every version of it. What
 * Holdfast itself wrote is in a group of its own; everything else, labels included, is the provider's word.
 */
export function fieldsOf({ identity, fetched, legalBasis }: SealedRecord): Map<string, Field> {
  const fields = new Map<string, Field>();
  function add(group: Group, name: string, value: unknown, depth = 0): void {
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
      const key = JSON.stringify([group.id, name]);
      const shown = name.length > MAX_LABEL ? `${name.slice(0, MAX_LABEL)}…` : name;
      fields.set(fields.has(key) ? `${key}${fields.size}` : key, { group, label: shown, value: written(value) });
    }
  }
  const said: Record<string, unknown> = { ...identity };
  add(IDENTITY, "Given name", (said.owner as { firstName?: unknown } | null | undefined)?.firstName);
  add(IDENTITY, "Family name", (said.owner as { lastName?: unknown } | null | undefined)?.lastName);
  add(IDENTITY, "E-mail", (said.owner as { email?: unknown } | null | undefined)?.email);
  add(IDENTITY, "Provider's verdict", said.status);
  add(IDENTITY, "Verified", said.verified);
  add(IDENTITY, "Confidence", said.score);
  add(IDENTITY, "Created at the provider", said.created);
  add(IDENTITY, "Changed at the provider", said.updated);
  add(IDENTITY, "Provider's ID", said.id);
  if (isObject(said.over)) {
    for (const [age, answer] of Object.entries(said.over)) add(IDENTITY, `Over ${age}`, answer ?? "not known");
  }
  const documents = Array.isArray(said.documents) ? said.documents.slice(0, 100) : [];
  const numbers = new Map<string, number>();
  for (const document of documents) {
    if (!isObject(document)) continue;
    const word = typeof document.type === "string" ? document.type : undefined;
    const number = (numbers.get(word ?? "") ?? 0) + 1;
    numbers.set(word ?? "", number);
    const id = JSON.stringify(["document", word, number]);
    const { heading, rest } = partOf(word);
    add(theirs(id, number > 1 ? `${heading} ${number}` : heading, rest), "", document.datapoints);
  }
  add(
    WATCHLIST,
    Array.isArray(said.watchlist) ? "Report" : "Result",
    isObject(said.watchlist) ? undefined : said.watchlist,
  );
  if (isObject(said.watchlist)) add(WATCHLIST, "", said.watchlist);
  add(METADATA, isObject(said.metadata) ? "" : "Value", said.metadata);
  add(NETWORK, isObject(said.network) ? "" : Array.isArray(said.network) ? "Session" : "Value", said.network);
  add(OURS, "Fetched", fetched);
  add(OURS, "Legal basis", [...legalBasis]);
  return fields;
}

/** Providers that keep checks apart from documents name both: `verification/selfie`. Any other word is a document's. */
const PARTS = { verification: "Verification", document: "Document", inquiry: "Inquiry", account: "Account" } as const;

function partOf(word: string | undefined): { readonly heading: string; readonly rest: string | undefined } {
  const [, part = "", rest] = /^([a-z]+)(?:\/(.+))?$/.exec(word ?? "") ?? [];
  if (!Object.hasOwn(PARTS, part)) return { heading: "Document", rest: word };
  return { heading: PARTS[part as keyof typeof PARTS], rest };
}

function written(value: unknown): string {
  if (value === true) return "yes";
  if (value === false) return "no";
  const text = String(value);
  return instant(text.length > 5_000 ? `${text.slice(0, 5_000)} …` : text);
}
