import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readEvent } from "../../src/inbox/events.ts";

const read = (kind: string, event: unknown) => {
  const found = readEvent(kind, Buffer.from(typeof event === "string" ? event : JSON.stringify(event)));
  return found && [found.kind, found.ids, found.isErasure];
};

test("each provider's events name the identity, its kind of event, and whether its data are lost", () => {
  const persona = (name: string, data: unknown) => ({
    data: { type: "event", id: "evt_1", attributes: { name, payload: { data } } },
  });
  const related = { inquiry: { data: { type: "inquiry", id: "inq_1" } } };
  const account = { inquiries: { data: [{ id: "inq_1" }, { id: "inq_2" }, { id: "inq_1" }, { id: 7 }] } };
  for (const [kind, event, expected] of [
    ["persona", persona("inquiry.approved", { type: "inquiry", id: "inq_1" }), ["inquiry.approved", ["inq_1"], false]],
    ["persona", persona("inquiry.redacted", { type: "inquiry", id: "inq_1" }), ["inquiry.redacted", ["inq_1"], true]],
    ["persona", persona("verification.passed", { relationships: related }), ["verification.passed", ["inq_1"], false]],
    [
      "persona",
      persona("account.redacted", { relationships: account }),
      ["account.redacted", ["inq_1", "inq_2"], true],
    ],
    [
      "persona",
      persona("report/watchlist.matched", { relationships: { inquiry: { data: {} } } }),
      ["report/watchlist.matched", [], false],
    ],
    ["persona", persona("kind.of-2031", { type: "inquiry", id: "inq_9" }), ["kind.of-2031", ["inq_9"], false]],
    [
      "stripe",
      {
        id: "evt_1",
        type: "identity.verification_session.redacted",
        data: { object: { object: "identity.verification_session", id: "vs_1" } },
      },
      ["identity.verification_session.redacted", ["vs_1"], true],
    ],
    [
      "stripe",
      {
        id: "evt_1",
        type: "identity.later",
        data: { object: { object: "identity.verification_report", id: "vr_1", verification_session: "vs_1" } },
      },
      ["identity.later", ["vs_1"], false],
    ],
    [
      "stripe",
      { type: "charge.succeeded", data: { object: { object: "charge", id: "ch_1" } } },
      ["charge.succeeded", [], false],
    ],
    [
      "onfido",
      {
        payload: {
          resource_type: "workflow_run",
          action: "workflow_run.completed",
          object: { id: "r" },
          resource: { applicant_id: "a-1" },
        },
      },
      ["workflow_run.completed", ["a-1"], false],
    ],
    [
      "onfido",
      { payload: { resource_type: "check", action: "check.completed", object: { id: "c" } } },
      ["check.completed", [], false],
    ],
    ["sumsub", { applicantId: "65a0", type: "applicantReviewed" }, ["applicantReviewed", ["65a0"], false]],
    [
      "sumsub",
      { applicantId: "65a0", type: "applicantPersonalDataDeleted" },
      ["applicantPersonalDataDeleted", ["65a0"], true],
    ],
    ["sumsub", { applicantId: "65a0", type: "applicantDeleted" }, ["applicantDeleted", ["65a0"], true]],
    ["veriff", { id: "s-1", attemptId: "a-1", action: "submitted" }, ["event/submitted", ["s-1"], false]],
    [
      "veriff",
      { status: "success", verification: { id: "s-1", attemptId: "a-1", person: {} } },
      ["decision", ["s-1"], false],
    ],
    ["veriff", { data: { attemptId: "a-1", sessionId: "s-1" } }, ["watchlist-screening", ["s-1"], false]],
    [
      "veriff",
      { data: { verification: { id: "s-1" } }, eventType: "user-status.created" },
      ["user-status.created", ["s-1"], false],
    ],
    ["passbase", { event: "VERIFICATION_REVIEWED", key: "k-1" }, ["VERIFICATION_REVIEWED", ["k-1"], false]],
  ] as const)
    assert.deepEqual(read(kind, event), expected);
});

test("what is no event is refused, and a hostile word or id is not kept", () => {
  for (const text of ["", "[]", "null", '"x"', "7", "{", "\ufeff\u0000", "{}x"])
    assert.equal(read("stripe", text), undefined);
  assert.equal(readEvent("stripe", Buffer.from('{"type":"\xff"}', "latin1")), undefined);
  for (const word of ["a\nb", "Ada Byte", "x".repeat(81), "", 7, null, {}, "<b>", "../x"])
    assert.deepEqual(read("sumsub", { applicantId: "1", type: word }), ["other", ["1"], false]);
  for (const id of ["", "a/b", "..", "a b", "x".repeat(201), 7, null, {}, ["a"], "é", "a?b=c"])
    assert.deepEqual(read("sumsub", { applicantId: id, type: "t" }), ["t", [], false]);
  assert.deepEqual(read("sumsub", '{"__proto__":{"applicantId":"1"},"type":"t"}'), ["t", [], false]);
  const deep = `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`;
  assert.deepEqual(read("persona", deep), ["other", [], false]);
});

test("no JSON makes the reader fail, whatever is where", () => {
  const keys = [
    "data",
    "attributes",
    "payload",
    "object",
    "resource",
    "relationships",
    "inquiry",
    "inquiries",
    "verification",
    "type",
    "id",
  ];
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys), tie("tree"), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(fc.constantFrom("persona", "stripe", "onfido", "sumsub", "veriff", "passbase"), tree, (kind, value) => {
      const found = readEvent(kind, Buffer.from(JSON.stringify(value)));
      for (const id of found?.ids ?? []) assert.match(id, /^[A-Za-z0-9_-]+$/);
      assert.match(found?.kind ?? "x", /^[\x21-\x7e]{1,80}$/);
    }),
  );
});
