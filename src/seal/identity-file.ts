import { generateX25519Identity, identityToRecipient } from "age-encryption";

/** An age key pair. */
export interface KeyPair {
  /** The identity file with the private key, as age-keygen writes it. */
  readonly file: string;
  /** The public key. */
  readonly recipient: string;
}

export async function makeKeyPair(now: Temporal.Instant): Promise<KeyPair> {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const created = now.toString({ smallestUnit: "second" });
  return { file: `# created: ${created}\n# public key: ${recipient}\n${identity}\n`, recipient };
}
