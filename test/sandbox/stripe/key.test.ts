import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, clockAt, NIGHT, read, reported } from "./ask.ts";
import { RIGHTS } from "./key.ts";
import { startStripe } from "./server.ts";

const SESSIONS = "/identity/verification_sessions";
const DOB = "expand[]=verified_outputs.dob";
const NUMBER = "expand[0]=last_verification_report.document.number";

test("a missing or wrong key gets 401, and the message quotes the key's end", async () => {
  await using sandbox = await startStripe();
  assert.equal((await fetch(sandbox.url + SESSIONS)).status, 401);
  const wrong = { Authorization: "Bearer rk_test_wrong_key_tail" };
  const { error } = await read(sandbox, SESSIONS, undefined, wrong);
  assert.equal(error.type, "invalid_request_error");
  assert.match(error.message, /tail$/);
  const basic = { Authorization: `Basic ${Buffer.from(`${sandbox.apiKey}:`).toString("base64")}` };
  assert.equal((await ask(sandbox, SESSIONS, undefined, basic)).status, 200);
});

test("a key for recent results sees 48 hours back, by the clock; one for all needs an allow-list", async () => {
  const clock = clockAt();
  await using sandbox = await startStripe({ clock });
  const [index] = sandbox.add(1);
  sandbox.change([index!], { part: "attempt" });
  const old = reported(sandbox);
  const status = async (which: number) => (await ask(sandbox, `${SESSIONS}/${sandbox.ids()[which]}?${NUMBER}`)).status;
  assert.deepEqual([await status(index!), await status(old)], [200, 200]);
  for (const rights of [{ sensitive: "recent" }, { sensitive: "all", allowList: false }] as const) {
    sandbox.restrict({ ...RIGHTS, ...rights });
    clock.now = NIGHT + 47 * 3_600_000;
    assert.deepEqual([await status(index!), await status(old)], [200, 403]);
    clock.now = NIGHT + 48 * 3_600_000 + 5_000;
    assert.deepEqual([await status(index!), await status(old)], [403, 403]);
  }
  sandbox.restrict({ ...RIGHTS, sensitive: "none" });
  clock.now = NIGHT;
  assert.equal(await status(index!), 403);
  assert.equal((await ask(sandbox, `${SESSIONS}/${sandbox.ids()[old]}?expand[]=last_verification_report`)).status, 200);
  sandbox.restrict({ ...RIGHTS, addressAllowed: false });
  assert.equal((await ask(sandbox, SESSIONS)).status, 403);
});

test("what the key may not see is refused with 403 or 400, or left out", async () => {
  await using sandbox = await startStripe({ clock: clockAt() });
  const index = reported(sandbox, (i) => sandbox.session(i).status === "verified");
  const path = `${SESSIONS}/${sandbox.ids()[index]}?${NUMBER}&${DOB}`;
  for (const unseen of [403, 400] as const) {
    sandbox.restrict({ sensitive: "none", unseen });
    assert.equal((await ask(sandbox, path)).status, unseen);
    assert.equal((await ask(sandbox, `${SESSIONS}?expand[]=data.verified_outputs.dob`)).status, unseen);
  }
  sandbox.restrict({ unseen: "left out" });
  const { verified_outputs, last_verification_report } = await read(sandbox, path);
  assert.ok("first_name" in (verified_outputs as object) && !("dob" in (verified_outputs as object)));
  const { document } = last_verification_report as { document: object };
  assert.ok("issuing_country" in document && !("number" in document));
});

test("an expansion too deep, unknown, or without data in a list is refused", async () => {
  await using sandbox = await startStripe();
  const id = sandbox.ids()[0];
  for (const path of [
    `${SESSIONS}/${id}?expand[]=status`,
    `${SESSIONS}/${id}?expand[]=data.verified_outputs`,
    `${SESSIONS}?expand[]=verified_outputs`,
    `${SESSIONS}?expand[]=data.last_verification_report.document.number.x`,
    `${SESSIONS}?limit=101`,
    `${SESSIONS}?limit=0`,
    `${SESSIONS}?starting_after=vs_none`,
    `${SESSIONS}?starting_after=${id}&ending_before=${id}`,
    `/events?${Array.from({ length: 21 }, (_, n) => `types[]=type.${n}`).join("&")}`,
  ])
    assert.equal((await ask(sandbox, path)).status, 400, path);
});

test("each endpoint needs its right", async () => {
  await using sandbox = await startStripe({ plainImages: true });
  const index = reported(sandbox);
  const [file] = sandbox.reports(index)[0]!.document!.files!;
  const form = `file=${file}&expires_at=${Math.floor(Date.now() / 1000) + 20}`;
  const contents = `${sandbox.filesOrigin}/v1/files/${file}/contents`;
  const statuses = async () =>
    Object.fromEntries(
      await Promise.all(
        [
          SESSIONS,
          "/identity/verification_reports",
          "/events",
          "/account",
          `/files/${file}`,
          contents,
          "/file_links",
        ].map(async (path) => [
          path.replace(/.*\//, ""),
          (await ask(sandbox, path, path === "/file_links" ? form : undefined)).status,
        ]),
      ),
    );
  const all = { verification_sessions: 200, verification_reports: 200, events: 200, account: 200 };
  const files = { [file!]: 200, contents: 200, file_links: 200 };
  assert.deepEqual(await statuses(), { ...all, ...files });
  sandbox.restrict({ sessions: false, events: false, account: false });
  assert.deepEqual(new Set(Object.values(await statuses())), new Set([403, 200]));
  sandbox.restrict({ ...RIGHTS, files: "read", contents: false });
  assert.deepEqual(await statuses(), { ...all, [file!]: 200, contents: 403, file_links: 403 });
  assert.equal((await read(sandbox, `/files/${file}`)).url, null);
  sandbox.restrict({ files: "none" });
  assert.deepEqual(await statuses(), { ...all, [file!]: 403, contents: 403, file_links: 403 });
});

test("a request that pins no version gets another, and an unknown one is refused", async () => {
  await using sandbox = await startStripe();
  const path = `${SESSIONS}/${sandbox.ids()[0]}`;
  const headers = { Authorization: `Bearer ${sandbox.apiKey}` };
  const loose = await fetch(sandbox.url + path, { headers });
  assert.ok(!("redaction" in ((await loose.json()) as object)));
  assert.ok("redaction" in (await read(sandbox, path)));
  assert.equal((await ask(sandbox, path, undefined, { "Stripe-Version": "2031-01-01.x" })).status, 400);
});

test("sessions of a connected account are there for requests that name it", async () => {
  await using sandbox = await startStripe({ connected: true });
  const path = `${SESSIONS}/${sandbox.ids()[0]}`;
  const named = { "Stripe-Account": sandbox.account };
  assert.equal((await read(sandbox, SESSIONS, undefined, named)).data.length, 10);
  assert.equal((await read(sandbox, "/account", undefined, named)).id, sandbox.account);
  assert.deepEqual((await read(sandbox, SESSIONS)).data, []);
  assert.equal((await ask(sandbox, path)).status, 404);
  assert.equal((await ask(sandbox, path, undefined, named)).status, 200);
  assert.equal((await ask(sandbox, path, undefined, { "Stripe-Account": "acct_other" })).status, 403);
});
