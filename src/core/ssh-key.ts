import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { HoldfastError } from "./error.ts";
import { redacted } from "./redacted.ts";

/**
 * The public key of someone who may approve retrievals. In OpenSSH's form: `ssh-ed25519 AAAA… ada@acme`, or
 * `sk-ssh-ed25519@openssh.com` for a security key. Or `ed25519:<base64>`, the 32 bytes of a bare Ed25519 key.
 */
export interface Approver {
  /** Without the comment. */
  readonly key: string;
  readonly kind: "ssh-ed25519" | "sk-ssh-ed25519@openssh.com" | "ed25519";
  /** The key as an SSH signature names it, or the 32 bytes of a bare key. */
  readonly wire: Buffer;
  readonly publicKey: KeyObject;
  /** Only for a key on a security key. */
  readonly application: string;
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
}

/** @throws HoldfastError "config" */
export function parseApprover(value: string): Approver {
  const bare = /^ed25519:([A-Za-z0-9+/]{43}=)$/.exec(value.trim())?.[1];
  if (bare !== undefined) return approver("ed25519", value.trim(), Buffer.from(bare, "base64"), "", value);
  const [, kind, base64] =
    /^(ssh-ed25519|sk-ssh-ed25519@openssh\.com) ([A-Za-z0-9+/]+={0,2})(?: .*)?$/.exec(value.trim()) ?? [];
  if (kind === undefined || base64 === undefined) throw refused(value);
  const wire = Buffer.from(base64, "base64");
  const parts = new SshReader(wire);
  try {
    if (parts.text() !== kind) throw refused(value);
    const key = parts.string();
    const application = kind === "ssh-ed25519" ? "" : parts.text();
    if (!parts.done) throw refused(value);
    return approver(kind as Approver["kind"], `${kind} ${base64}`, wire, application, value, key);
  } catch (error) {
    throw error instanceof HoldfastError ? error : refused(value);
  }
}

function approver(
  kind: Approver["kind"],
  key: string,
  wire: Buffer,
  application: string,
  value: string,
  raw: Buffer = wire,
): Approver {
  if (raw.length !== 32) throw refused(value);
  const publicKey = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") },
    format: "jwk",
  });
  const digest = createHash("sha256").update(wire).digest("base64").replace(/=+$/, "");
  return { key, kind, wire, publicKey, application, fingerprint: `SHA256:${digest}` };
}

function refused(value: string): HoldfastError {
  // A private key pasted by mistake must not be repeated.
  const what = /PRIVATE KEY/.test(value) ? "a private key (not shown)" : redacted(value.slice(0, 30));
  return new HoldfastError("config", `${what} is not an approver's public key`, {
    hint: "use the line of a .pub file that begins with ssh-ed25519 (ssh-keygen -t ed25519), or ed25519:<base64>",
  });
}

/** Reads the length-prefixed strings of RFC 4251, section 5. Throws RangeError if they are truncated. */
export class SshReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw new RangeError("too short");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  string(): Buffer {
    return this.take(this.uint32());
  }

  text(): string {
    return this.string().toString("utf8");
  }
}
