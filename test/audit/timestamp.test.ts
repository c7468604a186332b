import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { checkAuthority, readAnchors } from "../../src/audit/timestamp/authority.ts";
import { checkTimestamp } from "../../src/audit/timestamp/check.ts";
import { query, requestTimestamp } from "../../src/audit/timestamp/request.ts";
import { MAX_TOKEN, parseToken } from "../../src/audit/timestamp/token.ts";
import { type ErrorCode, HoldfastError, hasCode } from "../../src/core/error.ts";
import { Openssl, Tsa } from "../servers/tsa.ts";

const digest = createHash("sha256").update("a checkpoint").digest("hex");
const other = createHash("sha256").update("another").digest("hex");
const NONCE = Buffer.from("4c08b79dd58800b8", "hex");
/** Never aborts: a timeout could end before the last test if the others are slow. */
const { signal } = new AbortController();
const soon = { signal, pauses: [1, 1] };

function refused(code: ErrorCode, message: RegExp) {
  return (error: unknown) => hasCode(error, code) && message.test((error as Error).message);
}

for (const key of ["ec", "rsa"] as const) {
  test(`an authority with an ${key} key: its answer passes the checks, and openssl agrees`, async () => {
    await using tsa = await Tsa.start(key);
    const before = Math.floor(Date.now() / 1000) * 1000;
    const anchors = await readAnchors(tsa.ca);
    const answer = await requestTimestamp(digest, { url: tsa.url, anchors }, soon);
    assert.equal(answer.authority, "CN=Test tsa");
    const at = Date.parse(answer.time);
    assert.ok(at >= before && at <= Date.now(), answer.time);
    assert.match(await tsa.openssl.verify(answer.bytes, digest), /Verification: OK/);
    await writeFile(tsa.openssl.path("asked.tsq"), tsa.queries[0]!);
    const read = await tsa.openssl.run("ts", "-query", "-in", "asked.tsq", "-text");
    assert.match(read, /Hash Algorithm: sha256[\s\S]*Certificate required: yes/);
  });
}

describe("refused", () => {
  let openssl: Openssl;
  let stranger: Openssl;
  let anchors: X509Certificate[];
  let good: Buffer;
  before(async () => {
    [openssl, stranger] = [await Openssl.make(), await Openssl.make()];
    anchors = await readAnchors(openssl.path("ca.pem"));
    good = await openssl.reply(query(digest, NONCE));
  });
  after(async () => {
    await openssl[Symbol.asyncDispose]();
    await stranger[Symbol.asyncDispose]();
  });

  test("a valid stamp is not refused", () => {
    assert.equal(checkTimestamp(good, { digest, nonce: NONCE.toString("hex"), anchors }).authority, "CN=Test tsa");
  });

  test("another root with the same name", async () => {
    const others = await readAnchors(stranger.path("ca.pem"));
    assert.throws(
      () => checkTimestamp(good, { digest, anchors: others }),
      refused("unverified", /not chain to a trusted one/),
    );
    await assert.rejects(stranger.verify(good, digest));
  });

  test("no root at all", () => {
    assert.throws(() => checkTimestamp(good, { digest, anchors: [] }), refused("unverified", /not chain to/));
  });

  test("the digest of other data", async () => {
    assert.throws(() => checkTimestamp(good, { digest: other, anchors }), refused("unverified", /about other data/));
    await assert.rejects(openssl.verify(good, other));
  });

  test("the answer to another request", () => {
    assert.throws(
      () => checkTimestamp(good, { digest, nonce: "4c08b79dd58800b9", anchors }),
      refused("unverified", /another request/),
    );
  });

  test("an authority that refused", async () => {
    const reply = await openssl.reply(query(digest, NONCE), "refuses");
    assert.throws(() => parseToken(reply), refused("unverified", /refused \(status 2\)/));
  });

  test("a certificate that had expired at the stamp's time", async () => {
    await using late = await Openssl.make();
    await late.issue("tsa", "tsa", "ca", -1);
    const reply = await late.reply(query(digest, NONCE));
    const trusted = await readAnchors(late.path("ca.pem"));
    assert.throws(() => checkTimestamp(reply, { digest, anchors: trusted }), refused("unverified", /was not valid at/));
    await assert.rejects(late.verify(reply, digest));
  });

  for (const [extensions, what] of [
    ["plain", "no purpose"],
    ["lax", "a purpose that is not critical"],
    ["both", "a second purpose"],
  ] as const) {
    test(`a certificate with ${what}`, async () => {
      await openssl.key(extensions);
      await openssl.issue(extensions, extensions, "ca");
      const signer = new X509Certificate(await readFile(openssl.path(`${extensions}.pem`)));
      assert.throws(
        () => checkAuthority(signer, [], anchors, new Date()),
        refused("unverified", /limited to time stamps/),
      );
    });
  }

  test("a chain: accepted through an intermediate CA, not through a certificate that is not a CA", async () => {
    await openssl.key("middle");
    for (const [kind, fits] of [
      ["ca", true],
      ["plain", false],
    ] as const) {
      await openssl.issue("middle", kind, "ca");
      await openssl.key("leaf");
      await openssl.issue("leaf", "tsa", "middle");
      const [leaf, middle] = await Promise.all(
        ["leaf", "middle"].map(async (name) => new X509Certificate(await readFile(openssl.path(`${name}.pem`)))),
      );
      const check = () => checkAuthority(leaf!, [leaf!, middle!], anchors, new Date());
      if (fits) assert.doesNotThrow(check);
      else assert.throws(check, refused("unverified", /not chain to/));
    }
  });

  test("any changed byte: never another time, another authority or a foreign error", () => {
    const truth = checkTimestamp(good, { digest, anchors });
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Buffer.from(good);
        bytes[at]! ^= flip;
        try {
          assert.deepEqual(checkTimestamp(bytes, { digest, anchors }), truth);
        } catch (error) {
          assert.ok(error instanceof HoldfastError, String(error));
        }
      }),
      { numRuns: 2_000 },
    );
    for (const part of ["content", "signer.signed", "signer.signature"] as const) {
      const token = parseToken(good);
      const bytes =
        part === "content"
          ? token.content
          : part === "signer.signed"
            ? token.signer.signed.subarray(2)
            : token.signer.signature;
      const at = good.indexOf(bytes);
      assert.ok(at > 0, part);
      const changed = Buffer.from(good);
      changed[at + bytes.length - 1]! ^= 1;
      assert.throws(() => checkTimestamp(changed, { digest, anchors }), HoldfastError, part);
    }
  });

  test("garbage of any kind, and truncated input", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.nat(good.length - 1).map((n) => good.subarray(0, n)),
        ),
        (bytes) => {
          assert.throws(() => checkTimestamp(bytes, { digest, anchors }), HoldfastError);
        },
      ),
    );
    assert.throws(() => parseToken(Buffer.concat([good, Buffer.alloc(1)])), refused("malformed", /extra bytes/));
    assert.throws(() => parseToken(Buffer.alloc(MAX_TOKEN + 1)), refused("malformed", /longer than/));
  });
});

describe("over the network", () => {
  let tsa: Tsa;
  let anchors: X509Certificate[];
  const ask = (more = {}) => requestTimestamp(digest, { url: tsa.url, anchors }, { ...soon, ...more });
  before(async () => {
    tsa = await Tsa.start();
    anchors = await readAnchors(tsa.ca);
  });
  after(() => tsa[Symbol.asyncDispose]());

  test("busy twice: asks a third time, each time with another nonce", async () => {
    tsa.queries.length = 0;
    for (const status of [503, 429]) tsa.replies.push((_query, response) => void response.writeHead(status).end());
    assert.equal((await ask()).authority, "CN=Test tsa");
    assert.equal(new Set(tsa.queries.map(String)).size, 3);
  });

  test("always busy: gives up after three attempts", async () => {
    for (const status of [503, 503, 503]) tsa.replies.push((_query, response) => void response.writeHead(status).end());
    await assert.rejects(ask(), refused("timestamp", /answered 503/));
    assert.equal(tsa.replies.length, 0);
  });

  test("silent: gives up in time", async () => {
    tsa.replies.push(() => {});
    await assert.rejects(ask({ timeout: 50, pauses: [] }), refused("timestamp", /no answer in time/));
  });

  test("no server", async () => {
    const nowhere = { url: "http://127.0.0.1:9/", anchors };
    await assert.rejects(requestTimestamp(digest, nowhere, soon), refused("timestamp", /ECONNREFUSED/));
  });

  test("a replayed answer: refused, and not requested again", async () => {
    tsa.queries.length = 0;
    const old = await tsa.openssl.reply(query(digest, NONCE));
    tsa.replies.push((_query, response) => void response.end(old));
    await assert.rejects(ask(), refused("unverified", /another request/));
    assert.equal(tsa.queries.length, 1);
  });

  test("garbage, and an endless answer", async () => {
    tsa.replies.push((_query, response) => void response.end("<html>"));
    await assert.rejects(ask(), refused("malformed", /DER/));
    tsa.replies.push((_query, response) => void response.end(Buffer.alloc(MAX_TOKEN + 1)));
    await assert.rejects(ask(), refused("malformed", /longer than/));
  });
});

test("an invalid file of roots", async () => {
  await assert.rejects(readAnchors("/nowhere/ca.pem"), refused("config", /ENOENT/));
  await assert.rejects(readAnchors("package.json"), refused("config", /no certificate/));
});
