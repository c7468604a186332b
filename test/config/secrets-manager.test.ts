import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { SecretRef } from "../../src/config/secret.ts";
import { type ErrorCode, HoldfastError } from "../../src/core/error.ts";
import { type Held, type SecretsManager, startSecretsManager } from "../servers/secrets-manager.ts";

const ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:acme/passbase-AbCdEf";
const CANARY = "canary-4f1d";
const ENVIRONMENT = {
  ...{ AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "testtest", AWS_REGION: "eu-central-1" },
  // Use nothing from the machine that runs the tests.
  ...{ AWS_EC2_METADATA_DISABLED: "true", AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" },
};

let server: SecretsManager;
const before = { ...process.env };
beforeEach(async () => {
  server = await startSecretsManager();
  Object.assign(process.env, ENVIRONMENT, { AWS_ENDPOINT_URL_SECRETS_MANAGER: server.endpoint });
});
afterEach(async () => {
  process.env = { ...before };
  await server[Symbol.asyncDispose]();
});

const reference = (text: string) => SecretRef.parse(`aws-secretsmanager:${text}`, "/");

async function resolved(text: string): Promise<string> {
  return (await reference(text).resolve()).reveal();
}

async function refused(text: string, code: ErrorCode = "config"): Promise<string> {
  const error = await resolved(text).then(
    () => assert.fail("resolved"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HoldfastError, String(error));
  assert.equal(error.code, code, error.message);
  const words = `${error.message}\n${error.hint}`;
  assert.ok(words.startsWith(`aws-secretsmanager:${text}`), words);
  assert.ok(!words.includes("canary"), words);
  return words;
}

test("a secret is found by its name, by its ARN, and by a key of its JSON", async () => {
  server.secrets.set("acme/passbase", `${CANARY}\n`);
  server.secrets.set(ARN, CANARY);
  server.secrets.set("acme/keys", JSON.stringify({ api: "a", lookup: CANARY }));
  assert.equal(await resolved("acme/passbase"), CANARY);
  assert.equal(await resolved(ARN), CANARY);
  assert.equal(await resolved("acme/keys#lookup"), CANARY);
  assert.deepEqual(server.asked, [
    { name: "acme/passbase", region: "eu-central-1" },
    // The ARN names the region.
    { name: ARN, region: "eu-west-3" },
    { name: "acme/keys", region: "eu-central-1" },
  ]);
});

test("it is loaded every time, so a rotated secret takes effect", async () => {
  server.secrets.set("rotated", "first");
  const ref = reference("rotated");
  assert.equal((await ref.resolve()).reveal(), "first");
  server.secrets.set("rotated", "second");
  assert.equal((await ref.resolve()).reveal(), "second");
  assert.deepEqual([ref.path, ref.warnings(), `${ref}`], [undefined, [], "aws-secretsmanager:rotated"]);
});

test("a value of the wrong kind is refused and never repeated", async () => {
  const held: [string, Held, RegExp][] = [
    ["object", JSON.stringify({ api: CANARY }), /is a JSON object.*\n.*add #/],
    ["text#api", CANARY, /is not a JSON object/],
    ["other#api", JSON.stringify({ lookup: CANARY }), /no text under the key api/],
    ["number#api", JSON.stringify({ api: 12 }), /no text under the key api/],
    ["inherited#toString", JSON.stringify({ api: CANARY }), /no text under the key toString/],
    ["list#api", JSON.stringify([CANARY]), /is not a JSON object/],
    ["binary", { bytes: Buffer.from(CANARY).toString("base64") }, /holds bytes/],
    ["empty", " \n", /is empty/],
  ];
  for (const [name, value] of held) server.secrets.set(name.split("#")[0]!, value);
  for (const [name, , expected] of held) assert.match(await refused(name), expected);
});

test("an error from AWS says what was refused and how to fix it", async () => {
  const refusals: [string, number, RegExp][] = [
    ["AccessDeniedException", 400, /not allowed to read it\n.*secretsmanager:GetSecretValue/],
    ["DecryptionFailure", 400, /cannot decrypt.*\n.*kms:Decrypt/],
    ["InvalidRequestException", 400, /refuses to return it\n.*deletion/],
    ["UnrecognizedClientException", 400, /the AWS credentials were refused/],
    ["ExpiredTokenException", 400, /the AWS credentials were refused/],
    ["InvalidSignatureException", 400, /the AWS credentials were refused/],
  ];
  for (const [type, status, expected] of refusals) {
    server.secrets.set(type, { status, type });
    assert.match(await refused(type), expected);
  }
  assert.match(await refused("nowhere"), /there is no such secret/);
});

test("a failure of AWS is retried and is not a config error", async () => {
  for (const [name, held] of [
    ["down", { status: 500, type: "InternalServiceError" }],
    ["slow", { status: 400, type: "ThrottlingException" }],
    ["cut", "reset"],
  ] as const) {
    server.secrets.set(name, held);
    assert.match(await refused(name, "secrets-unavailable"), /cannot reach AWS Secrets Manager/);
  }
  assert.ok(server.asked.filter(({ name }) => name === "down").length > 2);
});

test("without credentials or a region, the error says which one is missing", async () => {
  process.env = { ...before, ...ENVIRONMENT, AWS_ENDPOINT_URL_SECRETS_MANAGER: server.endpoint };
  delete process.env.AWS_REGION;
  assert.match(await refused("a"), /no AWS region/);
  process.env = { ...before, ...ENVIRONMENT, AWS_ENDPOINT_URL_SECRETS_MANAGER: server.endpoint };
  delete process.env.AWS_ACCESS_KEY_ID;
  assert.match(await refused("a"), /no AWS credentials found; looked at: environment/);
  assert.deepEqual(server.asked, []);
});
