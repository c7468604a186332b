import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Secret } from "../../../src/config/secret.ts";
import { DAY } from "../../sandbox/onfido/ask.ts";
import { secretMark } from "../../sandbox/onfido/secret.ts";
import { full, open, pagesOf } from "./connect.ts";

test("client credentials are exchanged once for many requests, and again before the token ends", async (t) => {
  const { sandbox, connect, clock } = await open(t, { accessSeconds: 600 });
  const source = connect({ clientId: sandbox.clientId, apiKey: new Secret(sandbox.clientSecret) });
  await Promise.all(sandbox.ids().map((id) => source.dossier(id, { full: false })));
  await pagesOf(source);
  assert.equal(sandbox.requests.of("oauth/token"), 1);
  clock.now += 580_000;
  await source.dossier(sandbox.id(0), full);
  assert.equal(sandbox.requests.of("oauth/token"), 2);
  assert.equal(Object.keys(sandbox.requests.toJSON()).filter((key) => key.endsWith(" 401")).length, 0);
});

test("an access token that was revoked is replaced", async (t) => {
  const { sandbox, connect } = await open(t);
  const source = connect({ clientId: sandbox.clientId, apiKey: new Secret(sandbox.clientSecret) });
  await source.project();
  sandbox.revoke();
  assert.equal((await source.dossier(sandbox.id(0), full)).identity.id, sandbox.id(0));
});

test("wrong client credentials are a wrong key, and no message shows them", async (t) => {
  const { sandbox, connect } = await open(t);
  const apiKey = new Secret("wrong-client-secret");
  const source = connect({ clientId: sandbox.clientId, apiKey });
  const error = await source.project().catch((reason: unknown) => reason);
  assert.equal((error as { code: string }).code, "source-key");
  const shown = inspect(error, { depth: 10 });
  for (const secret of ["wrong-client-secret", secretMark(1)]) assert.ok(!shown.includes(secret));
});

test("the project says whether it is the sandbox, by the token's prefix or else by its applicants", async (t) => {
  const { sandbox, source, connect, clock } = await open(t);
  const credentials = { clientId: sandbox.clientId, apiKey: new Secret(sandbox.clientSecret) };
  assert.deepEqual(await source.project(), await connect(credentials).project());
  assert.equal((await source.project()).environment, "sandbox");
  clock.now += DAY;
  assert.deepEqual(await source.project(), await connect().project(), "another token is the same project");
});
