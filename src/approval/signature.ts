import { createHash, verify } from "node:crypto";
import { type Approver, SshReader } from "../core/ssh-key.ts";

/** What an approval is for, so that no signature made for another end passes: `ssh-keygen -Y sign -n …`. */
export const FOR_RETRIEVAL = "holdfast-retrieval";
export const FOR_PURGE = "holdfast-purge";

/**
 * Whether these bytes are this person's signature over a message: an SSH signature (OpenSSH's PROTOCOL.sshsig), or the
 * 64 bytes of a bare Ed25519 one, also in base64. `stranger`: an SSH signature, by another key. All of it is untrusted.
 * @param namespace what an SSH signature must be for
 */
export function checkSignature(
  message: Uint8Array,
  signature: Uint8Array,
  approver: Approver,
  namespace: string,
): "good" | "bad" | "stranger" {
  if (approver.kind === "ed25519") {
    const bytes =
      signature.length === 64 ? signature : Buffer.from(Buffer.from(signature).toString("latin1"), "base64");
    return bytes.length === 64 && verify(null, message, approver.publicKey, bytes) ? "good" : "stranger";
  }
  try {
    return checkSsh(message, Buffer.from(signature).toString("latin1"), approver, namespace);
  } catch (error) {
    if (error instanceof RangeError) return "bad";
    throw error;
  }
}

const ARMOR = /^-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END SSH SIGNATURE-----\r?\n?$/;
const MAGIC = "SSHSIG";

function checkSsh(
  message: Uint8Array,
  armored: string,
  approver: Approver,
  wanted: string,
): "good" | "bad" | "stranger" {
  const body = ARMOR.exec(armored)?.[1];
  if (body === undefined) return "bad";
  const parts = new SshReader(Buffer.from(body, "base64"));
  if (parts.take(MAGIC.length).toString() !== MAGIC || parts.uint32() !== 1) return "bad";
  if (!parts.string().equals(approver.wire)) return "stranger";
  const namespace = parts.text();
  const reserved = parts.string();
  const hash = parts.text();
  const inner = new SshReader(parts.string());
  if (!parts.done || namespace !== wanted || (hash !== "sha512" && hash !== "sha256")) return "bad";
  if (inner.text() !== approver.kind) return "bad";
  const bytes = inner.string();
  const digest = createHash(hash).update(message).digest();
  const signed = Buffer.concat([Buffer.from(MAGIC), ...[namespace, reserved, hash, digest].map(sshString)]);
  if (approver.kind === "ssh-ed25519") {
    return inner.done && verify(null, signed, approver.publicKey, bytes) ? "good" : "bad";
  }
  // A token signs in its own frame, with flags and a counter (OpenSSH's PROTOCOL.u2f). It must have been touched.
  const [flags, counter] = [inner.take(1), inner.take(4)];
  const sha256 = (data: Uint8Array | string) => createHash("sha256").update(data).digest();
  const framed = Buffer.concat([sha256(approver.application), flags, counter, sha256(signed)]);
  const touched = (flags[0]! & 1) === 1;
  return inner.done && touched && verify(null, framed, approver.publicKey, bytes) ? "good" : "bad";
}

function sshString(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
