import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PassbaseClient, PassbaseConfiguration } from "@passbase/node";
import { first } from "./ask.ts";
import { type Sandbox, startSandbox } from "./server.ts";

// The official client does not know this sandbox: what it understands, any client does.
let sandbox: Sandbox;
let client: PassbaseClient;

before(async () => {
  sandbox = await startSandbox({ identities: 130, pageSize: 50 });
  client = new PassbaseClient(new PassbaseConfiguration({ apiKey: sandbox.apiKey, basePath: sandbox.url }));
});
after(() => sandbox.close());

test("listIdentities walks all pages, in order, each identity once", async () => {
  const identities = await client.listIdentities();
  assert.deepEqual(
    identities.map(({ id }) => id),
    sandbox.ids(),
  );
  assert.equal(new Set(sandbox.ids()).size, 130);
  assert.equal(sandbox.requests.of("identities", 200), 3);
});

test("getIdentityById reads the fields that the documentation names", async () => {
  const index = first(sandbox, (i) => {
    const { status, metadata, network, owner } = sandbox.identity(i);
    return status === "approved" && Boolean(metadata && network && owner?.email);
  });
  const wire = sandbox.identity(index);
  const identity = await client.getIdentityById(wire.id);
  assert.equal(identity.owner?.email, wire.owner?.email);
  assert.equal(identity.owner?.firstName, wire.owner?.first_name);
  assert.equal(identity.created.getTime(), wire.created * 1000);
  assert.equal(identity.network?.ipAddress, wire.network?.ip_address);
  assert.equal(identity.watchlist?.isClean, wire.watchlist?.clean);
  assert.match(String(identity.metadata?.customer_id), /^CUST-/);
  assert.match(identity.resources[0]!.datapoints.date_of_birth!, /^\d{4}-\d\d-\d\d$/);
});

test("resources and their files are found through the client", async () => {
  const index = first(sandbox, (i) => sandbox.resources(i)[0]?.type === "PASSPORT");
  const { id } = sandbox.identity(index);
  const resources = await client.listIdentityResources(id);
  assert.deepEqual(
    resources.map(({ type }) => type).filter((type) => type !== "DRIVERS_LICENSE"),
    ["PASSPORT", "SELFIE_VIDEO"],
  );
  const passport = await client.getIdentityResourceById(id, resources[0]!.id);
  assert.deepEqual(passport, resources[0]);
  const file = passport.resourceFiles[0]!;
  const blob = await client.getIdentityResourceFileById(id, passport.id, file.id);
  const bytes = Buffer.from(await blob.arrayBuffer());
  assert.equal(blob.type, "image/png");
  assert.deepEqual(bytes, await sandbox.file(index, passport.id, file.id));
});

test("getSettings says that this is not a production project", async () => {
  const settings = await client.getSettings();
  assert.equal(settings.environment, "sandbox");
  assert.ok(settings.verificationSteps.some(({ resourceTypes }) => resourceTypes.includes("PASSPORT")));
});

test("older resources have step instead of type, which the client reads too", async () => {
  const index = first(sandbox, (i) => sandbox.resources(i)[0]?.step !== undefined);
  const [resource] = await client.listIdentityResources(sandbox.ids()[index]!);
  assert.equal(resource!.type, sandbox.resources(index)[0]!.step);
});
