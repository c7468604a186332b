/** One element of a list, as received. */
export class ListElement {
  /** Its JSON. Undefined if it is too large to hold together with the elements before it. */
  readonly bytes: Uint8Array | undefined;
  /** Its member `id`, if that is a string, as between the quotes of its JSON. */
  readonly word: string | undefined;

  constructor(bytes: Uint8Array | undefined, word: string | undefined) {
    this.bytes = bytes;
    this.word = word;
  }

  /** Its member `id`, if that is a string, as JSON text. */
  get id(): string | undefined {
    return this.word === undefined ? undefined : `"${this.word}"`;
  }

  /** Its JSON. Undefined if it is not UTF-8, or was too large. */
  get text(): string | undefined {
    try {
      return this.bytes && UTF8.decode(this.bytes);
    } catch {
      return undefined;
    }
  }
}

export interface List {
  /** The answer's JSON without the list's elements. */
  readonly frame: string;
  readonly elements: readonly ListElement[];
}

/**
 * Limits for one element, and for all that are held at once: bytes, and tokens (each `{`, `[`, `,` and `:` starts one).
 */
const ELEMENT = { bytes: 256 * 1024, tokens: 20_000 };
const HELD = { bytes: 8 * 1024 * 1024, tokens: 200_000 };
/** Maximum elements in one answer. The API sends up to 500. */
const MAX_ELEMENTS = 1_000;
/** Maximum size of the rest: a cursor of 4,096 characters, and a few more members. */
const MAX_FRAME = 64 * 1024;
/** Maximum length of a key or an id, in bytes, including escapes. */
const MAX_WORD = 1_300;

/** The key of an element's id. */
const ID = "id";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const BLANK = [0x20, 0x09, 0x0d, 0x0a];

/**
 * Reads `{"data":[…],…}` while it arrives, or a list of another name, and holds only what may be parsed. It drops an element that is too large,
 * except its id, so that neither memory nor the elements after it suffer. Untrusted: it only finds where elements begin
 * and end, and JSON.parse checks whether they are JSON. Throws RangeError if there are too many elements, or too much
 * beside them.
 */
export class ListReader {
  #depth = 0;
  #inList = false;
  #inString = false;
  #escaped = false;
  /** Of the current string, whether it may be a key or an id, and what earlier chunks had of it. */
  #isWord = false;
  #word: Uint8Array[] = [];
  #wordBytes = 0;
  /** The last string, if it is of interest, and the key before it. */
  #last: string | undefined;
  #key: string | undefined;
  #frame: Uint8Array[] = [];
  #frameBytes = 0;
  readonly #elements: ListElement[] = [];
  #element: Uint8Array[] = [];
  #bytes = 0;
  #tokens = 0;
  #id: string | undefined;
  #held = { bytes: 0, tokens: 0 };
  readonly #name: string;

  /** @param name the list's key, without characters that JSON escapes */
  constructor(name = "data") {
    this.#name = name;
  }

  push(chunk: Uint8Array): void {
    // A character a byte: strings are passed over by `indexOf`, which takes half the time of a loop over bytes.
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1");
    let from = 0;
    let at = this.#inString ? this.#restOfString(chunk, text, 0) : 0;
    for (; at < chunk.length; at++) {
      const byte = text.charCodeAt(at);
      switch (byte) {
        case 0x22: // "
          this.#inString = true;
          this.#isWord = this.#isNoted;
          at = this.#restOfString(chunk, text, at + 1) - 1;
          break;
        case 0x5b: // [
        case 0x7b: // {
          this.#tokens += 1;
          this.#last = undefined;
          this.#depth += 1;
          if (byte === 0x7b || this.#depth !== 2 || this.#inList || this.#key !== this.#name) break;
          this.#take(chunk.subarray(from, at + 1));
          this.#inList = true;
          this.#begin();
          from = at + 1;
          break;
        case 0x5d: // ]
        case 0x7d: // }
          this.#memberEnds();
          this.#depth -= 1;
          if (!this.#inList || this.#depth !== 1) break;
          this.#take(chunk.subarray(from, at));
          this.#end(true);
          this.#inList = false;
          from = at;
          break;
        case 0x2c: // ,
          this.#tokens += 1;
          this.#memberEnds();
          if (!this.#inList || this.#depth !== 2) break;
          this.#take(chunk.subarray(from, at));
          this.#end(false);
          from = at + 1;
          break;
        case 0x3a: // :
          this.#tokens += 1;
          if (this.#isNoted) this.#key = this.#last;
          this.#last = undefined;
          break;
      }
    }
    // Of its own: the chunk may be used again.
    this.#take(chunk.slice(from));
  }

  /** Throws TypeError if the text beside the elements is not UTF-8. */
  finish(): List {
    return { frame: UTF8.decode(Buffer.concat(this.#frame)), elements: this.#elements };
  }

  /** Whether a string at this depth may be a key of the answer, or a key or value of an element. */
  get #isNoted(): boolean {
    return this.#depth === (this.#inList ? 3 : 1);
  }

  /** Passes over a string from here on. Returns where the text after it begins, or the end of the chunk. */
  #restOfString(chunk: Uint8Array, text: string, from: number): number {
    let close = text.indexOf('"', from);
    while (close >= 0 && this.#isEscaped(text, from, close)) close = text.indexOf('"', close + 1);
    if (close >= 0) {
      this.#inString = false;
      this.#escaped = false;
      this.#last = this.#isWord ? this.#wordEnds(chunk, from, close) : undefined;
      return close + 1;
    }
    this.#escaped = this.#isEscaped(text, from, chunk.length);
    if (this.#isWord) this.#wordGoesOn(chunk.subarray(from));
    return chunk.length;
  }

  /** Whether the character at `at` is escaped, of a string whose part in this chunk begins at `from`. */
  #isEscaped(text: string, from: number, at: number): boolean {
    let slashes = 0;
    while (at - slashes > from && text.charCodeAt(at - slashes - 1) === 0x5c) slashes += 1;
    const isCarried = at - slashes === from && this.#escaped;
    return (slashes % 2 === 1) !== isCarried;
  }

  #wordGoesOn(part: Uint8Array): void {
    this.#wordBytes += part.length;
    if (this.#wordBytes > MAX_WORD) this.#word = [];
    else if (part.length > 0) this.#word.push(part.slice());
  }

  /** The string, if it is an id, or may be a key of interest. */
  #wordEnds(chunk: Uint8Array, from: number, to: number): string | undefined {
    const bytes = this.#wordBytes + to - from;
    const parts = this.#word;
    if (this.#wordBytes > 0) {
      this.#word = [];
      this.#wordBytes = 0;
    }
    if (bytes > MAX_WORD) return undefined;
    if (this.#key !== ID && bytes !== ID.length && bytes !== this.#name.length) return undefined;
    return Buffer.concat([...parts, chunk.subarray(from, to)]).toString("utf8");
  }

  #memberEnds(): void {
    if (!this.#isNoted) return;
    if (this.#inList && this.#key === ID) this.#id = this.#last;
    this.#key = undefined;
    this.#last = undefined;
  }

  #begin(): void {
    this.#element = [];
    this.#bytes = 0;
    this.#tokens = 0;
    this.#id = undefined;
    this.#key = undefined;
    this.#last = undefined;
  }

  #take(part: Uint8Array): void {
    if (part.length === 0) return;
    if (!this.#inList) {
      this.#frameBytes += part.length;
      if (this.#frameBytes > MAX_FRAME) throw new RangeError("too much beside the list");
      this.#frame.push(part.slice());
      return;
    }
    this.#bytes += part.length;
    if (this.#isHeld) this.#element.push(part);
    else this.#element = [];
  }

  get #isHeld(): boolean {
    const [bytes, tokens] = [this.#bytes, this.#tokens];
    return (
      bytes <= Math.min(ELEMENT.bytes, HELD.bytes - this.#held.bytes) &&
      tokens <= Math.min(ELEMENT.tokens, HELD.tokens - this.#held.tokens)
    );
  }

  /** @param last the list ends here; an empty list has no element */
  #end(last: boolean): void {
    const isHeld = this.#isHeld;
    // Of its own: the chunk may be used again.
    const bytes = isHeld ? Buffer.concat(this.#element) : undefined;
    if (!last || this.#elements.length > 0 || !bytes?.every((byte) => BLANK.includes(byte))) {
      if (this.#elements.length === MAX_ELEMENTS) throw new RangeError("too many elements");
      this.#elements.push(new ListElement(bytes, this.#id));
      if (isHeld) {
        this.#held.bytes += this.#bytes;
        this.#held.tokens += this.#tokens;
      }
    }
    this.#begin();
  }
}
