/**
 * As much of Node's Buffer as the code of src/audit and src/seal uses, for the browser: the page then verifies with the
 * very code that the command line verifies with. The bundler puts it in the place of the global.
 */
type Encoding = "utf8" | "hex" | "base64" | "base64url" | "latin1";

class Bytes extends Uint8Array {
  override toString(encoding: Encoding = "utf8", start = 0, end = this.length): string {
    const part = this.subarray(start, end);
    if (encoding === "utf8") return new TextDecoder().decode(part);
    let text = "";
    for (const byte of part) {
      text += encoding === "hex" ? byte.toString(16).padStart(2, "0") : String.fromCharCode(byte);
    }
    if (encoding === "hex" || encoding === "latin1") return text;
    const base64 = btoa(text);
    return encoding === "base64" ? base64 : base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  }

  override subarray(start?: number, end?: number): Bytes {
    return super.subarray(start, end) as Bytes;
  }

  equals(other: Uint8Array): boolean {
    return compare(this, other) === 0;
  }

  readUInt32BE(at = 0): number {
    return new DataView(this.buffer, this.byteOffset, this.length).getUint32(at);
  }

  writeUInt32BE(value: number, at = 0): void {
    new DataView(this.buffer, this.byteOffset, this.length).setUint32(at, value);
  }

  override indexOf(value: number | string | Uint8Array, from = 0): number {
    if (typeof value === "number") return super.indexOf(value, from);
    const wanted = typeof value === "string" ? new TextEncoder().encode(value) : value;
    for (let at = super.indexOf(wanted[0]!, from); at >= 0; at = super.indexOf(wanted[0]!, at + 1)) {
      if (at + wanted.length > this.length) return -1;
      if (wanted.every((byte, i) => this[at + i] === byte)) return at;
    }
    return -1;
  }
}

function from(input: string | ArrayBuffer | ArrayLike<number>, how?: Encoding | number, length?: number): Bytes {
  if (input instanceof ArrayBuffer) return new Bytes(input, how as number | undefined, length);
  if (typeof input !== "string") return new Bytes(input);
  if (how === "hex") return new Bytes((input.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));
  if (how === "base64") return fromBase64(input);
  if (how === "base64url") return fromBase64(input.replaceAll("-", "+").replaceAll("_", "/"));
  return new Bytes(new TextEncoder().encode(input));
}

/** What is not base64 becomes nothing: Node does not refuse it either. A strict reader writes it again and compares. */
function fromBase64(text: string): Bytes {
  try {
    return new Bytes(Array.from(atob(text), (character) => character.charCodeAt(0)));
  } catch {
    return new Bytes(0);
  }
}

function concat(parts: readonly Uint8Array[]): Bytes {
  const whole = new Bytes(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

export const Buffer = { alloc: (size: number) => new Bytes(size), from, concat, compare };
