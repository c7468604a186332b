import assert from "node:assert/strict";
import { test } from "node:test";
import type { Estimate } from "../../src/backfill/estimate.ts";
import type { Summary } from "../../src/export/summary.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startStripe } from "../sandbox/stripe/server.ts";

const PEOPLE = 50;
const BUDGET = 150;

const LOOKUPS = { fields: ["email", "metadata.client_reference_id", "document.number"] };

test("a backfill of Stripe keeps to the month's budget across restarts, says how many months, and resumes", async () => {
  await using stripe = await startStripe({ identities: PEOPLE, plainImages: true, repeats: 0 });
  await using place = await makeWorkplace(stripe, {
    client: {
      source: { kind: "stripe", budget: `${BUDGET}/month` },
      lookups: LOOKUPS,
    },
  });
  // `init` writes nothing before it has asked, so its requests do not count. A look at the clock does.
  stripe.requests.clear();
  const asked = () => stripe.requests.total;
  const backfill = async (...args: string[]) => place.here("backfill", [...args, "--json"]);
  const planned = await backfill("--plan");
  const [plan] = (planned.json as { plan: Estimate[] }).plan;
  assert.equal(plan!.months, Math.ceil(plan!.requests / BUDGET));
  assert.ok(plan!.months! > 1);
  const text = await place.here("backfill", ["--plan"]);
  assert.match(text.stdout + text.stderr, /months +at least \d+, by the source's budget/);

  const first = await backfill();
  assert.notEqual(first.code, 0);
  assert.match(first.stderr, /the 150 requests to the source for \d{4}-\d\d are used up/);
  assert.equal(asked(), BUDGET);
  const kept = (await place.stored()).size;
  assert.ok(kept > 0 && kept < PEOPLE, `${kept}`);
  // Another process of the same month asks for nothing.
  assert.notEqual((await backfill()).code, 0);
  assert.equal(asked(), BUDGET);

  await place.configure({ source: { budget: "10000/month" } });
  const rest = await backfill();
  assert.equal(rest.code, 0, rest.stderr);
  const used = asked();
  assert.deepEqual((rest.json as { clients: Summary[] }).clients[0]!.budget, { used, of: 10_000 });
  const next = await place.here("export");
  assert.match(next.stderr, new RegExp(`requests +\\d+ to the source, 0 retries; ${asked()} of 10,000 this month`));
  const looked = await place.here("doctor", ["--json"]);
  const findings = (looked.json as { clients: { findings: { text: string }[] }[] }).clients[0]!.findings;
  assert.ok(
    findings.some(({ text }) => /^requests to the source: \d+ of 10,000 this month$/.test(text)),
    looked.stdout,
  );
  assert.equal((rest.json as { clients: Summary[] }).clients[0]!.new, PEOPLE - kept);
  assert.equal((await place.stored()).size, PEOPLE);
});

test("an interrupted backfill asks for no kept person twice, stops when the month's budget is used up, and goes on in the next month", async () => {
  const budget = 25;
  const month = Temporal.Now.plainDateISO("UTC").with({ day: 1 }).add({ months: 1 });
  // The plan's requests are of the month before.
  let time = instant(month.subtract({ days: 9 }));
  await using stripe = await startStripe({ identities: PEOPLE, repeats: 0, clock: () => time.epochMilliseconds });
  const asked: string[] = [];
  /** After this many requests the key is refused. */
  let until = Number.POSITIVE_INFINITY;
  stripe.intercept(({ url = "" }, response) => {
    if (url !== "/v1" && asked.length >= until) return response.writeHead(401).end() !== undefined;
    asked.push(url);
    return false;
  });
  await using place = await makeWorkplace(stripe, {
    client: {
      collect: "minimal",
      source: { kind: "stripe", budget: `${budget}/month`, concurrency: 1 },
      lookups: LOOKUPS,
    },
    init: false,
  });
  const here = (command: string, ...args: string[]) => place.here(command, [...args, "--json"], { now: () => time });
  const kept = async (): Promise<string[]> => {
    const stored = await place.stored();
    const tokens = new Tokens(await (await place.client()).lookups.key.resolve());
    return stripe.ids().filter((id) => stored.has(tokens.subject("stripe", id)));
  };
  /** A run of the backfill; it must not ask for anyone whom the vault had before. */
  const backfill = async () => {
    const [before, from] = [await kept(), asked.length];
    const ended = await here("backfill");
    for (const id of before)
      assert.ok(!asked.slice(from).some((url) => url.includes(id)), "a kept person is asked for");
    return ended;
  };
  assert.equal((await here("init")).code, 0);
  const planned = await here("backfill", "--plan");
  const [plan] = (planned.json as { plan: Estimate[] }).plan;
  assert.equal(plan!.months, Math.ceil((PEOPLE + 3) / budget));

  asked.length = 0;
  time = instant(month.add({ days: 9 }));
  until = 12;
  const interrupted = await backfill();
  assert.notEqual(interrupted.code, 0);
  assert.match(interrupted.stderr, /the provider answered 401/);
  const first = (await kept()).length;
  assert.ok(first > 0, `${first}`);

  until = Number.POSITIVE_INFINITY;
  const stopped = await backfill();
  assert.equal(stopped.code, 1);
  assert.match(stopped.stderr, new RegExp(`the ${budget} requests to the source for ${monthOf(month)} are used up`));
  assert.match(stopped.stderr, new RegExp(`They renew on ${month.add({ months: 1 })} at 00:00 UTC`));
  const second = (await kept()).length;
  assert.ok(second > first && second < PEOPLE, `${second}`);

  // The last second of the month: nothing is asked.
  const soFar = asked.length;
  time = instant(month.add({ months: 1 })).subtract({ seconds: 1 });
  assert.equal((await backfill()).code, 1);
  assert.equal(asked.length, soFar);

  // The first second of each further month.
  let months = 1;
  for (let isDone = false; !isDone; ) {
    time = instant(month.add({ months }));
    months += 1;
    const from = asked.length;
    const next = await backfill();
    isDone = next.code === 0;
    if (!isDone) assert.deepEqual([next.code, asked.length - from], [1, budget], next.stderr);
  }
  assert.ok(months >= plan!.months!, `${months} months, and the plan said at least ${plan!.months}`);
  const stored = await place.stored();
  assert.equal(stored.size, PEOPLE);
  assert.ok([...stored.values()].every(({ length }) => length === 1));
});

const instant = (day: Temporal.PlainDate): Temporal.Instant => day.toZonedDateTime("UTC").toInstant();
const monthOf = (day: Temporal.PlainDate): string => day.toPlainYearMonth().toString();
