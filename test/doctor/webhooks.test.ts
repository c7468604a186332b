import assert from "node:assert/strict";
import { mkdir, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { ClientConfig } from "../../src/config/config.ts";
import { SCHEME_NAMES } from "../../src/config/webhook.ts";
import { checkInbox } from "../../src/doctor/inbox.ts";
import { inboxFile } from "../../src/inbox/database.ts";
import { SCHEMES } from "../../src/inbox/schemes/schemes.ts";
import { eventOf, SECRETS, sign } from "../inbox/signing.ts";
import { LOOKUP, place, rowsOf, stage } from "../inbox/stage.ts";
import { workOnDisk } from "../memory.ts";

workOnDisk();

const now = Temporal.Now.instant;
const said = async (config: ClientConfig, ...rest: [listen?: Parameters<typeof checkInbox>[2]]) =>
  (await checkInbox(config, now, ...rest)).map(
    ({ level, text, hint }) => `${level} ${text}${hint ? ` → ${hint}` : ""}`,
  );

async function placed(...schemes: (typeof SCHEME_NAMES)[number][]) {
  const { folder, config } = await place({ acme: schemes });
  const [acme] = config.clients;
  await mkdir(acme!.state, { recursive: true });
  return { folder, acme: acme!, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

test("doctor sends itself a webhook of each scheme, and neither the inbox nor the state keeps anything of it", async () => {
  await using at = await placed(...SCHEME_NAMES);
  const lines = await said(at.acme);
  for (const scheme of SCHEME_NAMES) {
    const own = lines.filter((line) => line.includes(`/hooks/acme/${scheme}:`));
    assert.match(own[0]!, /^ok .*: a signed webhook was taken and is on the disk, and a forged one was refused$/);
    assert.match(own[1]!, /^ok .*: signed with file:\.\/keys\/\S+ \(its file is of today\), or file:\.\/keys\/\S+ \(/);
    assert.match(
      own[2]!,
      /^warning .*: no verified webhook has come yet → At the provider, subscribe this endpoint to /,
    );
    assert.equal(own.length, 3);
  }
  assert.deepEqual(await readdir(at.acme.state), []);
});

test("doctor says how old a secret's file is, and that an event waits long", async () => {
  await using at = await placed("stripe");
  const days = (count: number) => new Date(Date.now() - count * 86_400_000 - 1_000);
  await utimes(at.acme.sources[0]!.webhook!.secrets[0]!.path!, days(400), days(400));
  const lines = await said(at.acme);
  assert.match(lines.join("\n"), /keys\/acme-stripe-0 \(its file is 400 days old\)/);
  assert.match(lines.join("\n"), /identity\.verification_session\.redacted by name/);
});

test("doctor finds a receiver that takes what is forged, or not what is signed, and a disk that refuses", async (t) => {
  await using at = await placed("stripe");
  const { stripe } = SCHEMES;
  const faked = (verify: typeof stripe.verify) => t.mock.method(stripe, "verify", verify);
  faked(({ body }) => ({ secret: 0, text: body }));
  assert.match((await said(at.acme))[0]!, /^failure .*: a forged webhook was answered 200, not 401/);
  faked(() => undefined);
  assert.match((await said(at.acme))[0]!, /^failure .*: a webhook signed with file:.* was answered 401, not 200/);
  t.mock.restoreAll();
  assert.deepEqual(await readdir(at.acme.state), []);
  await rm(at.acme.sources[0]!.webhook!.secrets[1]!.path!);
  assert.match((await said(at.acme)).join(), /^failure file:\.\/keys\/acme-stripe-1: there is no file/);
});

test("doctor asks what listens at inbox.listen whether it takes the path, and leaves nothing there", async () => {
  await using at = await stage({ clients: { acme: ["stripe"], other: ["onfido"] } });
  const config = at.client();
  await mkdir(config.state, { recursive: true });
  const seconds = Math.floor(Date.now() / 1000);
  const signed = sign("stripe", SECRETS.stripe[0], eventOf("stripe", "vs_1"), seconds);
  assert.equal((await at.send("/hooks/acme/stripe", signed)).status, 200);
  const second = async (listen?: string, port = at.port) =>
    (await said(config, { export: "nightly", listen: listen === undefined ? undefined : { host: listen, port } }))[1]!;
  assert.match(await second("127.0.0.1"), /^ok .*: a receiver at 127\.0\.0\.1:\d+ waits for it$/);
  assert.match(await second("0.0.0.0"), /^ok .*: a receiver at 0\.0\.0\.0:\d+ waits for it$/);
  at.routes.replace(at.config.clients.filter(({ id }) => id === "other"));
  assert.match(
    await second("127.0.0.1"),
    /^warning .* does not take it \(404\) → If Holdfast listens there, send it SIGHUP/,
  );
  assert.match(await second("127.0.0.1", 9), /^warning .*: nothing answers at inbox\.listen \(127\.0\.0\.1:9\)/);
  assert.match(await second(), /^warning .*: not received, because the config has no inbox\.listen → Write inbox:/);
  assert.match(await second("127.0.0.1", 0), /^unknown .* could not be checked$/);
  // Only the event of the provider is there.
  assert.equal(rowsOf(config).length, 1);
  assert.deepEqual(
    at.results.map(({ result }) => result),
    ["taken", "not-post", "not-post", "unrouted"],
  );
});

test("doctor says how many events do not open with this lookup key", async () => {
  await using at = await stage();
  const config = at.client();
  const seconds = Math.floor(Date.now() / 1000);
  await at.send("/hooks/acme/stripe", sign("stripe", SECRETS.stripe[0], eventOf("stripe", "vs_1"), seconds));
  assert.doesNotMatch((await said(config)).join(), /do not open/);
  const path = config.lookups.key.path!;
  await writeFile(path, LOOKUP.replace(/^a/, "b"));
  assert.match((await said(config)).join("\n"), /warning .*: the closed ids of 1 event do not open → .* 30 days old/);
  assert.ok(
    (await readdir(config.state)).every((name) => join(config.state, name).startsWith(inboxFile(config.state))),
  );
});
