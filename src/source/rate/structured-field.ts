/** An integer, or the text of a string or token, with its parameters; other types are read past, and undefined. */
export interface Item {
  readonly value: Bare | undefined;
  readonly parameters: ReadonlyMap<string, Bare | undefined>;
}

/** A member of a list or a dictionary; only the latter's have a key. */
export interface Member extends Item {
  readonly key?: string;
}

type Bare = number | string;

/** No honest field is longer, in characters, or has more members. */
const MAX_LENGTH = 1000;
const MAX_MEMBERS = 16;

const KEY = /[a-z*][a-z0-9_.*-]*/y;
const BARE =
  /(-?\d{1,15}(?![\d.]))|-?\d{1,12}\.\d{1,3}(?!\d)|"((?:[ !#-[\]-~]|\\["\\])*)"|([A-Za-z*][!#$%&'*+.^_`|~\w:/-]*)|:[A-Za-z0-9+/=]*:|\?[01]/y;
const SPACE = / */y;
const COMMA = /[ \t]*,[ \t]*/y;

/**
 * A list or dictionary of structured field values (RFC 9651, without inner lists and dates), which headers of rate
 * limits are. Untrusted: undefined unless the whole field is one.
 */
export function parseStructuredField(kind: "list" | "dictionary", field: string): readonly Member[] | undefined {
  const text = field.trim();
  if (text === "" || text.length > MAX_LENGTH) return undefined;
  const reader = new Reader(text);
  const members: Member[] = [];
  do {
    const member = kind === "list" ? reader.item() : reader.entry();
    if (!member || members.length === MAX_MEMBERS) return undefined;
    members.push(member);
    if (reader.atEnd) return members;
  } while (reader.take(COMMA));
  return undefined;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length;
  }

  take(what: RegExp): RegExpExecArray | undefined {
    what.lastIndex = this.#at;
    const found = what.exec(this.#text);
    if (!found) return undefined;
    this.#at = what.lastIndex;
    return found;
  }

  /** `key=item`; a key alone is a boolean. */
  entry(): Member | undefined {
    const key = this.take(KEY)?.[0];
    if (key === undefined) return undefined;
    const item = this.#skip("=") ? this.item() : this.#withParameters(undefined);
    return item && { key, ...item };
  }

  item(): Item | undefined {
    const bare = this.#bare();
    return bare && this.#withParameters(bare.value);
  }

  #withParameters(value: Bare | undefined): Item | undefined {
    const parameters = new Map<string, Bare | undefined>();
    while (this.#skip(";")) {
      this.take(SPACE);
      const key = this.take(KEY)?.[0];
      if (key === undefined) return undefined;
      const bare = this.#skip("=") ? this.#bare() : { value: undefined };
      if (!bare) return undefined;
      parameters.set(key, bare.value);
    }
    return { value, parameters };
  }

  #bare(): { readonly value: Bare | undefined } | undefined {
    const found = this.take(BARE);
    if (!found) return undefined;
    const [, integer, string, token] = found;
    if (integer !== undefined) return { value: Number(integer) };
    return { value: string?.replaceAll(/\\(.)/g, "$1") ?? token };
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }
}
