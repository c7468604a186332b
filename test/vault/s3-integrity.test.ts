import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { hasCode } from "../../src/core/error.ts";
import { S3Vault } from "../../src/vault/s3.ts";
import { cephEndpoint, lockedBucket, withoutCeph } from "../servers/s3.ts";
import { produce } from "./body.ts";

/** Between vault and store: changes a byte in the middle of every body of 1,000 bytes or more. */
async function corruptingProxy(): Promise<AsyncDisposable & { url: string }> {
  const { hostname, port } = new URL(cephEndpoint!);
  const server = createServer((incoming, response) => {
    const { method, url, headers } = incoming;
    const onward = request({ ...{ hostname, port, headers }, method: method!, path: url! }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    const parts: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => parts.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(parts);
      if (body.length >= 1000) body[body.length >> 1]! ^= 1;
      onward.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("a real store refuses a body that was changed in transit, whole or in parts", {
  skip: withoutCeph,
}, async () => {
  await using proxy = await corruptingProxy();
  const bucket = await lockedBucket();
  const options = { bucket, prefix: "", forcePathStyle: true, concurrency: 4 };
  const [through, direct] = [
    new S3Vault({ ...options, endpoint: proxy.url }),
    new S3Vault({ ...options, endpoint: cephEndpoint }),
  ];
  try {
    await through.put("records/small", new Uint8Array(999));
    // A retry may succeed.
    const isRefused = (error: unknown) => hasCode(error, "vault-unavailable");
    await assert.rejects(through.put("records/whole", new Uint8Array(1000)), isRefused);
    await assert.rejects(through.put("records/parts", produce(9_000_000)), isRefused);
    const keys = await Array.fromAsync(direct.list("records/"));
    assert.deepEqual(
      keys.map(({ key }) => key),
      ["records/small"],
    );
  } finally {
    await through.close();
    await direct.close();
  }
});
