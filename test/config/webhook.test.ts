import assert from "node:assert/strict";
import { test } from "node:test";
import { secretsOf } from "../../src/config/client-secrets.ts";
import { webhookSources } from "../../src/config/sources.ts";
import { accepted, client, refusedOnce, yaml } from "./sample.ts";

const secrets = ["env:HOOK", "file:./keys/hook"];

test("a source's webhook is signed as its kind does, unless the config says another scheme", async () => {
  for (const kind of ["persona", "stripe", "onfido", "passbase"]) {
    const text = yaml(client({ source: { kind, apiKey: "env:KEY", webhook: { secrets } } }));
    const { clients, inbox } = await accepted(text);
    assert.deepEqual(inbox, { export: "nightly" });
    assert.equal(clients[0]!.sources[0]!.webhook!.scheme, kind);
  }
  const webhook = { secrets, scheme: "standard-webhooks" };
  const { clients } = await accepted(yaml(client({ source: { kind: "persona", apiKey: "env:KEY", webhook } })));
  assert.equal(clients[0]!.sources[0]!.webhook!.scheme, "standard-webhooks");
  assert.deepEqual(
    secretsOf(clients[0]!)
      .map(([field]) => field)
      .slice(0, 3),
    ["source.apiKey", "source.webhook.secrets (number 1 of 2)", "source.webhook.secrets (number 2 of 2)"],
  );
});

test("a retired source receives nothing, and a webhook needs a secret and a scheme that exists", async () => {
  const source = { kind: "persona", webhook: { secrets }, retired: true };
  assert.deepEqual(webhookSources((await accepted(yaml(client({ source })))).clients[0]!), []);
  const broken = (webhook: unknown) => yaml(client({ source: { kind: "persona", apiKey: "env:KEY", webhook } }));
  await refusedOnce(broken({ secrets: [] }), /webhook\.secrets: is too short/);
  await refusedOnce(broken({}), /webhook\.secrets: is missing/);
  await refusedOnce(broken({ secrets, scheme: "sumsub-sha1" }), /scheme.*is not one of the choices/);
  await refusedOnce(broken({ secrets: ["wbhsec_pasted"] }), /contains the secret itself \(not shown\)/);
});

test("the receiver listens where the config says, and nowhere by default; what it hears waits unless the config says", async () => {
  const text = `inbox: { listen: "127.0.0.1:8480", export: at-once }\n${yaml(client())}`;
  assert.deepEqual((await accepted(text)).inbox, { listen: { host: "127.0.0.1", port: 8480 }, export: "at-once" });
  await refusedOnce(
    `inbox: { export: hourly }\n${yaml(client())}`,
    /inbox\.export: "hourly" is not one of the choices/,
  );
  await refusedOnce(`inbox: { listen: "8480" }\n${yaml(client())}`, /inbox\.listen: .*is not an address/);
});
