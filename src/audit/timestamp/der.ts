import { HoldfastError } from "../../core/error.ts";

/**
 * One element of DER (X.690), kept as its original bytes: signatures cover them, so they are never encoded again. The
 * input is untrusted. Throws `malformed` for input that is not DER or not of the expected type.
 */
export class Der {
  readonly tag: number;
  /** Including tag and length. */
  readonly bytes: Uint8Array;
  readonly value: Uint8Array;

  private constructor(bytes: Uint8Array, header: number) {
    this.tag = bytes[0]!;
    this.bytes = bytes;
    this.value = bytes.subarray(header);
  }

  /** Parses exactly one element. */
  static parse(bytes: Uint8Array): Der {
    const element = Der.#first(bytes);
    if (element.bytes.length !== bytes.length) throw malformed("extra bytes at the end");
    return element;
  }

  static #first(bytes: Uint8Array): Der {
    const [tag, short] = bytes;
    if (tag === undefined || short === undefined) throw malformed("it is truncated");
    if ((tag & 0x1f) === 0x1f) throw malformed("a tag of several bytes");
    const more = short < 0x80 ? 0 : short - 0x80;
    if (short === 0x80 || more > 4) throw malformed("an indefinite or too long length");
    let length = more === 0 ? short : 0;
    for (const byte of bytes.subarray(2, 2 + more)) length = length * 256 + byte;
    if (more > 0 && (length < 0x80 || bytes[2] === 0)) throw malformed("a length with leading zeros");
    const header = 2 + more;
    if (bytes.length < header + length) throw malformed("it is truncated");
    return new Der(bytes.subarray(0, header + length), header);
  }

  /** The elements inside a constructed element. */
  children(): Der[] {
    const found: Der[] = [];
    for (let rest = this.value; rest.length > 0; rest = rest.subarray(found.at(-1)!.bytes.length)) {
      found.push(Der.#first(rest));
    }
    return found;
  }

  /** This element. Throws unless it has this tag. */
  is(tag: number): Der {
    if (this.tag !== tag) throw malformed(`tag ${this.tag} instead of ${tag}`);
    return this;
  }

  /** The parts of a SEQUENCE, SET or [0]: at least `least`. */
  parts(tag: number, least = 0): Der[] {
    const found = this.is(tag).children();
    if (found.length < least) throw malformed(`${found.length} parts instead of at least ${least}`);
    return found;
  }

  /** An OBJECT IDENTIFIER in hex: `2a8648…`. Only for comparison. */
  oid(): string {
    return hex(this.is(OID).value);
  }

  /** An INTEGER's bytes in hex, unchanged. */
  integer(): string {
    return hex(this.is(INTEGER).value);
  }
}

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const OCTETS = 0x04;
export const OID = 0x06;
export const TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;
/** `[0]` and `[3]`, constructed. */
export const TAGGED_0 = 0xa0;
export const TAGGED_3 = 0xa3;

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function malformed(what: string): HoldfastError {
  return new HoldfastError("malformed", `not the expected DER structure: ${what}`);
}
