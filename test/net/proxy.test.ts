import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { hasCode } from "../../src/core/error.ts";
import { dispatcher } from "../../src/net/dispatcher.ts";
import { proxyText } from "../../src/net/proxy.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { freePort } from "../servers/ceph.ts";
import { startProxy, withoutProxy } from "../servers/proxy.ts";
import { startReceiver } from "../servers/receiver.ts";
import { cephEndpoint, lockedBucket, s3Client, withoutCeph } from "../servers/s3.ts";
import { startTls } from "../servers/tls.ts";

const NAMES = ["provider.test", "hooks.test", "localhost"];
/** Removes the machine's own proxy settings. */
const NONE = Object.fromEntries(
  ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].flatMap((name) => [
    [name, undefined],
    [name.toLowerCase(), undefined],
  ]),
);

test("a whole run goes through the proxy; only the proxy can resolve the names", {
  skip: withoutProxy || withoutCeph,
}, async () => {
  await using tls = await startTls(NAMES);
  await using proxy = await startProxy(NAMES);
  await using sandbox = await startSandbox({ identities: 3, plainImages: true });
  await using hook = await startReceiver(200);
  const provider = `provider.test:${await tls.front(sandbox.url)}`;
  // Ceph would read any other name as a bucket.
  const store = `localhost:${await tls.front(cephEndpoint!)}`;
  const hooks = `hooks.test:${await tls.front(hook.url)}`;
  const bucket = await lockedBucket();
  await using place = await makeWorkplace(sandbox, { init: false });
  await place.configure({
    source: { url: `https://${provider}${new URL(sandbox.url).pathname}` },
    vault: { url: `s3://${bucket}/acme-bank`, endpoint: `https://${store}`, forcePathStyle: true },
    notify: { healthchecks: "env:PING" },
  });
  const base = { ...NONE, PING: `https://${hooks}/ping`, NODE_EXTRA_CA_CERTS: tls.ca };
  const through = { ...base, HTTPS_PROXY: proxy.url };

  const doctor = await place.holdfast("doctor", [], { env: through });
  assert.match(doctor.stdout + doctor.stderr, new RegExp(`goes out .*through 127\\.0\\.0\\.1:${proxy.port}`));
  for (const command of ["init", "export"]) {
    const ended = await place.holdfast(command, [], { env: through });
    assert.equal(ended.code, 0, ended.stderr);
    assert.doesNotMatch(ended.stderr + ended.stdout, /pass-7f3d9b1c/);
  }
  const s3 = s3Client();
  const { Versions = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket: bucket, Prefix: "acme-bank/records/" }),
  );
  s3.destroy();
  assert.equal(Versions.length, 3);
  assert.equal(hook.got.length, 2, "the start and the end of the run");
  const asked = await proxy.asked();
  for (const host of [provider, store, hooks]) assert.ok(asked.includes(host), `no request for ${host}`);

  const failed = async (env: Record<string, string | undefined>, says: RegExp) => {
    const ended = await place.holdfast("export", [], { env });
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stderr, says);
    assert.doesNotMatch(ended.stderr, /pass-7f3d9b1c|wrong/);
  };
  const wrong = `http://holdfast:wrong@127.0.0.1:${proxy.port}`;
  await Promise.all([
    failed({ ...through, HTTPS_PROXY: wrong }, /PROXY_40[17]/),
    failed({ ...through, NODE_EXTRA_CA_CERTS: undefined }, /NODE_EXTRA_CA_CERTS/),
    failed(
      { ...through, HTTPS_PROXY: `http://127.0.0.1:${await freePort()}` },
      /cannot reach the S3 endpoint https:\/\/localhost:\d+ \(ECONNREFUSED\).*through 127\.0\.0\.1:\d+, http directly: check that proxy/,
    ),
  ]);
  const unusable = await place.holdfast("export", [], { env: { ...through, HTTPS_PROXY: "socks5://secret.example" } });
  assert.deepEqual([unusable.code, /HTTPS_PROXY is not the address/.test(unusable.stderr)], [2, true], unusable.stderr);
  assert.doesNotMatch(unusable.stderr, /secret/);
});

describe("which proxy", () => {
  const shown = (env: Record<string, string>) => proxyText(env);
  test("none, one for both, one for each, some hosts directly; lower case wins", () => {
    assert.equal(shown({}), null);
    assert.equal(shown({ HTTPS_PROXY: "" }), null);
    assert.equal(shown({ HTTP_PROXY: "http://u:p@one.test:3128" }), "through one.test:3128");
    assert.equal(shown({ HTTPS_PROXY: "http://two.test:1" }), "https through two.test:1, http directly");
    assert.equal(
      shown({ HTTP_PROXY: "one.test:3128", HTTPS_PROXY: "two.test:3128", NO_PROXY: ".acme.test" }),
      "https through two.test:3128, http through one.test:3128; directly to .acme.test",
    );
    assert.equal(
      shown({ HTTPS_PROXY: "http://two.test", https_proxy: "http://three.test", HTTP_PROXY: "x.test" }),
      "https through three.test, http through x.test",
    );
  });

  test("an invalid proxy address is refused and not shown", () => {
    for (const bad of [
      "socks5://u:pw@h",
      "http://",
      "http://h:99999",
      "::",
      "ftp://h",
      "http://u:50%off@h",
      "http://u:1234/x@h",
      "http://u:1234#x@h",
    ]) {
      assert.throws(
        () => dispatcher({ timeouts: { connect: 1, headers: 1, body: 1 } }, { HTTP_PROXY: bad }),
        (error) => hasCode(error, "config") && !(error as Error).message.includes(bad),
        bad,
      );
    }
  });
});
