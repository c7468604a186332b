import assert from "node:assert/strict";
import { test } from "node:test";
import type { Estimate } from "../../src/backfill/estimate.ts";
import type { Summary } from "../../src/export/summary.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startStripe } from "../sandbox/stripe/server.ts";

const PEOPLE = 110;

test("a backfill of Stripe keeps to the month's budget across restarts, says how many months, and resumes", async () => {
  await using stripe = await startStripe({ identities: PEOPLE, plainImages: true, repeats: 0 });
  await using place = await makeWorkplace(stripe, {
    client: {
      source: { kind: "stripe", budget: "300/month" },
      lookups: { fields: ["email", "metadata.client_reference_id", "document.number"] },
    },
  });
  // `init` writes nothing before it has asked, so its requests do not count; nor does a look at the clock.
  stripe.requests.clear();
  const asked = () => stripe.requests.total - stripe.requests.of("other");
  const backfill = async (...args: string[]) => place.here("backfill", [...args, "--json"]);
  const planned = await backfill("--plan");
  const [plan] = (planned.json as { plan: Estimate[] }).plan;
  assert.equal(plan!.months, Math.ceil(plan!.requests / 300));
  assert.ok(plan!.months! > 1);
  const text = await place.here("backfill", ["--plan"]);
  assert.match(text.stdout + text.stderr, /months +at least \d+, by the source's budget/);

  const first = await backfill();
  assert.notEqual(first.code, 0);
  assert.match(first.stderr, /the 300 requests to the source for \d{4}-\d\d are used up/);
  assert.equal(asked(), 300);
  const kept = (await place.stored()).size;
  assert.ok(kept > 0 && kept < PEOPLE, `${kept}`);
  // Another process of the same month asks for nothing.
  assert.notEqual((await backfill()).code, 0);
  assert.equal(asked(), 300);

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
