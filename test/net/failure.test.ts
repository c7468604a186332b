import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { describe, test } from "node:test";
import { request } from "undici";
import { networkFailure } from "../../src/net/failure.ts";
import { freePort } from "../servers/ceph.ts";
import { startReceiver } from "../servers/receiver.ts";
import { startTls } from "../servers/tls.ts";

const thrown = async (work: () => Promise<unknown>): Promise<unknown> =>
  work().then(
    () => assert.fail("nothing was thrown"),
    (error: unknown) => error,
  );
const byNode = (url: string) =>
  thrown(
    () =>
      new Promise((_, reject) => {
        const ask = url.startsWith("https:") ? httpsRequest : httpRequest;
        ask(url).once("error", reject).end();
      }),
  );

describe("why no answer came, with real connections", () => {
  test("no server listens: at one address, and at each of several", async () => {
    const port = await freePort();
    for (const error of [await byNode(`http://127.0.0.1:${port}`), await byNode(`http://localhost:${port}`)])
      assert.deepEqual(networkFailure(error, {}), { code: "ECONNREFUSED", isTransient: true, hint: undefined });
    const wrapped = new Error("fetch failed", {
      cause: new AggregateError([await byNode(`http://127.0.0.1:${port}`)]),
    });
    assert.equal(networkFailure(wrapped)?.code, "ECONNREFUSED");
    const proxied = networkFailure(wrapped, { HTTPS_PROXY: "http://user:pass-word@proxy.test:3128" });
    assert.match(proxied!.hint!, /through proxy\.test:3128, http directly: check that proxy/);
    assert.doesNotMatch(proxied!.hint!, /pass-word/);
  });

  test("a certificate of an unknown CA, and one of another host: not retried, with a hint", async () => {
    await using tls = await startTls(["elsewhere.test"]);
    await using server = await startReceiver(200);
    const port = await tls.front(server.url);
    for (const error of [
      await byNode(`https://127.0.0.1:${port}`),
      await thrown(() => request(`https://localhost:${port}`)),
    ]) {
      const failure = networkFailure(error);
      assert.match(failure!.code, /UNABLE_TO_VERIFY_LEAF_SIGNATURE|ALTNAME/);
      assert.deepEqual([failure!.isTransient, /NODE_EXTRA_CA_CERTS/.test(failure!.hint!)], [false, true]);
    }
  });

  test("TLS with a server that does not speak it", async () => {
    await using server = await startReceiver(200);
    const { port } = new URL(server.url);
    const failure = networkFailure(await byNode(`https://127.0.0.1:${port}`));
    assert.match(failure!.code, /^(EPROTO|ERR_SSL_)/);
    assert.equal(failure!.isTransient, false);
  });

  test("an unknown host name; a timeout", async () => {
    const unknown = networkFailure(await byNode("http://unknown.invalid"));
    assert.match(unknown!.code, /^E(NOTFOUND|AI_AGAIN)$/);
    const late = await thrown(async () => {
      const signal = AbortSignal.timeout(1);
      // The signal's own timer does not keep a process running.
      await new Promise((resolve) => setTimeout(resolve, 20));
      signal.throwIfAborted();
    });
    assert.deepEqual(networkFailure(late, {}), { code: "TIMEOUT", isTransient: true, hint: undefined });
  });

  test("a bug is not a network failure, nor is a cycle of causes", () => {
    assert.equal(networkFailure(new TypeError("x is not a function")), undefined);
    assert.equal(networkFailure("text"), undefined);
    const ring = new Error("a");
    ring.cause = new Error("b", { cause: ring });
    assert.equal(networkFailure(ring), undefined);
  });
});
