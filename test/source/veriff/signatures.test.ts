import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { Secret } from "../../../src/config/secret.ts";
import { signatureOf } from "../../../src/source/veriff/signature.ts";
import { first } from "../../sandbox/veriff/ask.ts";
import { collect } from "../connect.ts";
import { full, open, statusOf } from "./connect.ts";

test("a request's signature is that of the vector", () => {
  assert.equal(
    signatureOf(new Secret("sandbox-secret"), "11111111-1111-4111-8111-111111111111"),
    "3af34cad923027d3ae0944813e1b251ff07e4843835f55da9244f0911846fea6",
  );
});

const hmac = (secret: string, text: string) => createHmac("sha256", secret).update(text).digest("hex");

for (const signs of ["x", "vrf", "both"] as const)
  test(`the signatures of answers are kept beside them (${signs})`, async (t) => {
    const { sandbox, source } = await open(t, { signs });
    const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved");
    const { answers } = await source.dossier(sandbox.id(index), full);
    const last = answers.at(-1)!;
    assert.equal(last.endpoint, "x-hmac-signature");
    assert.deepEqual(
      JSON.parse(last.text),
      answers.slice(0, -1).map(({ text }) => hmac(sandbox.apiKey, text)),
    );
    assert.ok(answers.length > 4);
  });

test("answers without a signature are no error, and leave nothing", async (t) => {
  const { sandbox, source } = await open(t, { signs: "none" });
  const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved");
  const { answers, files } = await source.dossier(sandbox.id(index), full);
  assert.ok(answers.every(({ endpoint }) => endpoint.startsWith("GET /")));
  for (const file of files) await collect((await source.file(sandbox.id(index), file)).bytes);
});

describe("a wrong signature is a broken answer", () => {
  for (const [name, wrong] of [
    ["of another secret", (text: string) => hmac("another", text)],
    ["cut short", (_: string, right: string) => right.slice(0, 63)],
    ["too long", (_: string, right: string) => `${right}00`],
    ["no hex", () => "x".repeat(64)],
    ["empty", () => ""],
    ["of another answer", (_: string, __: string, secret: string) => hmac(secret, "{}")],
  ] as const satisfies readonly (readonly [string, (text: string, right: string, secret: string) => string])[])
    test(name, async (t) => {
      const { sandbox, source } = await open(t, { signs: "none" });
      const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved");
      const text = JSON.stringify(sandbox.decision(index));
      const right = hmac(sandbox.apiKey, text);
      let header = right.toUpperCase();
      sandbox.intercept((request, response) => {
        if (!request.url!.endsWith("/decision")) return false;
        response.writeHead(200, { "vrf-hmac-signature": header }).end(text);
        return true;
      });
      await source.dossier(sandbox.id(index), full); // without regard to case
      header = wrong(text, right, sandbox.apiKey);
      await assert.rejects(source.dossier(sandbox.id(index), full), {
        code: "source-response",
        message: "GET /sessions/{id}/decision: the answer is not signed with the shared secret of this integration",
      });
    });
});

test("a file with a wrong signature fails at its end", async (t) => {
  const { sandbox, source } = await open(t);
  const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved");
  const id = sandbox.id(index);
  const [file] = (await source.dossier(id, full)).files;
  const { bytes } = (await sandbox.files(index)).find((each) => each.id === file!.id)!;
  assert.deepEqual(await collect((await source.file(id, file!)).bytes), bytes);
  sandbox.intercept((request, response) => {
    if (!request.url!.includes("/v1/media/")) return false;
    const signature = createHmac("sha256", sandbox.apiKey).update(bytes).digest("hex");
    // Another picture under the signature of this one.
    response.writeHead(200, { "x-hmac-signature": signature }).end(Buffer.concat([bytes, Buffer.from([0])]));
    return true;
  });
  const { bytes: other } = await source.file(id, file!);
  await assert.rejects(collect(other), {
    code: "source-response",
    message: /^GET \/media\/\{id\}: the answer is not signed/,
  });
});

test("where the session's id signs the request for a file, one refusal teaches it", async (t) => {
  const { sandbox, source } = await open(t, { mediaSignedBy: "session" });
  const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved");
  const id = sandbox.id(index);
  const { files } = await source.dossier(id, full);
  for (const file of files) await collect((await source.file(id, file)).bytes);
  assert.ok(files.length > 2);
  assert.deepEqual([sandbox.requests.of("file", 200), sandbox.requests.of("file", 401)], [files.length, 1]);
});

test("a secret that was replaced signs the next request, and checks its answer", async (t) => {
  const { sandbox, connect } = await open(t);
  let read = 0;
  const source = connect({
    apiKey: new Secret("the-former-secret"),
    renewKey: async () => {
      read += 1;
      return new Secret(sandbox.apiKey);
    },
  });
  assert.equal((await source.dossier(sandbox.id(0), full)).identity.id, sandbox.id(0));
  assert.equal(read, 1);
});

test("doctor tells of an answer without a signature among others that have one", async (t) => {
  const { sandbox, source } = await open(t);
  const id = sandbox.id(first(sandbox, (at) => statusOf(sandbox, at) === "approved"));
  const signing = async (known: readonly string[]) => (await source.checks(known))[1]!;
  assert.match((await signing([])).message, /no session is known yet.*could not be checked/);
  const gone = "99999999-9999-4999-8999-999999999999";
  assert.deepEqual((await signing([gone, id])).outcome, "ok");
  sandbox.intercept((request, response) => {
    if (!request.url!.endsWith("/person")) return false;
    response.writeHead(200).end(JSON.stringify({ status: "success", person: {} }));
    return true;
  });
  const found = await signing([id]);
  assert.deepEqual(found.outcome, "warning");
  assert.match(found.message, /^answers to GET \/sessions\/\{id\}\/person are not signed, and others are/);
  const unsigned = (await open(t, { signs: "none" })).source;
  assert.equal((await unsigned.checks([id]))[1]!.outcome, "unknown");
});
