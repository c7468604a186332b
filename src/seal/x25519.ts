import {
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import { base64nopad, bech32 } from "@scure/base";
import { type Recipient, Stanza } from "age-encryption";

/** A classical recipient: the only type whose data part is a bare X25519 key. */
const CLASSICAL = /^age1[ac-hj-np-z02-9]+$/;

/**
 * An X25519 recipient with node:crypto. Makes the same bytes as age-encryption, about four times faster: a key pair for
 * one stanza, its shared secret with the recipient's key, and the file key encrypted with a key derived from that
 * secret (HKDF-SHA-256, bound to both public keys). The nonce is zero, because this key encrypts nothing else. OpenSSL
 * refuses low-order points.
 */
export class X25519Recipient implements Recipient {
  readonly #bytes: Uint8Array;
  readonly #key: KeyObject;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#key = createPublicKey({ key: Buffer.from(bytes), format: "raw-public", asymmetricKeyType: "x25519" });
  }

  /**
   * A recipient for age-encryption: this class for a classical one, otherwise its name, for the library's own class.
   */
  static orName(recipient: string): X25519Recipient | string {
    return CLASSICAL.test(recipient) ? new X25519Recipient(bech32.decodeToBytes(recipient).bytes) : recipient;
  }

  wrapFileKey(fileKey: Uint8Array): Stanza[] {
    const ephemeral = createPrivateKey({
      key: crypto.getRandomValues(Buffer.alloc(32)),
      format: "raw-private",
      asymmetricKeyType: "x25519",
    });
    const share = createPublicKey(ephemeral).export({ format: "raw-public" });
    const secret = diffieHellman({ privateKey: ephemeral, publicKey: this.#key });
    const salt = Buffer.concat([share, this.#bytes]);
    const key = new Uint8Array(hkdfSync("sha256", secret, salt, "age-encryption.org/v1/X25519", 32));
    const cipher = createCipheriv("chacha20-poly1305", key, new Uint8Array(12), { authTagLength: 16 });
    const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
    return [new Stanza(["X25519", base64nopad.encode(share)], body)];
  }
}
