import assert from "node:assert/strict";
import { test } from "node:test";
import { accepted, client, refused, refusedOnce, yaml } from "./sample.ts";

const pair = (one: Record<string, unknown>, other: Record<string, unknown>) =>
  yaml(client({ id: "acme", ...one }), client({ id: "beta", ...other }));

test("full copies need a law that requires them, minimal ones do not", async () => {
  const law = ["Regulation (EU) 2024/1624 Art. 77"];
  const pattern = /:\d+: clients\[0\]\.collect: full .* no legalBasis .*Art\. 77.*or collect: minimal$/;
  await refusedOnce(yaml(client({ collect: "full" })), pattern);
  await refusedOnce(yaml(client({ collect: "full", legalBasis: [] })), pattern);
  await accepted(yaml(client({ collect: "full", legalBasis: law })));
  await accepted(yaml(client({ collect: "minimal" })));
  await accepted(yaml(client({ collect: "minimal", legalBasis: law })));
});

test("the initial lock must be longer than extendWhenLessThan and not longer than keep", async () => {
  const retention = (keep: string, initialLock: string, extendWhenLessThan: string) =>
    yaml(client({ retention: { keep, from: "created", initialLock, extendWhenLessThan } }));
  await accepted(retention("P90D", "P90D", "P89D"));
  await accepted(retention("PT10S", "PT10S", "PT9S"));
  await refusedOnce(retention("P5Y", "P90D", "P90D"), /retention\.extendWhenLessThan: "P90D" is not shorter than/);
  await refusedOnce(retention("P5Y", "P90D", "P91D"), /retention\.extendWhenLessThan: /);
  await refusedOnce(retention("P89D", "P90D", "P30D"), /retention\.initialLock: "P90D" is longer than keep \(P89D\)/);
  await refusedOnce(retention("P1Y", "P366D", "P30D"), /retention\.initialLock: /);
  await accepted(retention("P1Y", "P365D", "P30D"));
  // The rules apply to defaults too.
  await refusedOnce(yaml(client({ "retention.keep": "P89D" })), /retention\.initialLock: "P90D"/);
  await refusedOnce(yaml(client({ "retention.initialLock": "P30D" })), /retention\.extendWhenLessThan: "P30D"/);
  assert.equal((await refused(retention("P1D", "P2D", "P3D"))).length, 2);
});

test("lookups and log must not share a key", async () => {
  await refusedOnce(yaml(client({ "lookups.key": "env:K", "log.key": "env:K" })), /log\.key: the same as lookups\.key/);
});

test("a directory vault has no S3 settings", async () => {
  const vault = { url: "file:./v", endpoint: "https://s3.example", region: "eu", forcePathStyle: true };
  const lines = await refused(yaml(client({ vault })));
  assert.equal(lines.length, 3);
  for (const line of lines)
    assert.match(line, /vault\.(endpoint|region|forcePathStyle): has no effect for a directory/);
});

test("clients must have different ids and log names", async () => {
  const same = { "vault.url": "s3://beta/x", "log.origin": "b.example/log" };
  await refusedOnce(
    yaml(client({ id: "acme" }), client({ id: "acme", ...same })),
    /clients\[1\]\.id: the same as clients\[0\]\.id/,
  );
  await refusedOnce(pair({ "log.origin": "a/x" }, { "log.origin": "a/x" }), /clients\[1\]\.log\.origin: the same as/);
});

test("vaults must not overlap", async () => {
  const urls = (one: string, other: string) => pair({ "vault.url": one }, { "vault.url": other });
  const pattern = /clients\[1\]\.vault\.url: overlaps with clients\[0\]\.vault\.url; /;
  const overlapping: [string, string][] = [
    ["s3://kyc-bucket/a", "s3://kyc-bucket/a"],
    ["s3://kyc-bucket/a", "s3://kyc-bucket/a/"],
    ["s3://kyc-bucket/a", "s3://kyc-bucket/a/b"],
    ["s3://kyc-bucket/a/b", "s3://kyc-bucket/a"],
    ["s3://kyc-bucket", "s3://kyc-bucket/a"],
    ["s3://kyc-bucket/a", "s3://kyc-bucket"],
    ["file:./a", "file:./a"],
    ["file:./a", "file:./b/../a/c"],
  ];
  for (const [one, other] of overlapping) await refusedOnce(urls(one, other), pattern);
  await accepted(urls("s3://kyc-bucket/a", "s3://kyc-bucket/ab"));
  await accepted(urls("s3://kyc-bucket/a", "s3://other-bucket/a"));
  await accepted(urls("file:./a", "file:./ab"));
  await accepted(urls("s3://kyc-bucket/a", "file:./a"));
  const at = (endpoint: string) => ({ "vault.url": "s3://kyc-bucket/a", "vault.endpoint": endpoint });
  await accepted(pair(at("https://a.example"), at("https://b.example")));
  await refusedOnce(pair(at("https://a.example"), at("https://A.example/")), pattern);
});

test("vaults and state must not overlap", async () => {
  const vault = (state: string, url: string) => `state: ${state}\n${yaml(client({ "vault.url": url }))}`;
  const pattern = /clients\[0\]\.vault\.url: overlaps with the state of a client; /;
  await refusedOnce(vault("./state", "file:./state/acme"), pattern);
  await refusedOnce(vault("./state", "file:./state/acme/vault"), pattern);
  await refusedOnce(vault("./state", "file:./state"), pattern);
  await accepted(vault("./state", "file:./state/vault"));
  await accepted(vault("./state", "file:./vault/acme"));
});
