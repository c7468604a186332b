import assert from "node:assert/strict";
import { test } from "node:test";
import { read } from "./ask.ts";
import { startVeriff } from "./server.ts";
import { PARTS } from "./world.ts";

/**
 * Veriff publishes no client for servers and no whole OpenAPI file. So the answers are held to a skeleton of what its
 * documentation shows: the same members, of the same types, or null.
 */
const ID = "11111111-1111-4111-8111-111111111111";
const TIME = "2026-01-02T03:04:05.593107Z";
const PERSON = {
  ...{ firstName: "Ada", lastName: "Byte", idNumber: "900201-10000", gender: "F", citizenship: "LV" },
  ...{ dateOfBirth: "1990-02-01", yearOfBirth: "1990", placeOfBirth: "Riga", nationality: "LV" },
};
const MEDIUM = {
  ...{ id: ID, name: "face", context: "face", timestamp: null, size: 99, mimetype: "image/jpeg" },
  ...{ url: `https://base/v1/media/${ID}`, sessionId: ID },
};
const SKELETON: Readonly<Record<string, unknown>> = {
  decision: {
    status: "success",
    verification: {
      ...{ id: ID, attemptId: ID, status: "approved", code: 9001, reason: "x", reasonCode: 102 },
      ...{ acceptanceTime: TIME, submissionTime: TIME, decisionTime: TIME, vendorData: "cust-7", endUserId: ID },
      person: { ...PERSON, addresses: [{ fullAddress: "1 Oak, Riga" }], pepSanctionMatch: null },
      document: {
        ...{ number: "LV123", type: "PASSPORT", country: "LV", state: null, validFrom: "2021-01-01" },
        ...{ validUntil: "2031-01-01", issuedBy: "x", firstIssue: null, nfcValidated: false },
      },
      ...{ comments: [], additionalVerifiedData: {}, riskScore: { score: 0.1 } },
    },
    technicalData: { ip: "192.0.2.7" },
  },
  attempts: {
    status: "success",
    verifications: [
      {
        ...{ id: ID, status: "approved", "createdTime?": TIME },
        "userDefinedData?": [{ status: "x", statusCode: 1, reason: "x", reasonCode: 1, createdAt: TIME }],
      },
    ],
  },
  media: {
    ...{ status: "success", images: [MEDIUM], videos: [{ ...MEDIUM, duration: 12 }] },
    "nfcDocuments?": [MEDIUM],
  },
  person: { status: "success", person: { ...PERSON, pepSanctionMatches: [] } },
  "watchlist-screening": {
    status: "success",
    data: {
      ...{ attemptId: ID, sessionId: ID, vendorData: "cust-7", checkType: "initial_result", matchStatus: "no_match" },
      ...{ monitorStatus: "enabled", searchTerm: { name: "Ada Byte", year: "1990" }, totalHits: 0, createdAt: TIME },
      hits: [
        {
          ...{ matchedName: "x", countries: ["x"], dateOfBirth: "x", dateOfDeath: "x", matchTypes: ["x"] },
          ...{ aka: ["x"], associates: ["x"], listingsRelatedToMatch: {} },
        },
      ],
    },
  },
};

test("answers have the members that Veriff's documentation shows, of their types or null", async () => {
  await using sandbox = await startVeriff({ identities: 60, plainImages: true });
  const seen = new Map<string, number>();
  const look = async (name: string, path: string): Promise<void> => {
    const answer = await read(sandbox, path);
    if (answer.status !== "success") return;
    compare(`${name} `, answer, SKELETON[name]);
    seen.set(name, (seen.get(name) ?? 0) + 1);
  };
  for (let round = 0; round < 2; round++) {
    for (const [index, id] of sandbox.ids().entries()) {
      for (const name of Object.keys(SKELETON)) await look(name, `/sessions/${id}/${name}`);
      for (const attempt of sandbox.attemptIds(index)) await look("media", `/attempts/${attempt}/media`);
    }
    for (const part of PARTS) sandbox.change(30, { part });
  }
  assert.ok([...seen.values()].every((count) => count > 60) && seen.size === 5, String([...seen]));
});

function compare(at: string, value: unknown, skeleton: unknown): void {
  if (value === null || skeleton === null) return;
  if (Array.isArray(skeleton)) {
    assert.ok(Array.isArray(value), at);
    if (skeleton.length > 0) for (const each of value) compare(`${at}[]`, each, skeleton[0]);
    return;
  }
  assert.equal(typeof value, typeof skeleton, at);
  if (typeof skeleton !== "object") return;
  const members = new Map(Object.entries(skeleton as object));
  const needed = [...members.keys()].filter((name) => !name.endsWith("?"));
  const missing = needed.filter((name) => !Object.hasOwn(value as object, name));
  assert.deepEqual(missing, [], `missing in ${at}`);
  for (const [name, inner] of Object.entries(value as object)) {
    const of = members.has(name) ? name : `${name}?`;
    assert.ok(members.has(of), `${at}.${name} is not in the documentation`);
    compare(`${at}.${name}`, inner, members.get(of));
  }
}
