/**
 * Stores the same objects with the SDK in the usual way: plain, or sealed by age-encryption. Locked, with Content-MD5.
 *
 *     node put.ts <bucket> <sizes> <concurrency> [recipient…]
 */
import { createHash, randomBytes } from "node:crypto";
import { Agent } from "node:http";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Encrypter } from "age-encryption";
import PQueue from "p-queue";

const [bucket, sizes, concurrency, ...recipients] = process.argv.slice(2);
const age = new Encrypter();
for (const recipient of recipients) age.addRecipient(recipient);
const client = new S3Client({
  ...{ endpoint: process.env.HOLDFAST_TEST_S3!, forcePathStyle: true, region: "us-east-1" },
  requestChecksumCalculation: "WHEN_REQUIRED",
  requestHandler: { httpAgent: new Agent({ keepAlive: true, maxSockets: Number(concurrency) }) },
});
const until = new Date(Math.ceil(Date.now() / 1000) * 1000 + 90 * 86_400_000);
const content = randomBytes(Math.max(...(JSON.parse(sizes!) as number[])));
const queue = new PQueue({ concurrency: Number(concurrency) });
for (const [n, size] of (JSON.parse(sizes!) as number[]).entries()) {
  await queue.onSizeLessThan(100);
  void queue.add(async () => {
    const plain = content.subarray(0, size);
    const body = recipients.length > 0 ? await age.encrypt(plain) : plain;
    await client.send(
      new PutObjectCommand({
        ...{ Bucket: bucket!, Key: `put/${String(n % 256).padStart(3, "0")}/${n}`, Body: body },
        ContentMD5: createHash("md5").update(body).digest("base64"),
        ...{ ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: until },
      }),
    );
  });
}
await queue.onIdle();
client.destroy();
