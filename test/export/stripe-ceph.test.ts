import assert from "node:assert/strict";
import { test } from "node:test";
import { secretMark } from "../sandbox/stripe/secret.ts";
import { type StripeSandbox, startStripe } from "../sandbox/stripe/server.ts";
import { withoutCeph } from "../servers/s3.ts";
import { checkAll, night as nightOf, outOfTurn, peopleOr, type Sealed } from "./on-ceph.ts";
import { makeWorkplace } from "./workplace.ts";

const PEOPLE = peopleOr(100);
const DAY = 86_400_000;
/**
 * Percentage of requests that fail. Each 429 that names an endpoint halves the rate for it, and it grows back slowly: a
 * share that lasts would keep thousands of people at a few files a second.
 */
const FAIL = Math.min(3, 600 / PEOPLE);

const wire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** The session and all reports as Stripe says them, without secrets. */
function checkPerson(stripe: StripeSandbox, index: number, { record, text }: Sealed): void {
  assert.ok(!text.includes(secretMark(1)), "a secret of the person is sealed");
  const [session, reports] = record.raw!.map((answer) => JSON.parse(answer.text));
  const expected = { ...stripe.session(index), url: null, client_secret: null };
  assert.deepEqual(session, wire(expected));
  assert.deepEqual(reports.data, wire(stripe.reports(index).reverse()));
}

test(`${PEOPLE} people of Stripe through 429, 500 and cut files: none is missing, none is twice`, {
  skip: withoutCeph,
}, async (t) => {
  let ahead = 0;
  const begun = Date.now();
  const clock = () => Date.now() + ahead;
  await using stripe = await startStripe({
    ...{ identities: PEOPLE, plainImages: true, repeats: 0, fail: FAIL, truncate: 2, retryAfter: 0, clock },
  });
  await using place = await makeWorkplace(stripe, {
    vault: "ceph",
    client: {
      source: { kind: "stripe", concurrency: 16 },
      lookups: { fields: ["email", "metadata.client_reference_id", "document.number"] },
    },
  });
  const night = () => nightOf(place, stripe, clock);
  const first = await night();
  assert.deepEqual([first.new, first.failed, first.withheld], [PEOPLE, 0, 0]);
  for (const outcome of [429, 500, "reset"] as const)
    assert.ok(stripe.requests.of(undefined, outcome) > 0, `${outcome}`);
  const files = await checkAll(place, "stripe", stripe, {
    person: (index, sealed) => checkPerson(stripe, index, sealed),
    bytes: (file) => stripe.file(file),
  });
  assert.equal(files, first.files);
  t.diagnostic(
    `${first.requests} requests for ${PEOPLE} new people and ${files} files, ${first.retries} retries, ${first.seconds} s`,
  );

  stripe.setFaults({ fail: 0, truncate: 0 });
  await t.test("a night without changes stores nothing, though each answer has fresh secrets", async () => {
    ahead += DAY;
    const { changed, files: more, requests, ...of } = await night();
    assert.deepEqual([of.new, changed, more], [0, 0, 0]);
    t.diagnostic(`${requests} requests for a night without changes`);
  });

  await t.test("events name who changed; the weekly walk finds metadata and redactions", async () => {
    const [attempted, edited, redacted] = (await outOfTurn(place, "stripe", stripe, {
      from: begun,
      to: clock() + 2 * DAY,
    })) as [number, number, number];
    stripe.change([attempted], { part: "attempt" });
    stripe.change([edited], { part: "metadata" });
    const before = stripe.requests.of("sessions");
    ahead += DAY;
    const told = await night();
    assert.deepEqual([told.changed, told.askedByChanges, stripe.requests.of("sessions") - before], [1, 1, 0]);
    t.diagnostic(`${told.requests} requests for a night with one change`);
    stripe.redact([redacted]);
    ahead += 7 * DAY;
    const walked = await night();
    assert.equal(walked.changed, 1);
    assert.equal((await place.entries("record.gone")).filter(({ reason }) => reason === "redacted").length, 1);
  });
});
