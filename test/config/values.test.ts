import assert from "node:assert/strict";
import { test } from "node:test";
import { compareDurations, parseDuration, parsePause } from "../../src/config/duration.ts";
import { parseListen } from "../../src/config/listen.ts";
import { parseRate } from "../../src/config/rate.ts";
import { parseCron, parseTimeZone } from "../../src/config/schedule.ts";
import { parseOrigin, parsePlainUrl, parseSecretUrl, parseServiceUrl, parseVaultUrl } from "../../src/config/url.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { looksSecret, redacted } from "../../src/core/redacted.ts";

/** The error shows the value and says what to write instead. */
function refuses<T>(parse: (text: string) => T, values: readonly string[], shown = true): void {
  for (const value of values) {
    assert.throws(
      () => parse(value),
      (error) => {
        assert.ok(error instanceof HoldfastError, String(error));
        assert.equal(error.code, "config");
        assert.match(error.hint ?? "", /^write /);
        if (shown) assert.ok(error.message.startsWith(redacted(value)), error.message);
        return true;
      },
      JSON.stringify(value),
    );
  }
}

test("durations", () => {
  assert.equal(parseDuration("P90D").total({ unit: "days" }), 90);
  assert.equal(String(parseDuration("P5Y")), "P5Y");
  assert.equal(parseDuration("PT10S").total({ unit: "seconds" }), 10);
  assert.equal(String(parseDuration("P100Y")), "P100Y");
  assert.equal(parseDuration("PT0.000000001S").sign, 1);
  refuses(parseDuration, ["", "90", "90d", "P", "PT", "P0D", "PT0S", "-P1D", "+P1D", "P1D ", " P1D", "P1.5D", "5Y"]);
  refuses(parseDuration, ["P101Y", "P100Y1D", "P100YT1S", "P36525D", "P4294967295Y", "P99999999999Y"]);
});

test("durations are compared by length", () => {
  assert.ok(compareDurations(parseDuration("P89D"), parseDuration("P90D")) < 0);
  assert.equal(compareDurations(parseDuration("PT24H"), parseDuration("P1D")), 0);
  assert.equal(compareDurations(parseDuration("P365D"), parseDuration("P1Y")), 0);
  assert.ok(compareDurations(parseDuration("P1M"), parseDuration("P32D")) < 0);
});

test("rates", () => {
  assert.deepEqual(parseRate("10/s"), { count: 10, per: 1_000 });
  assert.deepEqual(parseRate("600/min"), { count: 600, per: 60_000 });
  assert.deepEqual(parseRate("1000/h"), { count: 1000, per: 3_600_000 });
  assert.deepEqual(parseRate("1/s"), { count: 1, per: 1_000 });
  assert.deepEqual(parseRate("100000/h"), { count: 100_000, per: 3_600_000 });
  refuses(parseRate, ["0/s", "100001/h", "", "10", "/s", "-1/s", "1.5/s", "010/s", "10 /s", "10/d", "10/S", "1e3/s"]);
});

test("schedules", () => {
  assert.equal(parseCron("30 2 * * *"), "30 2 * * *");
  refuses(parseCron, ["", " ", "nightly", "61 * * * *", "* * * *", "0 0 31 2 *"]);
  assert.equal(parseTimeZone("Europe/Berlin"), "Europe/Berlin");
  assert.equal(parseTimeZone("UTC"), "UTC");
  refuses(parseTimeZone, ["", "Berlin", "+01:00", "Europe/Atlantis", "local"]);
});

test("pauses: hours, minutes and seconds, zero allowed, limited", () => {
  const parse = (text: string) => parsePause(text, 12);
  assert.deepEqual(
    ["PT0S", "PT90S", "PT10M", "PT1H30M", "PT12H"].map(parse),
    [0, 90_000, 600_000, 5_400_000, 43_200_000],
  );
  refuses(parse, ["", "10", "10m", "P1D", "P1Y", "-PT1S", "PT", "PT12H1S", "PT43201S"]);
});

test("addresses to listen on", () => {
  assert.deepEqual(parseListen("127.0.0.1:9464"), { host: "127.0.0.1", port: 9464 });
  assert.deepEqual(parseListen("0.0.0.0:0"), { host: "0.0.0.0", port: 0 });
  assert.deepEqual(parseListen("[::1]:65535"), { host: "::1", port: 65_535 });
  assert.equal(parseListen("localhost:80").host, "localhost");
  refuses(parseListen, [
    "",
    "9464",
    ":9464",
    "127.0.0.1",
    "127.0.0.1:65536",
    "256.0.0.1:1",
    "::1:80",
    "[127.0.0.1]:80",
  ]);
  refuses(parseListen, ["http://127.0.0.1:80", "metrics.example:80", "127.0.0.1:80/metrics", "127.0.0.1:-1"]);
});

test("plain URLs may be http to any host, but must not hold a password", () => {
  assert.equal(parsePlainUrl("http://pushgateway.monitoring:9091/"), "http://pushgateway.monitoring:9091");
  refuses(parsePlainUrl, ["", "pushgateway:9091", "ftp://a"]);
  refuses(parsePlainUrl, ["http://user:password@a", "http://a/?x=1"], false);
});

test("secret URLs may have anything after the host, and are never shown", () => {
  assert.equal(parseSecretUrl("https://hc-ping.com/7f0c?x=1"), "https://hc-ping.com/7f0c?x=1");
  assert.equal(parseSecretUrl("http://127.0.0.1:8000/ping"), "http://127.0.0.1:8000/ping");
  refuses(parseSecretUrl, ["", "hc-ping.com/7f0c", "http://hc-ping.com/7f0c", "ftp://a/7f0c", "https://a b"], false);
  assert.throws(
    () => parseSecretUrl("http://hc-ping.com/7f0c"),
    (error) => error instanceof HoldfastError && !`${error.message} ${error.hint}`.includes("7f0c"),
  );
});

test("vault URLs", () => {
  const parse = (text: string) => parseVaultUrl(text, "/etc/holdfast");
  const s3 = { kind: "s3", url: "s3://acme-kyc/a/b", bucket: "acme-kyc", prefix: "a/b" };
  assert.deepEqual(parse("s3://acme-kyc/a/b"), s3);
  assert.deepEqual(parse("s3://acme-kyc/a/b/"), s3);
  assert.deepEqual(parse("s3://acme-kyc"), { kind: "s3", url: "s3://acme-kyc", bucket: "acme-kyc", prefix: "" });
  assert.deepEqual(parse("s3://acme-kyc/"), parse("s3://acme-kyc"));
  assert.deepEqual(parse("file:///srv/a%20b"), { kind: "directory", url: "file:///srv/a%20b", path: "/srv/a b" });
  assert.deepEqual(parse("file:./v"), { kind: "directory", url: "file:///etc/holdfast/v", path: "/etc/holdfast/v" });
  assert.deepEqual(parse("file:/v"), { kind: "directory", url: "file:///v", path: "/v" });
  refuses(parse, ["", "s3:/x", "s3://", "s3:///p", "s3://ab", `s3://${"a".repeat(64)}`, "s3://A-bucket", "s3://a..b"]);
  refuses(parse, [
    "s3://-abc",
    "s3://abc-",
    "s3://abc//x",
    "s3://abc/../x",
    "s3://abc/.",
    "s3://abc/x y",
    "s3://abc/ü",
  ]);
  refuses(parse, ["S3://abc", "https://abc", "/srv/x", "./x", "file:", "file:///", "file://host/x", "file:~/x"]);
  refuses(parse, ["s3://user:password@abc"]);
  assert.equal(parse(`s3://abc/${"p".repeat(512)}`).kind, "s3");
  refuses(parse, [`s3://abc/${"p".repeat(513)}`]);
  assert.equal(parse(`s3://${"a".repeat(63)}`).kind, "s3");
});

test("service URLs", () => {
  assert.equal(parseServiceUrl("https://api.example/v2/"), "https://api.example/v2");
  assert.equal(parseServiceUrl("https://api.example"), "https://api.example");
  for (const host of ["127.0.0.1", "127.9.9.9", "localhost", "[::1]"]) {
    assert.equal(parseServiceUrl(`http://${host}:8080/v2`), `http://${host}:8080/v2`);
  }
  refuses(parseServiceUrl, [
    "http://api.example",
    "http://128.0.0.1",
    "http://localhost.example",
    "http://127.0.0.1.x",
  ]);
  refuses(parseServiceUrl, ["", "api.example", "https:api.example", "https://", "ftp://a", "https://a b", "//a"]);
  // Text that may be a secret is not shown.
  for (const url of ["https://user:hunter2@a", "https://hunter2@a", "https://a/?key=hunter2", "https://a/#hunter2"]) {
    assert.throws(
      () => parseServiceUrl(url),
      (error) => error instanceof HoldfastError && !error.message.includes("hunter2"),
    );
  }
});

test("log names", () => {
  for (const name of ["acme-bank.example/holdfast", "acme.example", "localhost/x", "a.example:8443/x/y_z~1"]) {
    assert.equal(parseOrigin(name), name);
  }
  assert.equal(parseOrigin(`a.${"a".repeat(253)}`).length, 255);
  refuses(parseOrigin, [
    "",
    "a b",
    "a+b",
    "https://a.example/x",
    "a//b",
    "/a",
    "a/",
    "a\n",
    "ä.example",
    "a".repeat(256),
  ]);
});

test("possible secrets are not shown, and shown text stays on one line", () => {
  const secrets = [
    "AGE-SECRET-KEY-1QQ",
    "-----BEGIN PRIVATE KEY-----",
    "PRIVATE+KEY+a+1+b",
    "sk_live_abc",
    "x".repeat(1001),
  ];
  secrets.push("AKIAIOSFODNN7EXAMPLE", "3f2a".repeat(8), "https://u:p@host", "eyJhbGciOiJIUzI1NiJ9.e30.x");
  for (const secret of secrets) assert.equal(redacted(secret), "this (not shown: it may be a secret)", secret);
  assert.ok(looksSecret(`${"a".repeat(27)}1`));
  assert.ok(!looksSecret(`${"a".repeat(26)}1`));
  assert.equal(redacted("a\nb\u001b[1m\u009b\u202e"), '"a\\nb\\u001b[1m\\u009b\\u202e"');
  assert.equal(redacted("é".repeat(81)).length, 83);
  assert.deepEqual([null, 1, true, [], {}].map(redacted), ["null", "1", "true", "a list", "a section"]);
});
