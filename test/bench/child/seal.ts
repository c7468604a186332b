/** How fast one process seals to two recipients: age-encryption and Holdfast, in turn. `node seal.ts <rounds>` */
import { randomBytes } from "node:crypto";
import { Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { parseRecipients } from "../../../src/config/recipients.ts";
import { Sealer } from "../../../src/seal/seal.ts";

/** Milliseconds for each figure. */
const TIME = 500;
const recipients = [];
for (let n = 0; n < 2; n++) recipients.push(await identityToRecipient(await generateX25519Identity()));
const sealer = new Sealer(await parseRecipients(recipients));
const library = new Encrypter();
for (const recipient of recipients) library.addRecipient(recipient);

async function perSecond(seal: () => Promise<Uint8Array>): Promise<number> {
  await seal();
  const begun = performance.now();
  let count = 0;
  let elapsed = 0;
  for (; elapsed < TIME; elapsed = performance.now() - begun) {
    await seal();
    count += 1;
  }
  return count / (elapsed / 1000);
}

const figures: { name: string; by: string; perSecond: number }[] = [];
for (let round = 0; round < Number(process.argv[2]); round++) {
  for (const [name, size] of [
    ["4 KB", 4096],
    ["64 KB", 65_536],
    ["1 MB", 1_048_576],
    ["5 MB", 5_000_000],
  ] as const) {
    const plain = randomBytes(size);
    figures.push({ name, by: "age-encryption", perSecond: await perSecond(() => library.encrypt(plain)) });
    figures.push({ name, by: "Holdfast", perSecond: await perSecond(() => sealer.seal(plain)) });
  }
}
process.stdout.write(JSON.stringify(figures));
