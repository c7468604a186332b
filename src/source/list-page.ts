import type { ListElement } from "./list-reader.ts";
import type { Entries, Page, Unparsed, UnparsedEntry } from "./source.ts";

/** A page whose entries are parsed when they are asked for: on most nights nearly all are as they were, to the byte. */
export class ListPage implements Page {
  readonly cursor: string | null;
  readonly whole = true;
  readonly unparsed: Unparsed;
  readonly #read: () => Entries;

  /** @param read parses elements */
  constructor(
    cursor: string | null,
    elements: readonly ListElement[],
    read: (elements: readonly ListElement[]) => Entries,
  ) {
    let all: Entries | undefined;
    this.#read = () => {
      all ??= read(elements);
      return all;
    };
    this.cursor = cursor;
    this.unparsed = {
      entries: elements.map(
        ({ word, bytes }): UnparsedEntry => ({ id: word === undefined ? undefined : textOf(word), bytes }),
      ),
      except: (skipped) => (skipped.size === 0 ? this.#read() : read(elements.filter((_, at) => !skipped.has(at)))),
    };
  }

  get identities(): Entries["identities"] {
    return this.#read().identities;
  }

  get unread(): readonly string[] {
    return this.#read().unread;
  }

  get unreadable(): number {
    return this.#read().unreadable;
  }

  /** What seems to be the first id. */
  get first(): string | undefined {
    return this.unparsed.entries.find(({ id }) => id !== undefined)?.id;
  }
}

/** Of what is between the quotes of a string in JSON; undefined if it is invalid. */
function textOf(word: string): string | undefined {
  if (!word.includes("\\")) return word;
  try {
    return JSON.parse(`"${word}"`) as string;
  } catch {
    return undefined;
  }
}
