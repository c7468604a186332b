import assert from "node:assert/strict";
import { test } from "node:test";
import { startOnfido } from "../sandbox/onfido/server.ts";
import type { Interceptor } from "../sandbox/send.ts";
import { startStripe } from "../sandbox/stripe/server.ts";
import { makeWorkplace, type Workplace } from "./workplace.ts";

// The least rights that docs/SOURCES.md names for `collect: minimal` are enough, and no more is asked for.

const PEOPLE = 12;

/** Exports everyone. Returns what was asked for, once each: endpoints without ids, with what they name. */
async function asked(
  place: Workplace,
  intercept: (hook: Interceptor) => void,
  endpoint: (url: URL) => string,
): Promise<string[]> {
  const found = new Set<string>();
  intercept(({ method, url = "" }) => {
    found.add(`${method} ${endpoint(new URL(url, "http://sandbox"))}`);
    return false;
  });
  const ended = await place.here("export", ["--json"]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.doesNotMatch(ended.stderr, /may not read/);
  const stored = await place.entries("record.stored");
  assert.equal(stored.length, PEOPLE);
  for (const entry of stored) {
    const record = await place.record(entry);
    assert.deepEqual([record.collect, record.raw, record.files, record.gaps], ["minimal", undefined, [], undefined]);
  }
  // A look at the clock.
  return [...found].filter((each) => !/^\w+ \/v[\d.]+$/.test(each)).sort();
}

test("a minimal record of Stripe asks for no sensitive member, no report list and no file", async () => {
  await using stripe = await startStripe({ identities: PEOPLE, plainImages: true });
  stripe.restrict({
    sensitive: "none",
    allowList: false,
    files: "none",
    contents: false,
    events: false,
    account: false,
  });
  await using place = await makeWorkplace(stripe, {
    client: { collect: "minimal", source: { kind: "stripe", account: stripe.account } },
  });
  const urls = await asked(place, stripe.intercept, ({ pathname, searchParams }) =>
    [pathname.replace(/vs_\w+/, "{id}"), ...searchParams.getAll("expand[]")].join(" "),
  );
  assert.deepEqual(urls, [
    "GET /v1/account",
    "GET /v1/identity/verification_sessions data.last_verification_report",
    "GET /v1/identity/verification_sessions/{id} last_verification_report",
  ]);
});

test("a minimal record of Onfido asks for the applicant, its runs and its checks", async () => {
  await using onfido = await startOnfido({ identities: PEOPLE, plainImages: true });
  await using place = await makeWorkplace(onfido, { client: { collect: "minimal", source: { kind: "onfido" } } });
  const urls = await asked(place, onfido.intercept, ({ pathname }) => pathname.replace(/[0-9a-f-]{36}/, "{id}"));
  assert.deepEqual(urls, [
    "GET /v3.6/applicants",
    "GET /v3.6/applicants/{id}",
    "GET /v3.6/checks",
    "GET /v3.6/workflow_runs",
  ]);
});
