/**
 * Keys of signed notes (C2SP signed-note, Ed25519): a name, a short ID, and 32 bytes.
 *
 * Key strings come from config and vault.json: anything that is not exactly a key throws `malformed`. No message and no
 * cause contains any part of a private key.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign as signBytes,
  verify as verifyBytes,
} from "node:crypto";
import { HoldfastError, hasCode } from "../core/error.ts";
import { parseBase64, parseText } from "./canonical.ts";

const ED25519 = 0x01;
// The fixed DER in front of a raw key (RFC 8410): SubjectPublicKeyInfo and PKCS #8.
const SPKI = Buffer.from("302a300506032b6570032100", "hex");
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** A public key that verifies notes. */
export class Verifier {
  readonly name: string;
  /** Key ID, 8 hex digits: the first 4 bytes of SHA-256(name || LF || 0x01 || public key). */
  readonly id: string;
  /** The key as a string: `<name>+<id>+<base64(0x01 || public key)>`. Not secret. */
  readonly vkey: string;
  readonly #key: KeyObject;

  /** `raw`: the 32 bytes of the public key. */
  constructor(name: string, raw: Uint8Array) {
    checkName(name);
    const typed = Buffer.concat([Uint8Array.of(ED25519), raw]);
    this.name = name;
    this.id = createHash("sha256").update(`${name}\n`).update(typed).digest("hex").slice(0, 8);
    this.vkey = `${name}+${this.id}+${typed.toString("base64")}`;
    this.#key = importKey("public", raw);
  }

  /** Whether this key signed these bytes. */
  verify(message: Uint8Array, signature: Uint8Array): boolean {
    return signature.length === 64 && verifyBytes(null, message, this.#key, signature);
  }
}

/** A private key. Printing, serialising or inspecting this object does not reveal it. */
export class Signer {
  readonly name: string;
  readonly id: string;
  /** The public half. */
  readonly verifier: Verifier;
  readonly #key: KeyObject;

  /** `seed`: the 32 bytes of the private key. The caller may erase them afterwards. */
  constructor(name: string, seed: Uint8Array) {
    this.#key = importKey("private", seed);
    const spki = createPublicKey(this.#key).export({ format: "der", type: "spki" });
    this.verifier = new Verifier(name, spki.subarray(SPKI.length));
    this.name = name;
    this.id = this.verifier.id;
  }

  sign(message: Uint8Array): Buffer {
    return signBytes(null, message, this.#key);
  }
}

/** A new key pair as strings. `skey` is the secret, in the form that parseSigner reads. */
export function generateKey(name: string): { skey: string; vkey: string } {
  const seed = randomBytes(32);
  const { id, vkey } = new Signer(name, seed).verifier;
  const typed = Buffer.concat([Uint8Array.of(ED25519), seed]);
  return { skey: `PRIVATE+KEY+${name}+${id}+${typed.toString("base64")}`, vkey };
}

/** Parses `<name>+<8 hex>+<base64(0x01 || public key)>`. The ID must match the key. */
export function parseVerifier(vkey: string): Verifier {
  const { name, id, raw } = parseKey(vkey);
  const verifier = new Verifier(name, raw);
  if (verifier.id !== id) throw malformed("the key's ID does not match its name and bytes");
  return verifier;
}

/** Parses Go's form of a private key, `PRIVATE+KEY+<name>+<8 hex>+<base64(0x01 || seed)>`. No error quotes it. */
export function parseSigner(skey: string): Signer {
  const prefix = "PRIVATE+KEY+";
  if (!skey.startsWith(prefix)) throw malformed("not a private note key");
  const { name, id, raw } = parseKey(skey.slice(prefix.length));
  const signer = new Signer(name, raw);
  if (signer.id !== id) throw malformed("the key's ID does not match its name and bytes");
  return signer;
}

function parseKey(text: string): { name: string; id: string; raw: Uint8Array } {
  // 32 bytes and one type byte are 44 characters of base64 without padding.
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(text);
  if (match === null) throw malformed("a note key must have the form <name>+<ID>+<key>");
  const bytes = parseBase64(match[3]!);
  if (bytes[0] !== ED25519) throw malformed("the note key is not an Ed25519 key");
  return { name: match[1]!, id: match[2]!, raw: bytes.subarray(1) };
}

/**
 * Refuses a key name that is empty or contains a Unicode space, a plus sign or a control character (C2SP signed-note).
 * Also refuses two characters that look blank: U+2800 and U+FFFC.
 */
export function checkName(name: string): void {
  parseText(name, Number.POSITIVE_INFINITY); // no limit here: a note has one
  if (!/^[^\p{White_Space}+\u2800\uFFFC]+$/u.test(name))
    throw malformed("the key's name is empty, or contains a space or a plus sign");
}

function importKey(half: "public" | "private", raw: Uint8Array): KeyObject {
  if (raw.length !== 32) throw malformed("an Ed25519 key must have 32 bytes");
  const key = Buffer.concat([half === "public" ? SPKI : PKCS8, raw]);
  try {
    return half === "public"
      ? createPublicKey({ key, format: "der", type: "spki" })
      : createPrivateKey({ key, format: "der", type: "pkcs8" });
  } catch {
    throw malformed("not an Ed25519 key"); // no cause: it might quote the key
  } finally {
    key.fill(0);
  }
}

function malformed(message: string): HoldfastError {
  return new HoldfastError("malformed", message);
}

const RESTORE = "Restore the file that `holdfast init` made, from your backup; a log cannot go on under another key.";

/**
 * A log's private key that the config names. What is wrong with it is the config's fault and no sign that anyone changed
 * the vault: throws `config`, never `malformed`.
 * @param reference names it in an error, which holds no part of it
 */
export function ownSigner(skey: string, reference: string): Signer {
  try {
    return parseSigner(skey);
  } catch (cause) {
    if (!hasCode(cause, "malformed")) throw cause;
    const why = hasForm(skey) ? "its check digits do not fit" : "it does not begin with PRIVATE+KEY+, or is cut off";
    throw new HoldfastError("config", `${reference} is not a log key: ${why}`, { hint: RESTORE });
  }
}

function hasForm(skey: string): boolean {
  return /^PRIVATE\+KEY\+[^+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/.test(skey);
}
