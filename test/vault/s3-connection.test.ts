import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import type { S3Vault } from "../../src/vault/s3.ts";
import { freePort } from "../servers/ceph.ts";
import type { Failure } from "../servers/strict-s3/fault.ts";
import { collect, produce, text } from "./body.ts";
import { code } from "./refusal.ts";
import { type StrictVault, strictVault, vaultOn } from "./strict-vault.ts";

const KEY = "files/aa/a.age";
const SIZE = 3_000_000;
/** How long a connection may be silent where it is, in ms. A call that must succeed gets the patient vault. */
const IDLE = 200;
const PATIENT = 60_000;
/** The time limit of each test, even on a busy machine. */
const bounded = { timeout: 120_000 };

describe("S3 behind a bad connection", () => {
  let strict: StrictVault;
  let hasty: S3Vault;
  before(async () => {
    strict = await strictVault({}, PATIENT);
    hasty = vaultOn(strict.server, strict.bucket, IDLE);
    await strict.vault.put(KEY, Buffer.alloc(SIZE, 7));
  });
  beforeEach(() => {
    strict.server.setFaults([]);
    strict.server.intercept(() => false);
  });
  after(async () => {
    await hasty.close();
    await strict[Symbol.asyncDispose]();
  });

  for (const fails of ["reset", "lost-answer", "stall"] as const satisfies Failure[]) {
    test(`${fails}: every call ends with an error that may be retried`, bounded, async () => {
      const { server } = strict;
      const vault = fails === "stall" ? hasty : strict.vault;
      server.setFaults([{ fails }]);
      await assert.rejects(vault.head(KEY), code("vault-unavailable"));
      await assert.rejects(vault.stream(KEY), code("vault-unavailable"));
      await assert.rejects(vault.read(KEY, SIZE), code("vault-unavailable"));
      await assert.rejects(vault.put("audit/a", text("one")), code("vault-unavailable"));
      await assert.rejects(vault.put("audit/a", Buffer.alloc(SIZE)), code("vault-unavailable"));
      await assert.rejects(vault.put("audit/a", produce(10_000_000)), code("vault-unavailable"));
      for (const operation of ["UploadPart", "CompleteMultipartUpload"] as const) {
        server.setFaults([{ operation, fails }]);
        await assert.rejects(vault.put("audit/a", produce(10_000_000)), code("vault-unavailable"));
      }
    });
  }

  for (const fails of ["stalled-body", "cut-body"] as const satisfies Failure[]) {
    test(`${fails}: a partial body never counts as complete`, bounded, async () => {
      const vault = fails === "stalled-body" ? hasty : strict.vault;
      strict.server.setFaults([{ operation: "GetObject", fails }]);
      await assert.rejects(vault.stream(KEY).then(collect), code("vault-unavailable"));
      await assert.rejects(vault.read(KEY, SIZE), code("vault-unavailable"));
    });

    test(`${fails}: a partial listing never counts as complete`, bounded, async () => {
      // The page that stalls is asked for again, and must come within this time.
      const vault = vaultOn(strict.server, strict.bucket, 2_000);
      strict.server.setFaults([{ operation: "ListObjectsV2", fails, times: 1 }]);
      assert.deepEqual(
        (await Array.fromAsync(vault.list("files/"))).map(({ key }) => key),
        [KEY],
      );
      await vault.close();
    });
  }

  test("a body that failed before it was read does not count as empty", bounded, async () => {
    const closed = Promise.withResolvers<void>();
    strict.server.intercept((request, response) => {
      if (request.method !== "GET") return false;
      response.writeHead(200, { "content-length": String(SIZE), etag: '"e"' });
      response.write("x", () => response.socket?.resetAndDestroy());
      response.on("close", closed.resolve);
      return true;
    });
    const stream = await strict.vault.stream(KEY);
    await closed.promise;
    strict.server.intercept(() => false);
    await strict.vault.head(KEY);
    await assert.rejects(collect(stream), code("vault-unavailable"));
  });

  test("a body that is not read to its end blocks nothing", bounded, async () => {
    for (let i = 0; i < 12; i++) {
      for await (const _ of await strict.vault.stream(KEY)) break;
    }
    assert.equal((await strict.vault.head(KEY)).size, SIZE);
  });

  test("a slow body does not count as stalled", bounded, async () => {
    const vault = vaultOn(strict.server, strict.bucket, 3_000);
    strict.server.intercept((request, response) => {
      if (request.method !== "GET") return false;
      response.writeHead(200, { "content-length": "8", etag: '"e"' });
      let left = 8;
      const timer = setInterval(() => {
        response.write("x");
        if (--left === 0) clearInterval(timer);
      }, 450);
      return true;
    });
    assert.equal(String(await collect(await vault.stream(KEY))), "xxxxxxxx");
    await vault.close();
  });

  test("no server listens", bounded, async () => {
    const vault = vaultOn({ endpoint: `http://127.0.0.1:${await freePort()}` }, "bucket", IDLE);
    await assert.rejects(vault.head(KEY), code("vault-unavailable"));
    await assert.rejects(vault.put(KEY, produce(10_000_000)), code("vault-unavailable"));
    await assert.rejects(Array.fromAsync(vault.list("")), code("vault-unavailable"));
    await vault.close();
  });

  test("a server says nothing, or does not speak HTTP", bounded, async (t) => {
    for (const answer of ["", "SSH-2.0-OpenSSH\r\n"]) {
      const server = createServer((socket) => void socket.on("error", () => {}).write(answer)).listen(0, "127.0.0.1");
      t.after(() => server.close());
      await once(server, "listening");
      const { port } = server.address() as { port: number };
      const vault = vaultOn({ endpoint: `http://127.0.0.1:${port}` }, "bucket", IDLE);
      await assert.rejects(vault.head(KEY), code("vault-unavailable"));
      await assert.rejects(vault.put(KEY, Buffer.alloc(SIZE)), code("vault-unavailable"));
      await vault.close();
    }
  });
});
