import type { SealedRecord } from "../record/record.ts";
import { type CheckRow, dossierOf, type ProviderCheck } from "./dossier/dossier.ts";
import { partOf } from "./dossier/part.ts";
import { instant } from "./format.ts";
import { isObject } from "./json.ts";
import { label } from "./label.ts";

/** A heading and the rows below it. `id` is of the page's own making: no word of the provider can be another group's. */
export interface Group {
  readonly id: string;
  readonly heading: string;
  /** What the provider calls it: shown as the provider's word, never as the page's. */
  readonly word?: string | undefined;
  /** `check`, `data`: the provider's. `copy`: what Holdfast wrote. */
  readonly section: "check" | "data" | "copy";
  /** The request whose answer it shows, where a record may lack just that one. */
  readonly endpoint?: string | undefined;
  /** It may repeat what others say: what the provider concluded, or the person typed, beside what a document says. */
  readonly repeats?: boolean;
}

/** One value of a record. */
export interface Field {
  readonly group: Group;
  readonly label: string;
  /** Empty where it only names the rows below it. */
  readonly value: string;
  /** How far it is set in: a breakdown is a tree. */
  readonly depth: number;
}

const MAX_FIELDS = 3_000;
const MAX_DEPTH = 8;
const MAX_LABEL = 200;

type Rest = Pick<Group, "word" | "repeats">;
const theirs = (id: string, heading: string, rest: Rest = {}): Group => ({ id, heading, section: "data", ...rest });
const IDENTITY = theirs("identity", "Identity");
const WATCHLIST = theirs("watchlist", "Watchlist");
const METADATA = theirs("metadata", "Metadata from the client");
const NETWORK = theirs("network", "Network");
const SESSION = theirs("session", "Session", { repeats: true });
const OURS: Group = { id: "copy", heading: "This copy", section: "copy" };

/**
 * Every value of a record, in the order a person reads them, under a key that is the same in every version of it. What
 * Holdfast itself wrote is in a group of its own; everything else, labels included, is the provider's word.
 */
export function fieldsOf(record: SealedRecord): Map<string, Field> {
  const { identity, fetched, legalBasis } = record;
  const { checks, isTold = () => false, tellsWatchlist = false, watchlistFrom } = dossierOf(record);
  const shown = new Set(checks.flatMap(({ id }) => id ?? []));
  const fields = new Map<string, Field>();
  function put(group: Group, name: string, words: string, value: unknown, depth: number): void {
    const key = JSON.stringify([group.id, name]);
    const cut = words.length > MAX_LABEL ? `${words.slice(0, MAX_LABEL)}…` : words;
    fields.set(fields.has(key) ? `${key}${fields.size}` : key, { group, label: cut, value: written(value), depth });
  }
  function add(group: Group, name: string, value: unknown, depth = 0): void {
    if (fields.size >= MAX_FIELDS || depth > MAX_DEPTH) return;
    if (Array.isArray(value)) {
      for (const [i, item] of value.entries())
        add(group, value.length > 1 ? `${name} ${i + 1}` : name, item, depth + 1);
    } else if (isObject(value)) {
      for (const [inner, item] of Object.entries(value)) {
        if (isSameTime(inner, item, value)) continue;
        add(
          group,
          inner === "value" || name === "" ? name || label(inner) : `${name} › ${label(inner)}`,
          item,
          depth + 1,
        );
      }
    } else if (value !== undefined && value !== null && value !== "") put(group, name, name, value, 0);
  }
  function addRow(group: Group, { path, value }: CheckRow): void {
    if (fields.size < MAX_FIELDS) put(group, path.join("\n"), label(path.at(-1) ?? ""), value ?? "", path.length - 1);
  }

  for (const [group, { rows }] of numbered(checks, checkGroup)) for (const row of rows) addRow(group, row);

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
  const documents = (Array.isArray(said.documents) ? said.documents.slice(0, 100) : []).filter(isObject);
  // What documents say comes first, so that what repeats it is known.
  const groups = numbered(documents, documentGroup).toSorted(
    ([one], [other]) => Number(one.repeats ?? false) - Number(other.repeats ?? false),
  );
  for (const [group, { type, datapoints }] of groups) {
    const untold = isObject(datapoints)
      ? Object.fromEntries(
          Object.entries(datapoints).filter(([name]) => !(typeof type === "string" && isTold(type, name))),
        )
      : datapoints;
    add(group, "", untold);
  }
  const watchlist = tellsWatchlist ? undefined : without(shown, said.watchlist);
  const listed = { ...WATCHLIST, endpoint: watchlistFrom };
  add(listed, Array.isArray(watchlist) ? "Report" : "Result", isObject(watchlist) ? undefined : watchlist);
  if (isObject(watchlist)) add(listed, "", watchlist);
  add(METADATA, isObject(said.metadata) ? "" : "Value", withoutPlurals(said.metadata));
  const network = isObject(said.network)
    ? { ...said.network, devices: without(shown, said.network.devices) }
    : said.network;
  if (Array.isArray(network)) for (const [group, session] of numbered(network, () => SESSION)) add(group, "", session);
  else add(NETWORK, isObject(network) ? "" : "Value", network);
  add(OURS, "Fetched", fetched);
  add(OURS, "Legal basis", [...legalBasis]);
  return fields;
}

/** Each with its group, numbered where several have the same name. */
function numbered<T>(all: readonly T[], groupOf: (each: T) => Group): [Group, T][] {
  const numbers = new Map<string, number>();
  return all.map((each) => {
    const group = groupOf(each);
    const number = (numbers.get(group.id) ?? 0) + 1;
    numbers.set(group.id, number);
    const heading = number > 1 ? `${group.heading} ${number}` : group.heading;
    return [{ ...group, id: JSON.stringify([group.id, number]), heading }, each];
  });
}

function checkGroup({ heading, name, endpoint }: ProviderCheck): Group {
  return { id: JSON.stringify(["check", heading, name]), heading, word: name, section: "check", endpoint };
}

function documentGroup({ type }: Readonly<Record<string, unknown>>): Group {
  const word = typeof type === "string" ? type : undefined;
  const { heading, rest, repeats } = partOf(word);
  return theirs(JSON.stringify(["document", word]), heading, { word: rest, repeats });
}

/** A list without what is shown among the checks. */
function without(shown: ReadonlySet<string>, list: unknown): unknown {
  if (!Array.isArray(list)) return list;
  return list.filter((item: unknown) => !(isObject(item) && typeof item.id === "string" && shown.has(item.id)));
}

/** `customer_user_ids` of one, beside `customer_user_id`. */
function withoutPlurals(metadata: unknown): unknown {
  if (!isObject(metadata)) return metadata;
  const isSaid = ([name, value]: [string, unknown]) =>
    Array.isArray(value) && value.length === 1 && name.endsWith("s") && metadata[name.slice(0, -1)] === value[0];
  return Object.fromEntries(Object.entries(metadata).filter((member) => !isSaid(member)));
}

/** `created-at-ts`, in seconds, beside `created-at`: the same time twice. */
function isSameTime(name: string, value: unknown, beside: Readonly<Record<string, unknown>>): boolean {
  const other = name.endsWith("-ts") ? beside[name.slice(0, -"-ts".length)] : undefined;
  return typeof other === "string" && Math.floor(Date.parse(other) / 1_000) === value;
}

function written(value: unknown): string {
  if (value === true) return "yes";
  if (value === false) return "no";
  const text = String(value);
  return instant(text.length > 5_000 ? `${text.slice(0, 5_000)} …` : text);
}
