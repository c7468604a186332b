import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { Secret } from "../../src/config/secret.ts";
import { SCHEME_NAMES, type SchemeName } from "../../src/config/webhook.ts";
import { SCHEMES } from "../../src/inbox/schemes/schemes.ts";
import { eventOf, SECRETS, type Signed, sign } from "./signing.ts";

const AT = 1_767_225_600;
const now = (seconds = AT) => Temporal.Instant.fromEpochMilliseconds(seconds * 1000);

/** Which secret it is signed with, from 0; undefined if it is refused. */
function verify(
  scheme: SchemeName,
  { headers, body }: { headers: Readonly<Record<string, string | string[]>>; body: Uint8Array },
  secrets: readonly string[] = SECRETS[scheme],
  at = AT,
): number | undefined {
  const of = SCHEMES[scheme];
  const distinct = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat()]));
  const keys = secrets.map((secret) => of.key(new Secret(secret)));
  return of.verify({ headers: distinct, body }, keys, now(at))?.secret;
}

const ID = "11111111-1111-4111-8111-111111111111";
const good = (scheme: SchemeName, secret = 0, at = AT): Signed =>
  sign(scheme, SECRETS[scheme][secret]!, eventOf(scheme, ID), at);
/** The header with the signature; Passbase has it in the body. */
const HEADER: Partial<Record<SchemeName, string>> = {
  ...{ persona: "persona-signature", stripe: "stripe-signature", onfido: "x-sha2-signature" },
  ...{ "sumsub-sha256": "x-payload-digest", "sumsub-sha512": "x-payload-digest", veriff: "x-hmac-signature" },
  "standard-webhooks": "webhook-signature",
};
const TIMED: readonly SchemeName[] = ["persona", "stripe", "standard-webhooks"];
const with_ = (signed: Signed, name: string, value: string | string[]) => ({
  ...signed,
  headers: { ...signed.headers, [name]: value },
});

test("the signatures that the providers' documentation and clients make are accepted", () => {
  const vector = (scheme: SchemeName, headers: Record<string, string>, body: string, at?: number) =>
    assert.equal(verify(scheme, { headers, body: Buffer.from(body) }, SECRETS[scheme], at), 0, scheme);
  const persona = '{"data":{"type":"event","id":"evt_T1","attributes":{"name":"inquiry.redacted"}}}';
  const one = "4b186cd7c83eac81e2d0caf7302cd8090f07d22a89de0203e7fd4d15fbae84b8";
  const two = "379dd467fe721facdb2972372d9b604b5e7fc57319d40d027f24a483bd750a9d";
  vector("persona", { "persona-signature": `t=1700000000,v1=${one}` }, persona, 1_700_000_000);
  const rolled = { "persona-signature": `t=1700000000,v1=${two} t=1700000000,v1=${one}` };
  assert.equal(
    verify("persona", { headers: rolled, body: Buffer.from(persona) }, [SECRETS.persona[1]], 1_700_000_000),
    0,
  );
  vector(
    "stripe",
    {
      "stripe-signature": "t=1767225600,v1=515c381c36df95cb645b22b7e1744e0528279bdb2e7441af4e1fb29beff33198",
    },
    '{"id":"evt_1","object":"event","type":"identity.verification_session.verified"}',
  );
  vector(
    "onfido",
    { "x-sha2-signature": "a0082d7481f9f0a2907583dbe1f344d6d4c0d9989df2fd804f98479f60cd760e" },
    '{"payload":{"resource_type":"check","action":"check.completed","object":{"id":"check-123","status":"complete","completed_at_iso8601":"2020-01-01T00:00:00Z","href":"https://api.onfido.com/v3/checks/check-123"}}}',
  );
  vector(
    "sumsub-sha256",
    { "x-payload-digest": "884bc8c6028d4f4951fa5b20434cd0530230f48bb4b2345d0681438703b6aa8a" },
    '{"applicantId":"65a000000000000000000001","type":"applicantReviewed"}',
  );
  const veriff = `{"id":"${ID}","code":7002,"action":"submitted"}`;
  const digest = "84040c3e57669836e64c26b8233ccb969f3575e1339cbdb1f55e2fde1c1afc06";
  vector("veriff", { "x-hmac-signature": digest }, veriff);
  vector("veriff", { "vrf-hmac-signature": digest, "x-hmac-signature": digest }, veriff);
  vector("veriff", { "x-hmac-signature": digest.toUpperCase() }, veriff);
});

test("what the vendors' own signers sign is accepted", () => {
  const payload = eventOf("stripe", "vs_1");
  const header = Stripe.webhooks.generateTestHeaderString({ payload, secret: "whsec_own", timestamp: AT });
  const stripe = { headers: { "stripe-signature": header }, body: Buffer.from(payload) };
  assert.equal(verify("stripe", stripe, ["whsec_other", "whsec_own"]), 1);
  const [secret] = SECRETS["standard-webhooks"];
  const standard = {
    headers: {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": String(AT),
      "webhook-signature": new Webhook(secret).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", new Date(AT * 1000), payload),
    },
    body: Buffer.from(payload),
  };
  assert.equal(verify("standard-webhooks", standard, [secret]), 0);
  assert.equal(verify("standard-webhooks", standard, [secret.slice("whsec_".length)]), 0);
});

test("a changed bit of body, header or secret is refused, in every scheme", () => {
  const flip = (bytes: Uint8Array, bit: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[(bit >> 3) % copy.length]! ^= 1 << (bit & 7);
    return copy;
  };
  for (const scheme of SCHEME_NAMES) {
    if (scheme === "passbase") continue;
    const signed = good(scheme);
    assert.equal(verify(scheme, signed), 0, scheme);
    fc.assert(
      fc.property(fc.nat(1 << 20), (bit) => {
        assert.equal(verify(scheme, { ...signed, body: flip(signed.body, bit) }), undefined);
        for (const name of [HEADER[scheme]!, "webhook-id", "webhook-timestamp"]) {
          const value = signed.headers[name];
          if (value === undefined) continue;
          // What is no signature (`t=` as `u=`, `v1` as `v0`) leaves none.
          assert.equal(
            verify(scheme, with_(signed, name, flip(Buffer.from(value), bit).toString("latin1"))),
            undefined,
          );
        }
        const secret = SCHEMES[scheme].key(new Secret(SECRETS[scheme][0]));
        const { headers, body } = signed;
        const distinct = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
        assert.equal(SCHEMES[scheme].verify({ headers: distinct, body }, [flip(secret, bit)], now()), undefined);
      }),
      { numRuns: 300 },
    );
  }
});

test("Passbase only encrypts: a changed bit is refused, or leaves an event in its form that names no one new", () => {
  const signed = good("passbase");
  assert.equal(verify("passbase", signed), 0);
  fc.assert(
    fc.property(fc.nat(1 << 20), (bit) => {
      const bytes = Buffer.from(signed.body.toString("latin1"), "base64");
      // Beyond the IV, a block of rubbish comes out.
      bytes[16 + ((bit >> 3) % (bytes.length - 32))]! ^= 1 << (bit & 7);
      assert.equal(verify("passbase", { ...signed, body: Buffer.from(bytes.toString("base64")) }), undefined);
      const key = Buffer.from(SECRETS.passbase[0]);
      key[(bit >> 3) % 32]! ^= 1 << (bit & 7);
      assert.equal(SCHEMES.passbase.verify({ headers: {}, body: signed.body }, [key], now()), undefined);
    }),
  );
  for (const body of ["", "AAAA", "!", `${signed.body}=`, ` ${signed.body}`, signed.body.subarray(0, 40).toString()])
    assert.equal(verify("passbase", { headers: {}, body: Buffer.from(body) }), undefined, body);
});

test("several secrets are tried, and the one that signed is told", () => {
  for (const scheme of SCHEME_NAMES) {
    assert.equal(verify(scheme, good(scheme, 1)), 1, scheme);
    assert.equal(verify(scheme, good(scheme, 1), [SECRETS[scheme][0]]), undefined, scheme);
  }
});

test("a signature that is missing, empty, cut, doubled, padded or of another form is refused", () => {
  for (const scheme of SCHEME_NAMES) {
    const name = HEADER[scheme];
    if (name === undefined) continue;
    const signed = good(scheme);
    const value = signed.headers[name]!;
    const wrong: (string | string[])[] = ["", " ", value.slice(0, -1), value.slice(0, -2), `${value}00`];
    wrong.push(value.slice(0, -1) + (value.endsWith("z") ? "y" : "z"), `${value}, ${value}`, [value, value]);
    wrong.push(
      value.replace(/v1/, "v0"),
      value.replace(/[0-9a-f]{10}$/, ""),
      `${value}\0`,
      "v1,",
      "t=,v1=",
      "t=1",
      "v1",
    );
    for (const each of wrong) {
      if (each === value) continue;
      assert.equal(verify(scheme, with_(signed, name, each)), undefined, `${scheme}: ${each}`);
    }
    const { [name]: _, ...without } = signed.headers;
    assert.equal(verify(scheme, { ...signed, headers: without }), undefined, scheme);
    if (scheme !== "standard-webhooks" && scheme !== "veriff")
      assert.equal(verify(scheme, with_(signed, name, value.toUpperCase())), undefined, scheme);
  }
  assert.equal(verify("veriff", with_(good("veriff"), "vrf-hmac-signature", "0".repeat(64))), undefined);
});

test("a missing id or time, one that comes twice, an empty body and a secret with white space", () => {
  const signed = good("standard-webhooks");
  for (const name of ["webhook-id", "webhook-timestamp"]) {
    const { [name]: value = "", ...without } = signed.headers;
    assert.equal(verify("standard-webhooks", { ...signed, headers: without }), undefined, name);
    for (const each of ["", ` ${value}`, `${value}, ${value}`, [value, value]])
      assert.equal(verify("standard-webhooks", with_(signed, name, each)), undefined, `${name}: ${each}`);
  }
  for (const scheme of SCHEME_NAMES) {
    // Signed, it is from the provider; what it says is read later.
    const empty = sign(scheme, SECRETS[scheme][0], "", AT);
    assert.equal(verify(scheme, empty), scheme === "passbase" ? undefined : 0, scheme);
    assert.equal(verify(scheme, { ...good(scheme), body: Buffer.alloc(0) }), undefined, scheme);
    // A secret is taken as it is: cut or padded, it is another.
    if (scheme === "passbase" || scheme === "standard-webhooks") {
      assert.throws(() => SCHEMES[scheme].key(new Secret(`${SECRETS[scheme][0]} `)), { code: "config" });
    } else assert.equal(verify(scheme, good(scheme), [` ${SECRETS[scheme][0]}`]), undefined, scheme);
  }
});

test("a signed time is refused when it is older or newer than five minutes", () => {
  for (const scheme of TIMED) {
    for (const [ahead, found] of [
      [-301, undefined],
      [-300, 0],
      [0, 0],
      [300, 0],
      [301, undefined],
      [3_600, undefined],
    ] as const)
      assert.equal(verify(scheme, good(scheme, 0, AT + ahead)), found, `${scheme} ${ahead}`);
  }
  // Without one, the age proves nothing.
  assert.equal(verify("onfido", good("onfido"), SECRETS.onfido, AT + 1e6), 0);
});

test("Persona's sets each have a time of their own, and Stripe's header lists signatures of a rolled secret", () => {
  const [old, fresh] = [good("persona", 0, AT - 4_000), good("persona", 1)].map(
    ({ headers }) => headers["persona-signature"]!,
  );
  const { body } = good("persona");
  const both = (value: string) => verify("persona", { headers: { "persona-signature": value }, body });
  assert.deepEqual([both(`${old} ${fresh}`), both(`${fresh} ${old}`), both(`${old} ${old}`)], [1, 1, undefined]);
  const [one, two] = [good("stripe"), good("stripe", 1)].map(({ headers }) => headers["stripe-signature"]!);
  const rolled = `${one},${two!.split(",")[1]},v0=${"0".repeat(64)}`;
  const signed = { headers: { "stripe-signature": rolled }, body: good("stripe").body };
  assert.equal(verify("stripe", signed, [SECRETS.stripe[1]]), 0);
  const { length } = rolled;
  assert.ok(length > 0);
  const spaced = { headers: { "stripe-signature": `${one} ${two}` }, body: signed.body };
  assert.equal(verify("stripe", spaced), undefined);
});

test("Sumsub's header with the algorithm is not asked", () => {
  const signed = good("sumsub-sha256");
  for (const algorithm of ["HMAC_SHA1_HEX", "HMAC_SHA512_HEX", "none"])
    assert.equal(verify("sumsub-sha256", with_(signed, "x-payload-digest-alg", algorithm)), 0);
  assert.equal(verify("sumsub-sha512", signed), undefined);
});

test("Standard Webhooks: several signatures and other versions, and an id that could end elsewhere", () => {
  const signed = good("standard-webhooks");
  const own = signed.headers["webhook-signature"]!;
  const other = `v1,${Buffer.alloc(32).toString("base64")}`;
  for (const value of [`${other} ${own}`, `v1a,${own.slice(3)} ${own}`, `v2,x ${own}`])
    assert.equal(verify("standard-webhooks", with_(signed, "webhook-signature", value)), 0, value);
  assert.equal(verify("standard-webhooks", with_(signed, "webhook-signature", `v1a,${own.slice(3)}`)), undefined);
  const dotted = sign("standard-webhooks", SECRETS["standard-webhooks"][0], "{}", AT, "msg.1");
  assert.equal(verify("standard-webhooks", dotted), undefined);
  assert.throws(() => SCHEMES["standard-webhooks"].key(new Secret("whsec_!")), { code: "config" });
  assert.throws(() => SCHEMES.passbase.key(new Secret("short")), { code: "config" });
});
