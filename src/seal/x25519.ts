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

/** A classical recipient: the only kind whose data part is a bare X25519 key. */
const CLASSICAL = /^age1[ac-hj-np-z02-9]+$/;

/**
 * An X25519 recipient by node:crypto, to the byte what age-encryption makes of it and some four times as fast: a key
 * pair for this one stanza, the secret it shares with the recipient's key, and under a key derived from that
 * (HKDF-SHA-256, bound to both public keys) the file key. The nonce is zero, because such a key seals nothing else.
 * A low-order point gives no secret: OpenSSL refuses it.
 */
export class X25519Recipient implements Recipient {
  readonly #bytes: Uint8Array;
  readonly #key: KeyObject;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#key = createPublicKey({ key: Buffer.from(bytes), format: "raw-public", asymmetricKeyType: "x25519" });
  }

  /** The recipient as age-encryption takes one: this where it is classical, else the library's own, by its name. */
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
