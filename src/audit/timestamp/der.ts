import { HoldfastError } from "../../core/error.ts";

/**
 * One element of DER (X.690), as its bytes stand: signatures are over them, so nothing is ever written again. The input
 * is untrusted. "malformed" for what is not DER, or not of the expected kind.
 */
export class Der {
  readonly tag: number;
  /** Tag and length included. */
  readonly bytes: Uint8Array;
  readonly value: Uint8Array;

  private constructor(bytes: Uint8Array, header: number) {
    this.tag = bytes[0]!;
    this.bytes = bytes;
    this.value = bytes.subarray(header);
  }

  /** Exactly one element. */
  static parse(bytes: Uint8Array): Der {
    const element = Der.#first(bytes);
    if (element.bytes.length !== bytes.length) throw malformed("something follows it");
    return element;
  }

  static #first(bytes: Uint8Array): Der {
    const [tag, short] = bytes;
    if (tag === undefined || short === undefined) throw malformed("it ends too soon");
    if ((tag & 0x1f) === 0x1f) throw malformed("a tag of several bytes");
    const more = short < 0x80 ? 0 : short - 0x80;
    if (short === 0x80 || more > 4) throw malformed("a length that is not definite, or too long");
    let length = more === 0 ? short : 0;
    for (const byte of bytes.subarray(2, 2 + more)) length = length * 256 + byte;
    if (more > 0 && (length < 0x80 || bytes[2] === 0)) throw malformed("a length with leading zeros");
    const header = 2 + more;
    if (bytes.length < header + length) throw malformed("it ends too soon");
    return new Der(bytes.subarray(0, header + length), header);
  }

  /** What a constructed element holds. */
  children(): Der[] {
    const found: Der[] = [];
    for (let rest = this.value; rest.length > 0; rest = rest.subarray(found.at(-1)!.bytes.length)) {
      found.push(Der.#first(rest));
    }
    return found;
  }

  /** The same element, which must have this tag. */
  is(tag: number): Der {
    if (this.tag !== tag) throw malformed(`tag ${this.tag} where ${tag} must be`);
    return this;
  }

  /** Of a SEQUENCE, SET or [0]: its parts, at least so many. */
  parts(tag: number, least = 0): Der[] {
    const found = this.is(tag).children();
    if (found.length < least) throw malformed(`${found.length} parts where ${least} must be`);
    return found;
  }

  /** Of an OBJECT IDENTIFIER, in hex: `2a8648…`. Compared, never shown. */
  oid(): string {
    return hex(this.is(OID).value);
  }

  /** Of an INTEGER, in hex, as it stands. */
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
  return new HoldfastError("malformed", `not a DER structure of the kind that is expected: ${what}`);
}
