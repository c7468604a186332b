import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import type { Summary } from "../../src/export/summary.ts";
import { Tokens } from "../../src/record/tokens.ts";
import type { Running } from "../cli/program.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startPersona } from "../sandbox/persona/server.ts";
import { eventOf, sign } from "./signing.ts";
import { filesIn, send } from "./stage.ts";

const SECRET = "wbhsec_journey-5a5a";

async function begun() {
  const clock = { ahead: 0 };
  const persona = await startPersona({
    ...{ seed: 3, identities: 6, repeats: 0, plainImages: true, retryAfter: undefined },
    clock: () => Date.now() + clock.ahead,
  });
  persona.intercept((_, response) => {
    response.setHeader("date", new Date(Date.now() + clock.ahead).toUTCString());
    return false;
  });
  const source = {
    ...{ kind: "persona", url: persona.url, rate: "1000/s" },
    webhook: { secrets: ["file:./keys/hook"] },
  };
  const place = await makeWorkplace(persona, { client: { source } });
  await writeFile(place.path("keys/hook"), SECRET, { mode: 0o600 });
  Object.assign(place.config, { inbox: { listen: "127.0.0.1:0" } });
  await place.configure();
  const start = async (command: string, ...args: string[]) => {
    const child = place.start(command, args);
    return { child, port: await portOf(child) };
  };
  return {
    ...{ persona, place, start, clock },
    async [Symbol.asyncDispose]() {
      await place[Symbol.asyncDispose]();
      await persona.close();
    },
  };
}

async function portOf(running: Running): Promise<number> {
  const { msg } = await running.logged(({ msg }) => /^webhooks at /.test(String(msg)));
  return Number(/:(\d+)$/.exec(String(msg))![1]);
}

const deliver = (port: number, id: string, secret = SECRET, event = `evt_${id}`) =>
  send(
    port,
    `/hooks/${CLIENT}/persona`,
    sign("persona", secret, eventOf("persona", id, event), Math.floor(Date.now() / 1000)),
  );

async function exportAt(place: Workplace, days: number): Promise<Summary> {
  const now = () => Temporal.Now.instant().add({ hours: 24 * days });
  const ended = await place.here("export", ["--json"], { now });
  assert.equal(ended.code, 0, ended.stderr);
  return (ended.json as { clients: Summary[] }).clients[0]!;
}

test("a webhook that comes to `inbox` is stored by the next export, and one that is lost by the slow round", async () => {
  await using all = await begun();
  const { persona, place, start } = all;
  assert.equal((await exportAt(place, 0)).new, 6);
  const doctor = async () => (await place.here("doctor", ["--json"])).stdout;
  assert.match(await doctor(), /\/hooks\/acme-bank\/persona: no verified webhook has come yet/);
  const ids = persona.ids();
  const of = async (id: string) =>
    new Tokens(await (await place.client()).lookups.key.resolve()).subject("persona", id);
  // Persona's search does not tell of these.
  persona.change([2, 3], { part: "account" });
  const [told = "", lost = ""] = ids.slice(2, 4);
  const { child: receiver, port } = await start("inbox");
  assert.equal((await deliver(port, told)).status, 200);
  assert.equal((await deliver(port, told)).status, 200);
  assert.equal((await deliver(port, lost, "wbhsec_guessed")).status, 401);
  const summary = await exportAt(place, 0);
  assert.deepEqual([summary.askedByInbox, summary.changed], [1, 1]);
  assert.deepEqual((await place.entries("run.finished")).at(-1)!.inbox, { taken: 1, settled: 1, pending: 0 });
  assert.equal((await place.stored()).get(await of(told))!.length, 2);
  assert.match(await doctor(), /last verified webhook .*, 0 events waiting/);
  receiver.kill("SIGTERM");
  const ended = await receiver.ended;
  assert.equal(ended.code, 0, ended.stderr);
  const counts = ended.log.find(({ msg }) => msg === "webhooks received: 1 taken, 1 duplicate, 1 forged")!.counts;
  assert.deepEqual(counts, { taken: 1, duplicate: 1, forged: 1 });
  // No id, and nothing else of anyone, is where it is kept or said.
  const state = await Promise.all((await filesIn(place.path("state"))).map((path) => readFile(path)));
  for (const bytes of [...state, Buffer.from(ended.stdout + ended.stderr)])
    for (const text of [...ids, SECRET, ...persona.canaries()]) assert.ok(!bytes.includes(text), text);
  // What no webhook told is found in turn.
  all.clock.ahead = 31 * 24 * 3_600_000;
  const later = await exportAt(place, 31);
  assert.ok(later.askedInTurn >= 1);
  assert.equal((await place.stored()).get(await of(lost))!.length, 2);
});

test("a dry run and `status` say how many people wait, and change nothing", async () => {
  await using all = await begun();
  const { persona, place, start } = all;
  assert.equal((await exportAt(place, 0)).new, 6);
  const status = async () => (await place.here("status")).stdout;
  assert.match(await status(), /^! webhooks {2}none waits; none has come yet$/m);
  const { child, port } = await start("inbox");
  const [one = "", two = ""] = persona.ids();
  for (const [id, event] of [[one], [two], [two, "evt_again"]] as const)
    assert.equal((await deliver(port, id!, SECRET, event)).status, 200);
  child.kill("SIGTERM");
  await child.ended;
  const dry = await place.here("export", ["--dry-run", "--json"]);
  const [forecast] = (dry.json as { plan: { askedByInbox: number; unknown: number; toFetch: number }[] }).plan;
  assert.deepEqual([forecast!.askedByInbox, forecast!.unknown, forecast!.toFetch], [2, 2, 2], dry.stdout);
  assert.match((await place.here("export", ["--dry-run"])).stderr, /" {2}webhooks {4}named 2 identities"/);
  assert.match(await status(), /^ {2}webhooks {2}2 verifications waiting, the oldest just now; last just now$/m);
  const { webhooks } = ((await place.here("status", ["--json"])).json as { clients: { webhooks: object[] }[] })
    .clients[0]!;
  const [{ oldest, last, ...counts } = {} as never] = webhooks as { oldest: string; last: string }[];
  assert.deepEqual(counts, { source: "persona", people: 2, events: 3 });
  assert.ok(oldest! <= last!);
  const in4Days = { now: () => Temporal.Now.instant().add({ hours: 96 }) };
  assert.match(
    (await place.here("status", [], in4Days)).stdout,
    /^! webhooks {2}2 verifications waiting, the oldest 4 days ago/m,
  );
  const summary = await exportAt(place, 0);
  assert.equal(summary.askedByInbox, 2);
  assert.deepEqual((await place.entries("run.finished")).at(-1)!.inbox, { taken: 3, settled: 3, pending: 0 });
  assert.match(await status(), /^ {2}webhooks {2}none waits; last just now$/m);
});

test("`inbox` says what is missing in the config", async () => {
  await using all = await begun();
  const { place } = all;
  await place.configure({ source: { webhook: undefined } });
  const none = await place.here("inbox");
  assert.equal(none.code, 2);
  assert.match(none.stderr, /no source with a webhook/);
  Object.assign(place.config, { inbox: undefined });
  await place.configure({ source: { webhook: { secrets: ["file:./keys/hook"] } } });
  const nowhere = await place.here("inbox");
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /no inbox\.listen/);
});

test("the daemon receives beside its runs", async () => {
  await using all = await begun();
  const { persona, place, start } = all;
  place.config.schedule = { cron: "0 0 1 1 *" };
  await place.configure();
  const { child: daemon, port } = await start("export", "--schedule");
  assert.equal((await deliver(port, persona.ids()[0]!)).status, 200);
  daemon.kill("SIGTERM");
  assert.equal((await daemon.ended).code, 0);
  const summary = await exportAt(place, 0);
  assert.equal(summary.askedByInbox, 1);
});
