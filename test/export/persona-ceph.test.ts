import assert from "node:assert/strict";
import { test } from "node:test";
import { type Persona, startPersona } from "../sandbox/persona/server.ts";
import { withoutCeph } from "../servers/s3.ts";
import { checkAll, night as nightOf, peopleOr, type Sealed } from "./on-ceph.ts";
import { makeWorkplace } from "./workplace.ts";

const PEOPLE = peopleOr(120);
const HOUR = 3_600_000;

/** The inquiry as the API says it. */
function checkPerson(persona: Persona, index: number, { record }: Sealed): void {
  const inquiry = record.raw!.find(({ endpoint }) => endpoint === "GET /inquiries/{inquiry-id}")!;
  const { id, attributes } = JSON.parse(inquiry.text).data;
  assert.deepEqual([id, attributes.status], [persona.ids()[index], persona.inquiry(index).attributes.status]);
}

/** Videos of the sandbox are streams, and not compared. */
async function bytesOf(persona: Persona, path: string): Promise<Buffer | undefined> {
  const [, name] = /\/([^/]+)#/.exec(path) ?? /([^/]+)$/.exec(path)!;
  return path.includes("video-url") ? undefined : persona.file(name!);
}

test(`${PEOPLE} people of Persona through 429, 500 and expired file URLs: none is missing, none is twice`, {
  skip: withoutCeph,
}, async (t) => {
  let ahead = 0;
  await using persona = await startPersona({
    ...{ identities: PEOPLE, plainImages: true, videoBytes: 4_000, searchDelay: 0, repeats: 0, fail: 3, retryAfter: 0 },
    clock: () => Date.now() + ahead,
  });
  // The URL of every fourth file has expired when it is first used, as if its turn came late.
  const used = new Set<string>();
  let expired = 0;
  persona.intercept(({ headers, url = "" }, response) => {
    const name = url.split("?")[0]!;
    if (headers.host !== new URL(persona.filesOrigin).host || used.has(name)) return false;
    used.add(name);
    if (used.size % 4 !== 0) return false;
    expired += 1;
    response.writeHead(403).end();
    return true;
  });
  await using place = await makeWorkplace(persona, {
    vault: "ceph",
    client: {
      source: { kind: "persona", concurrency: 16 },
      lookups: { fields: ["email", "metadata.reference_id", "document.number"] },
    },
  });
  const night = () => nightOf(place, persona, () => Date.now() + ahead);
  const first = await night();
  assert.deepEqual([first.new, first.failed, first.withheld], [PEOPLE, 0, 0]);
  for (const outcome of [429, 500] as const) assert.ok(persona.requests.of(undefined, outcome) > 0, String(outcome));
  assert.ok(expired > 0, "some URLs had expired");
  assert.deepEqual(persona.leaks, []);
  const files = await checkAll(place, "persona", persona, {
    person: (index, sealed) => checkPerson(persona, index, sealed),
    bytes: (file) => bytesOf(persona, file),
  });
  assert.equal(files, first.files);
  t.diagnostic(
    `${first.requests} requests for ${PEOPLE} new people and ${files} files, ${first.retries} retries, ${expired} expired URLs`,
  );

  persona.setFaults({ fail: 0 });
  await t.test("a night without changes stores nothing", async () => {
    // Past the overlap of the search.
    ahead += 2 * HOUR;
    const { changed, files: more, requests, ...of } = await night();
    assert.deepEqual([of.new, changed, more], [0, 0, 0]);
    t.diagnostic(`${requests} requests for a night without changes`);
  });

  await t.test("a report that changes alone is found in turn, within resync", async () => {
    persona.change([1], { part: "report" });
    persona.change([2], { part: "checks" });
    await place.configure({ source: { resync: "P1D" } });
    ahead += 24 * HOUR;
    const { changed, askedInTurn, requests } = await night();
    t.diagnostic(`${askedInTurn} asked in turn, ${requests} requests`);
    assert.equal(changed, 2);
  });
});
