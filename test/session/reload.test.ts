import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { stringify } from "yaml";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { startSecretsManager } from "../servers/secrets-manager.ts";

const AWS = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "testtest", AWS_REGION: "eu-central-1" };
const EVERY_SECOND = "* * * * * *";
/** At no time that a test sees. */
const NEVER = "0 0 29 2 *";

test("SIGHUP makes the daemon reload its config; an invalid one is refused, and the old one stays", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  place.config.schedule = { cron: NEVER };
  await place.configure();
  const daemon = place.start("export", ["--schedule"]);
  await daemon.logged(({ msg }) => String(msg).includes(NEVER));

  place.config.schedule = { cron: EVERY_SECOND };
  const good = stringify(place.config, { aliasDuplicateObjects: false });
  const secret = "canary-literal-9d2f";
  const before = new Set<unknown>();
  for (const bad of [
    "clients: [",
    good.replace("file:./keys/log", secret),
    good.replace("keys/provider", "keys/gone"),
  ]) {
    await writeFile(place.file, bad);
    daemon.kill("SIGHUP");
    await daemon.logged(({ level, time }) => level === "error" && !before.has(time) && before.add(time).size > 0);
  }
  await writeFile(place.file, good);
  daemon.kill("SIGHUP");
  await daemon.logged(({ msg, count }) => msg === "config reloaded" && count === 1);
  await daemon.logged(({ msg }) => String(msg).includes(EVERY_SECOND));
  await daemon.logged(({ outcome }) => outcome === "done");
  daemon.kill("SIGTERM");
  const { code, stderr, log } = await daemon.ended;
  assert.ok(code === 0 || code === 130, `ended with ${code}: ${stderr}`);
  const refusals = log.filter(({ level }) => level === "error");
  assert.deepEqual([...new Set(refusals.map(({ code }) => code))], ["config"]);
  assert.ok(
    refusals.some(({ error }) => String(error).includes("keys/gone")),
    stderr,
  );
  assert.ok(!stderr.includes(secret));
  assert.equal((await place.stored()).size, 3);
});

test("a run under way when SIGHUP comes ends with the config that it began with", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  place.config.schedule = { cron: EVERY_SECOND };
  await place.configure();
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  let lists = 0;
  sandbox.intercept((request, response) => {
    if (!request.url!.includes("/identities?") || ++lists > 1) return false;
    asked.resolve();
    void release.promise.then(() => response.writeHead(503, { "Retry-After": "0" }).end());
    return true;
  });
  const daemon = place.start("export", ["--schedule"]);
  await asked.promise;
  place.config.schedule = { cron: NEVER };
  await place.configure({ lookups: { fields: [] } });
  daemon.kill("SIGHUP");
  await daemon.logged(({ msg }) => msg === "config reloaded");
  await daemon.logged(({ msg }) => String(msg).includes(NEVER));
  release.resolve();
  await daemon.logged(({ outcome }) => outcome === "done");
  daemon.kill("SIGTERM");
  await daemon.ended;
  const stored = await place.entries("record.stored");
  assert.equal(stored.length, 3);
  assert.ok(
    stored.some(({ lookups }) => "email" in lookups),
    "the lookups are those of the config it began with",
  );
});

test("an API key in AWS Secrets Manager that is rotated in the middle of a run does not end it", async () => {
  await using sandbox = await startSandbox({ identities: 12, files: false });
  await using secrets = await startSecretsManager({ "acme/passbase": JSON.stringify({ key: "key-of-yesterday" }) });
  await using place = await makeWorkplace(sandbox, {
    client: { source: { apiKey: "aws-secretsmanager:acme/passbase#key" } },
  });
  let requests = 0;
  sandbox.intercept((request) => {
    requests += 1;
    if (requests <= 8 && request.headers["x-api-key"] === "key-of-yesterday") {
      request.headers["x-api-key"] = sandbox.apiKey;
    } else if (requests === 9) {
      secrets.secrets.set("acme/passbase", JSON.stringify({ key: sandbox.apiKey }));
    }
    return false;
  });
  const env = { ...AWS, AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint };
  const ended = await place.holdfast("export", ["--json"], { env });
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal((await place.stored()).size, 12);
  assert.ok(sandbox.requests.of("identity", 401) + sandbox.requests.of("resources", 401) > 0);
  // At the beginning, and once however many were refused together.
  assert.deepEqual(
    secrets.asked.map(({ name }) => name),
    ["acme/passbase", "acme/passbase"],
  );
  for (const text of [ended.stdout, ended.stderr])
    assert.ok(!text.includes("key-of-yesterday") && !text.includes(sandbox.apiKey));
});
