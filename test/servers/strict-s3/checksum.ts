import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Refusal } from "./refusal.ts";
import type { Request } from "./request.ts";

type Digest = (bytes: Uint8Array) => Buffer;

/**
 * The algorithms that Node supports. CRC32C and CRC64NVME are refused as not implemented, because they cannot be
 * checked.
 */
const ALGORITHMS: Readonly<Record<string, Digest>> = {
  sha256: (bytes) => createHash("sha256").update(bytes).digest(),
  sha1: (bytes) => createHash("sha1").update(bytes).digest(),
  crc32: (bytes) => {
    const value = Buffer.alloc(4);
    value.writeUInt32BE(crc32(bytes));
    return value;
  },
};
const PREFIX = "x-amz-checksum-";
/** Headers that name or request an algorithm and contain no digest. */
const NOT_DIGESTS = new Set([`${PREFIX}mode`, `${PREFIX}algorithm`, `${PREFIX}type`]);

/**
 * Checks the digests sent with a body. With `required`, the rule of Object Lock, a write without a digest is refused.
 * Returns the checksum header for the answer, if one was given.
 */
export function checkBody({ headers, body }: Request, required: boolean): Record<string, string> {
  const names = Object.keys(headers).filter((name) => name.startsWith(PREFIX) && !NOT_DIGESTS.has(name));
  const md5 = headers["content-md5"];
  const announced = headers["x-amz-sdk-checksum-algorithm"];
  if (announced !== undefined && !names.includes(PREFIX + String(announced).toLowerCase())) {
    throw new Refusal(400, "InvalidRequest", "x-amz-sdk-checksum-algorithm without its checksum");
  }
  if (names.length > 1) throw new Refusal(400, "InvalidRequest", "expecting a single x-amz-checksum- header");
  if (required && names.length === 0 && md5 === undefined) {
    throw new Refusal(400, "InvalidRequest", "Content-MD5 OR x-amz-checksum- is required with Object Lock");
  }
  if (md5 !== undefined) {
    const given = Buffer.from(String(md5), "base64");
    if (given.length !== 16) throw new Refusal(400, "InvalidDigest");
    if (!given.equals(createHash("md5").update(body).digest())) throw new Refusal(400, "BadDigest");
  }
  const answer: Record<string, string> = {};
  for (const name of names) {
    const algorithm = ALGORITHMS[name.slice(PREFIX.length)];
    if (algorithm === undefined) throw new Refusal(501, "NotImplemented", name);
    const expected = algorithm(body);
    const given = Buffer.from(String(headers[name]), "base64");
    if (given.length !== expected.length) throw new Refusal(400, "InvalidRequest", `the value of ${name} is invalid`);
    if (!given.equals(expected)) throw new Refusal(400, "BadDigest");
    answer[name] = expected.toString("base64");
  }
  return answer;
}
