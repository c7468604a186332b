import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { HoldfastError, hasCode } from "../../src/core/error.ts";
import type { Lock, PutOptions } from "../../src/vault/vault.ts";
import type { Seen } from "../servers/strict-s3.ts";
import { collect, text } from "./body.ts";
import { code } from "./refusal.ts";
import { strictVault } from "./strict-vault.ts";

const until = Temporal.Instant.from("2099-01-01T00:00:00Z");
const locks: Lock[] = [
  { mode: "compliance", until },
  { mode: "governance", until: until.add({ milliseconds: 250 }) },
];

/** Headers with the SDK's attempts, and those that differ in every signature. */
const OWN = new Set(["amz-sdk-invocation-id", "amz-sdk-request", "authorization", "x-amz-date", "x-amz-user-agent"]);

const said = ({ headers }: Seen) => Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.has(name)));

const signed = ({ headers }: Seen): string[] =>
  /SignedHeaders=([^,]+)/
    .exec(headers.authorization!)![1]!
    .split(";")
    .filter((name) => !OWN.has(name));

describe("PUTs after the first, which the SDK only signs and sends", () => {
  const options: Record<string, PutOptions> = {
    "with nothing else": {},
    "create-only": { ifAbsent: true },
    ...Object.fromEntries(locks.map((lock) => [`locked in ${lock.mode} mode`, { lock, ifAbsent: true }])),
  };
  for (const [name, each] of Object.entries(options)) {
    test(`send and sign the same as the SDK's own: ${name}`, async () => {
      await using strict = await strictVault();
      for (const key of ["records/aa/1.age", "records/aa/2.age"]) await strict.vault.put(key, text("same"), each);
      const [first, second] = strict.server.seen;
      assert.ok(first!.headers["amz-sdk-request"] && !second!.headers["amz-sdk-request"]);
      assert.deepEqual(said(second!), said(first!));
      assert.deepEqual(signed(second!), signed(first!));
      assert.equal(first!.key?.replace("1.age", "2.age"), second!.key);
    });
  }

  test("a body in pieces is stored whole, with the headers of one in one piece", async () => {
    await using strict = await strictVault();
    const pieces = ["one ", "", "two ", "three"].map(text);
    for (const key of ["records/first", "records/second"]) {
      await strict.vault.put(key, text("one two three"));
      const { versionId, size } = await strict.vault.put(key, pieces, { ifAbsent: false });
      assert.equal(size, 13);
      assert.deepEqual(await collect(await strict.vault.stream(key, versionId)), Buffer.from("one two three"));
    }
    const puts = strict.server.seen.filter(({ operation }) => operation === "PutObject");
    for (const put of puts.slice(1)) assert.deepEqual(said(put), said(puts[0]!));
  });

  test("a compare-and-swap sends its etag", async () => {
    await using strict = await strictVault();
    const { etag } = await strict.vault.put("lease.json", text("one"));
    await strict.vault.put("lease.json", text("two"), { ifMatch: etag });
    await assert.rejects(strict.vault.put("lease.json", text("three"), { ifMatch: etag }), code("vault-conflict"));
  });

  test("a key that a URL must escape goes through the SDK", async () => {
    await using strict = await strictVault();
    for (const key of ["a/plain", "a/with space", "a/ü+%"]) {
      await strict.vault.put(key, text(key));
      assert.deepEqual((await strict.vault.read(key, 100)).bytes, Buffer.from(key));
    }
  });

  const refusals = [
    { status: 503, name: "SlowDown", headers: { "retry-after": "7" }, is: "vault-unavailable", retryAfter: 7000 },
    { status: 500, name: "InternalError", headers: {}, is: "vault-unavailable", retryAfter: undefined },
    { status: 403, name: "ExpiredToken", headers: {}, is: "vault-denied", retryAfter: undefined },
    { status: 403, name: "RequestTimeTooSkewed", headers: {}, is: "vault-denied", retryAfter: undefined },
    { status: 412, name: "PreconditionFailed", headers: {}, is: "vault-exists", retryAfter: undefined },
    { status: 400, name: "InvalidArgument", headers: {}, is: "vault-rejected", retryAfter: undefined },
    { status: 400, name: "XAmzContentSHA256Mismatch", headers: {}, is: "vault-unavailable", retryAfter: undefined },
  ] as const;
  for (const { status, name, headers, is, retryAfter } of refusals) {
    test(`${status} ${name} gives the same error as through the SDK, in one request; the next goes through the SDK`, async () => {
      await using strict = await strictVault();
      const { vault, server } = strict;
      const told: HoldfastError[] = [];
      const put = (key: string) => vault.put(key, text("x"), { ifAbsent: true });
      for (const before of ["none", "one"]) {
        if (before === "one") await put("records/first");
        server.setFaults([{ operation: "PutObject", fails: { status, code: name, headers } }]);
        await put("records/second").then(
          () => assert.fail(),
          (error) => told.push(error),
        );
        server.setFaults([]);
      }
      const [own, other] = told;
      assert.ok(hasCode(own, is));
      assert.equal(own instanceof HoldfastError && own.retryAfter, retryAfter);
      for (const field of ["code", "message", "hint", "retryAfter"] as const) assert.equal(other![field], own![field]);
      // After refused credentials it retries once: they may have been rotated.
      assert.equal(server.requests.PutObject, name === "ExpiredToken" ? 5 : 3);
      await put("records/third");
      assert.ok(server.seen.at(-1)!.headers["amz-sdk-request"]);
    });
  }

  test("a broken connection is not an answer, and an error in a 200 is an error", async () => {
    await using strict = await strictVault();
    const { vault, server } = strict;
    await vault.put("records/1", text("x"));
    server.setFaults([{ operation: "PutObject", fails: "reset" }]);
    await assert.rejects(vault.put("records/2", text("x")), code("vault-unavailable"));
    server.setFaults([]);
    await vault.put("records/3", text("x"));
    server.intercept((request, response) => {
      request.resume();
      response.end("<Error><Code>InternalError</Code></Error>");
      return request.method === "PUT";
    });
    await assert.rejects(vault.put("records/4", text("x")), code("vault-unavailable"));
  });

  test("an endless error answer is cut off and reported by us", async () => {
    await using strict = await strictVault();
    const { vault, server } = strict;
    const endless = new Uint8Array(65_536).fill(32);
    for (const before of ["none", "one"]) {
      if (before === "one") await vault.put("records/1", text("x"));
      server.intercept((request, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(endless));
        };
        request.resume();
        response.writeHead(500).on("drain", more);
        more();
        return true;
      });
      await assert.rejects(vault.put("records/2", text("x")), {
        code: "vault-rejected",
        message: "the store's answer exceeds 16777216 bytes",
      });
      server.intercept(() => false);
    }
  });

  test("expired credentials are fetched again", async () => {
    let given = 0;
    const role = createServer((_, response) => {
      given += 1;
      // Soon enough for the SDK to treat them as expired.
      const Expiration = new Date(Date.now() + 60_000).toISOString();
      response.end(JSON.stringify({ AccessKeyId: "a", SecretAccessKey: "s", Token: `token-${given}`, Expiration }));
    }).listen(0, "127.0.0.1");
    await once(role, "listening");
    const before = { ...process.env };
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = `http://127.0.0.1:${(role.address() as AddressInfo).port}/`;
    try {
      await using strict = await strictVault();
      for (const key of ["1", "2", "3", "4", "5", "6"]) await strict.vault.put(key, text("x"));
      const tokens = strict.server.seen.map(({ headers }) => headers["x-amz-security-token"]);
      // The SDK uses the old ones while it fetches new ones.
      assert.ok(new Set(tokens.slice(1)).size > 1, tokens.join());
      assert.ok(strict.server.seen.every((request) => signed(request).includes("x-amz-security-token")));
    } finally {
      process.env = before;
      role.closeAllConnections();
      role.close();
    }
  });
});
