import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { makeWorkplace, type Section, type Workplace } from "../export/workplace.ts";
import { startVeriff, type Veriff } from "../sandbox/veriff/server.ts";

const DAY = 86_400_000;

interface Summary {
  readonly source: string;
  readonly outcome: string;
  readonly new: number;
  readonly unchanged: number;
  readonly gone: number;
  readonly notFound: number;
  readonly askedWhileOpen: number;
}

const told = (summaries: readonly Summary[], ...names: readonly (keyof Summary)[]) =>
  summaries.map((summary) => [summary.source, ...names.map((name) => summary[name])]);
const isOpen = (sandbox: Veriff, index: number): boolean => {
  const { status = null } = (sandbox.decision(index).verification ?? {}) as { status?: string };
  return status === null || status === "resubmission_requested";
};
const openOf = (sandbox: Veriff) => sandbox.ids().filter((_, index) => isOpen(sandbox, index)).length;

/** Two integrations of one client, whose sessions are `age` days old, each with a secret of its own. */
async function twoIntegrations(age: { loans: number; cards: number }) {
  const now = { loans: Date.now() - age.loans * DAY, cards: Date.now() - age.cards * DAY };
  const common = { identities: 20, plainImages: true, screens: false };
  const loans = await startVeriff({ ...common, seed: 11, apiKey: "secret-of-loans-1", clock: () => now.loans });
  const cards = await startVeriff({ ...common, seed: 22, apiKey: "secret-of-cards-2", clock: () => now.cards });
  const section = (name: string, { url, integrationKey }: Veriff): Section => {
    return {
      kind: "veriff",
      name,
      url,
      integrationKey,
      apiKey: `file:./keys/${name}`,
      rate: "10000/s",
      resync: "P100Y",
    };
  };
  const place = await makeWorkplace(loans, {
    client: {
      source: undefined,
      sources: [section("loans", loans), section("cards", cards)],
      lookups: { fields: ["metadata.vendorData", "document.number"] },
    },
    init: false,
  });
  for (const [name, { apiKey }] of Object.entries({ loans, cards }))
    await writeFile(place.path("keys", name), apiKey, { mode: 0o600 });
  await place.expect(0, "init");
  return { loans, cards, place, now };
}

/** As for a client that asks its own database for the ids of each integration. */
async function backfill(place: Workplace, source: string, ids: readonly string[]) {
  const list = place.path(`${source}.txt`);
  await writeFile(list, ids.join("\n"), { mode: 0o600 });
  return place.here("backfill", ["--ids", list, "--source", source, "--json"]);
}

const summariesOf = ({ json }: { json?: unknown }) => (json as { clients: Summary[] }).clients;

describe("two integrations of Veriff in one vault", () => {
  let at: Awaited<ReturnType<typeof twoIntegrations>>;
  before(async () => {
    at = await twoIntegrations({ loans: 3, cards: 1 });
  });
  after(async () => {
    await at.place[Symbol.asyncDispose]();
    await at.loans.close();
    await at.cards.close();
  });

  test("each finds its own sessions by its own key and secret, and not the other's", async () => {
    const { loans, cards, place } = at;
    const shown: string[] = [];
    const [first] = loans.ids();
    const mixed = await backfill(place, "cards", [first!, ...cards.ids()]);
    assert.equal(mixed.code, 3, mixed.stderr);
    assert.deepEqual(told(summariesOf(mixed), "new", "notFound"), [["cards", 20, 1]]);
    const own = await backfill(place, "loans", loans.ids());
    assert.equal(own.code, 0, own.stderr);
    assert.deepEqual(told(summariesOf(own), "new", "notFound"), [["loans", 20, 0]]);
    for (const { stdout, stderr } of [mixed, own]) shown.push(stdout, stderr);
    for (const canary of [...loans.canaries(), ...cards.canaries()])
      for (const text of shown) assert.ok(!text.includes(canary), `${canary} is shown`);
    // Someone else's session is no one who went.
    assert.equal((await place.entries("record.gone")).length, 0);
  });

  test("a night asks each about the sessions that have no end yet, and finds nothing new", async () => {
    const { loans, cards, place } = at;
    assert.ok(openOf(loans) > 0 && openOf(cards) > 0);
    assert.deepEqual(told(await place.expect<Summary>(0, "export"), "askedWhileOpen", "unchanged", "new", "gone"), [
      ["loans", openOf(loans), openOf(loans), 0, 0],
      ["cards", openOf(cards), openOf(cards), 0, 0],
    ]);
    assert.equal((await place.here("verify", ["--read-data", "100", "--key", place.officer.file])).code, 0);
  });

  test("a sealed record has the signatures of its answers under the secret of its integration", async () => {
    const { loans, cards, place } = at;
    const names = new Set<string>();
    for (const [stored] of (await place.stored()).values()) {
      const { source, raw = [] } = await place.record(stored!);
      const { apiKey } = source.name === "loans" ? loans : cards;
      names.add(`${source.name} ${source.project}`);
      const last = raw.at(-1)!;
      assert.equal(last.endpoint, "x-hmac-signature");
      const made = raw.slice(0, -1).map(({ text }) => createHmac("sha256", apiKey).update(text).digest("hex"));
      assert.deepEqual(JSON.parse(last.text), made);
    }
    assert.deepEqual(names, new Set([`loans veriff ${loans.integrationKey}`, `cards veriff ${cards.integrationKey}`]));
  });

  test("doctor asks both, and says that their sessions cannot be listed", async () => {
    const { stdout, code } = await at.place.here("doctor", ["--json"]);
    assert.equal(code, 0, stdout);
    for (const name of ["loans", "cards"]) {
      assert.ok(stdout.includes(`${name}: the API key works (environment: unknown)`), stdout);
      assert.ok(stdout.includes(`${name}: a wrong signature is refused, so the right one was checked`), stdout);
      assert.ok(
        stdout.includes(`${name}: no one who is known and not stored in final form becomes unreadable`),
        stdout,
      );
    }
  });

  test("a secret that one integration refuses stops that one only", async () => {
    const { place, cards } = at;
    await writeFile(place.path("keys/loans"), cards.apiKey, { mode: 0o600 });
    const ended = await place.here("export", ["--json"]);
    assert.equal(ended.code, 1, ended.stderr);
    const { clients, failures } = ended.json as { clients: Summary[]; failures: Section[] };
    assert.deepEqual(told(clients, "outcome"), [["cards", "done"]]);
    assert.deepEqual(
      failures.map(({ source, code }) => [source, code]),
      [["loans", "source-key"]],
    );
    assert.match(String(failures[0]!.hint), /apiKey and url of source loans: .*shared secret key of the integration/);
    await writeFile(place.path("keys/loans"), at.loans.apiKey, { mode: 0o600 });
  });

  test("what Veriff no longer keeps is logged as gone and kept, not as erased", async () => {
    const { loans, place, now } = at;
    const open = openOf(loans);
    now.loans += 100 * DAY;
    // As if three days were beyond Veriff's ninety.
    const [client] = place.config.clients as [{ sources: Section[] }];
    client.sources[0]!.horizon = "P1D";
    await place.configure();
    assert.deepEqual(told(await place.expect<Summary>(0, "export", "--source", "loans"), "gone", "outcome"), [
      ["loans", open, "done"],
    ]);
    const gone = await place.entries("record.gone");
    assert.deepEqual(new Set(gone.map(({ reason }) => reason)), new Set(["deleted"]));
    assert.ok(gone.every(({ kept }) => kept !== undefined));
    assert.equal((await place.here("verify")).code, 0);
  });
});

test("doctor and the report count who leaves Veriff's 90 days, and who has left them", async () => {
  const { loans, cards, place } = await twoIntegrations({ loans: 86, cards: 95 });
  await using _ = place;
  await using __ = loans;
  await using ___ = cards;
  for (const [name, sandbox] of Object.entries({ loans, cards })) {
    // Those of the cards are read just before they go.
    const ended = await backfill(place, name, sandbox.ids());
    assert.equal(ended.code, 0, ended.stderr);
  }
  const [soon, left] = [openOf(loans), openOf(cards)];
  // One more of them fails whenever it is asked for.
  const [failing] = cards.add(1);
  cards.intercept((request, response) => {
    if (!request.url!.includes(cards.id(failing!))) return false;
    response.writeHead(200).end("no JSON");
    return true;
  });
  assert.equal((await backfill(place, "cards", [cards.id(failing!)])).code, 3);
  const expected = [
    `${soon} sessions that Holdfast knows and has not stored in final form leave Veriff's 90 days (source loans) this week`,
    `${left} sessions that Holdfast knows and has not stored in final form have left Veriff's 90 days (source cards). 1 session failed whenever tried, and may be leaving Veriff's 90 days (source cards): the age is not known`,
  ];
  const { json, stdout } = await place.here("doctor", ["--json"]);
  const { findings } = (json as { clients: { findings: Section[] }[] }).clients[0]!;
  assert.deepEqual(
    findings.filter(({ check }) => check === "horizon").map(({ level, text }) => `${level} ${text}`),
    expected.map((text) => `warning ${text}`),
    stdout,
  );
  const file = place.path("report.html");
  const report = await place.here("report", ["--out", file, "--offline", "--json"]);
  const { leaving } = (report.json as { clients: { leaving: Section[] }[] }).clients[0]!;
  assert.deepEqual(
    leaving.map(({ source, soon, left, failed }) => [source, soon, left, failed]),
    [
      ["loans", soon, 0, 0],
      ["cards", 0, left, 1],
    ],
  );
  const page = (await readFile(file, "utf8")).replaceAll("&#39;", "'");
  const attention = page.slice(page.indexOf("Needs attention:"), page.indexOf("</ul>"));
  for (const text of expected) assert.ok(attention.includes(text), attention);

  // A longer contract.
  const text = await readFile(place.file, "utf8");
  await writeFile(place.file, text.replaceAll("kind: veriff", "horizon: P2Y\n        kind: veriff"));
  const longer = await place.here("doctor", ["--json"]);
  assert.doesNotMatch(longer.stdout, /leaves? Veriff's|left Veriff's/);
  // What was decided is of no concern any more.
  await writeFile(place.file, text);
  for (let step = 0; step < 3; step++) loans.change(loans.ids().flatMap((_, at) => (isOpen(loans, at) ? [at] : [])));
  assert.equal(openOf(loans), 0);
  await place.expect(0, "export", "--source", "loans");
  assert.match(
    (await place.here("doctor", ["--json"])).stdout,
    /loans: no one who is known and not stored in final form/,
  );
});
