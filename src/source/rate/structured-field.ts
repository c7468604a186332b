import {
  type BareItem,
  type Item,
  type Parameters,
  ParseError,
  parseDictionary,
  parseList,
  Token,
} from "structured-headers";

/** A member of a list or a dictionary; only a dictionary's have a key. */
export interface Member {
  readonly key?: string;
  readonly value: Bare | undefined;
  readonly parameters: ReadonlyMap<string, Bare | undefined>;
}

/** An integer, or the text of a string or token; other types are ignored and undefined. */
type Bare = number | string;

/** No real field is longer, in characters, or has more members. */
const MAX_LENGTH = 1000;
const MAX_MEMBERS = 16;

/**
 * A list or dictionary of structured field values (RFC 9651), as rate-limit headers have them. Untrusted: undefined
 * unless the whole field is valid, and also for an inner list, which no such header has.
 */
export function parseStructuredField(kind: "list" | "dictionary", field: string): readonly Member[] | undefined {
  const text = field.trim();
  if (text === "" || text.length > MAX_LENGTH) return undefined;
  try {
    const members =
      kind === "list"
        ? parseList(text).map((item) => ({ item }))
        : [...parseDictionary(text)].map(([key, item]) => ({ key, item }));
    if (members.length > MAX_MEMBERS || members.some(({ item: [value] }) => Array.isArray(value))) return undefined;
    return members.map(({ item, ...named }) => ({ ...named, ...memberOf(item as Item) }));
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function memberOf([value, parameters]: Item): Pick<Member, "value" | "parameters"> {
  return {
    value: bare(value),
    parameters: new Map([...(parameters as Parameters)].map(([key, of]) => [key, bare(of)])),
  };
}

function bare(value: BareItem): Bare | undefined {
  if (typeof value === "string" || Number.isInteger(value)) return value as Bare;
  return value instanceof Token ? value.toString() : undefined;
}
