import assert from "node:assert/strict";
import { createDecipheriv, createHash, hkdfSync } from "node:crypto";
import { describe, test } from "node:test";
import { inflateSync } from "node:zlib";
import * as vectors from "cctv-age";
import { Secret } from "../../src/config/secret.ts";
import { type ErrorCode, HoldfastError } from "../../src/core/error.ts";
import { Opener } from "../../src/seal/open.ts";
import { inPieces, released } from "./pair.ts";

/** The C2SP vectors for age (CCTV): a text header, an empty line, an age file. */
interface Vector {
  readonly expect: string;
  readonly identities: readonly string[];
  readonly payload: string | undefined;
  readonly fileKey: Buffer | undefined;
  readonly armored: boolean;
  readonly passphrase: boolean;
  readonly file: Buffer;
}

function parse(bytes: Uint8Array): Vector {
  const whole = Buffer.from(bytes);
  const end = whole.indexOf("\n\n");
  const lines = whole.toString("utf8", 0, end).split("\n");
  const all = (name: string) =>
    lines.flatMap((line) => (line.startsWith(`${name}: `) ? line.slice(name.length + 2) : []));
  const file = whole.subarray(end + 2);
  const [fileKey] = all("file key");
  return {
    expect: all("expect")[0]!,
    identities: all("identity"),
    payload: all("payload")[0],
    fileKey: fileKey === undefined ? undefined : Buffer.from(fileKey, "hex"),
    armored: all("armored").length > 0,
    passphrase: all("passphrase").length > 0,
    file: all("compressed")[0] === "zlib" ? inflateSync(file) : file,
  };
}

/** The expected code, or undefined for success. Sealed objects are never armored or sealed to a passphrase. */
function expected({ expect, armored, passphrase }: Vector): readonly (ErrorCode | undefined)[] {
  if (armored) return ["unverified"];
  if (passphrase) return ["key", "unverified"];
  switch (expect) {
    case "success":
      return [undefined];
    case "no match":
      return ["key"];
    case "header failure":
    case "HMAC failure":
    case "payload failure":
      return ["unverified"];
  }
  throw new RangeError(expect);
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/**
 * The authenticated start of a payload, computed with node:crypto: a full chunk may be the last, a short one must be,
 * and nothing may follow the last.
 */
function reference({ file, fileKey }: Vector): Buffer {
  const start = file.indexOf("\n", file.indexOf("\n---") + 1) + 1;
  const key = Buffer.from(hkdfSync("sha256", fileKey!, file.subarray(start, start + 16), "payload", 32));
  const out: Buffer[] = [];
  for (let at = start + 16, counter = 0; at < file.length; at += 65_552, counter++) {
    const chunk = file.subarray(at, at + 65_552);
    const decrypt = (last: number): Buffer | undefined => {
      const nonce = Buffer.alloc(12);
      nonce.writeUIntBE(counter, 5, 6);
      nonce[11] = last;
      try {
        const cipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
        cipher.setAuthTag(chunk.subarray(-16));
        return Buffer.concat([cipher.update(chunk.subarray(0, -16)), cipher.final()]);
      } catch {
        return undefined;
      }
    };
    const inner = chunk.length === 65_552 ? decrypt(0) : undefined;
    const plain = inner ?? decrypt(1);
    if (plain !== undefined) out.push(plain);
    if (inner === undefined) break;
  }
  return Buffer.concat(out);
}

const parsed = new Map(
  Object.entries(vectors as unknown as Record<string, Uint8Array>).map(([name, bytes]) => [name, parse(bytes)]),
);

test("the number of vectors of each kind is right", () => {
  assert.ok(parsed.size >= 143, String(parsed.size));
  const kinds = new Set(Array.from(parsed.values(), ({ expect }) => expect));
  assert.deepEqual([...kinds].sort(), [
    "HMAC failure",
    "armor failure",
    "header failure",
    "no match",
    "payload failure",
    "success",
  ]);
});

describe("CCTV", () => {
  for (const [name, vector] of parsed) {
    test(`${name}: ${vector.expect}`, async () => {
      const opener = new Opener(vector.identities.map((identity) => new Secret(identity)));
      const codes = expected(vector);
      const codeOf = (error: unknown): ErrorCode | undefined => {
        assert.ok(error === undefined || error instanceof HoldfastError, String(error));
        return error?.code;
      };
      const { got, error } = await released(
        opener.openStream(inPieces(vector.file, vector.file.length > 1_000_000 ? 60_013 : 1_021)),
      );
      assert.ok(codes.includes(codeOf(error)), String(error));
      const whole = await opener.open(vector.file).then(
        (plain) => ({ plain, thrown: undefined }),
        (thrown: unknown) => ({ plain: undefined, thrown }),
      );
      assert.equal(codeOf(whole.thrown), codeOf(error));

      if (error === undefined) {
        assert.equal(sha256(got), vector.payload);
        assert.equal(sha256(whole.plain!), vector.payload);
      } else if (vector.expect === "payload failure" && !vector.armored) {
        // The vector's hash covers everything authenticated. Holdfast holds back a full chunk that may be the last.
        const authentic = reference(vector);
        assert.equal(sha256(authentic), vector.payload);
        assert.deepEqual(got, authentic.subarray(0, got.length));
        assert.ok(got.length % 65_536 === 0 && authentic.length - got.length <= 65_536);
      } else {
        assert.equal(got.length, 0);
      }
    });
  }
});
