import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hasCode } from "../../../src/core/error.ts";
import { canonicalJson } from "../../../src/record/canonical.ts";
import { parseList, parseObjects, parseSingle, type Resource } from "../../../src/source/persona/answers.ts";
import { comparable } from "../../../src/source/persona/content.ts";
import { filesOf } from "../../../src/source/persona/files.ts";
import { identityOf } from "../../../src/source/persona/identity.ts";
import { readInquiryPage } from "../../../src/source/persona/listing.ts";
import { isOpen } from "../../../src/source/persona/open.ts";
import { finished } from "../../sandbox/persona/ask.ts";
import { refusal } from "../connect.ts";
import { full, open, rewrite } from "./connect.ts";

const now = Temporal.Instant.from("2026-03-04T00:00:00Z");

/** All that a dossier computes from its answers. */
function use(resources: readonly Resource[]): void {
  const [inquiry] = resources;
  if (inquiry) canonicalJson(identityOf(inquiry, resources, "undecided"));
  for (const { ref } of filesOf(resources)) {
    assert.match(ref.type, /^[a-z][a-z0-9_-]{0,39}$/);
    assert.ok(ref.id.length < 8_000 && ref.id.isWellFormed() && !ref.id.includes("\0"));
  }
  isOpen(resources, now);
  canonicalJson(comparable(resources.map(({ raw }) => raw)));
}

/** JSON of any shape, with the API's own names more often than by chance. */
const names = fc.constantFrom(
  ...[
    "id",
    "data",
    "type",
    "attributes",
    "relationships",
    "included",
    "links",
    "next",
    "fields",
    "value",
    "updated-at",
  ],
  ...["url", "original-urls", "photo-urls", "filename", "byte-size", "page", "document-files", "status", "__proto__"],
);
const url = "https://files.withpersona.com/a b.jpg?access_token=1";
const { value: shaped } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom(url, "inq_1", "inquiry", "2026-01-01T00:00:00Z", "file", 1e15),
    ),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie("value")), { maxLength: 7 }).map((members) => Object.fromEntries(members)),
  ),
}));
const resource = fc
  .tuple(
    fc.constantFrom("inquiry", "account", "document-file", "verification/selfie", "report/x", "case"),
    shaped,
    shaped,
  )
  .map(([type, attributes, relationships]) => ({ type, id: "inq_1", attributes, relationships }));

test("any answer is either read or refused with one kind of error", async () => {
  const texts = fc.oneof(
    shaped.map((value) => JSON.stringify(value)),
    fc.tuple(resource, fc.array(resource)).map(([data, included]) => JSON.stringify({ data, included })),
    fc.array(resource).map((data) => JSON.stringify({ data, links: { next: null } })),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const reads = [
        async () => use([parseSingle("x", text, "inq_1").data, ...parseSingle("x", text, "inq_1").included]),
        async () => use(parseList("x", text).data),
        async () => use(parseObjects("x", text)),
        async () => {
          await readInquiryPage(
            "x",
            (async function* () {
              yield Buffer.from(text);
            })(),
          );
        },
      ];
      for (const read of reads) {
        await read().catch((error: unknown) => assert.ok(hasCode(error, "source-response"), String(error)));
      }
    }),
    { numRuns: 1_500 },
  );
});

test("answers that are too deep, too large, too many or of another object are refused, and quickly", async (t) => {
  const { sandbox, source } = await open(t);
  const id = sandbox.ids()[finished(sandbox)]!;
  const text = JSON.stringify({ data: sandbox.object(id), included: [] });
  const member = (value: string) => text.replace('"behaviors":{', `"odd":${value},"behaviors":{`);
  const answers: Record<string, string> = {
    deep: member(`${"[".repeat(200)}1${"]".repeat(200)}`),
    deeper: member(`${"[".repeat(50_000)}1${"]".repeat(50_000)}`),
    many: member(`[${"1,".repeat(150_000)}1]`),
    large: member(`"${"x".repeat(2_000_000)}"`),
    other: text.replaceAll(id, "inq_other"),
    cut: text.slice(0, -20),
    text: "<html>",
    untimed: text.replace(/"updated-at":"[^"]+"/, '"updated-at":"yesterday"'),
    ancient: text.replace(/"updated-at":"[^"]+"/, '"updated-at":"0001-01-01T00:00:00Z"'),
  };
  for (const [name, answer] of Object.entries(answers)) {
    rewrite(sandbox, (path) => (path.includes("/inquiries/") ? answer : undefined));
    await refusal(sandbox, source.dossier(id, full), "source-response").catch((error) =>
      assert.fail(`${name}: ${error}`),
    );
  }
});

test("an inquiry that names thousands of documents, or pages of cases without an end, is refused", async (t) => {
  const { sandbox, source } = await open(t);
  const id = sandbox.ids()[finished(sandbox)]!;
  const documents = Array.from({ length: 2_000 }, (_, n) => ({ type: "document/government-id", id: `doc_${n}` }));
  rewrite(sandbox, (path, text) => {
    if (path.includes("/documents/")) {
      const [, asked] = /documents\/([^?]+)/.exec(path)!;
      return JSON.stringify({ data: { type: "document/government-id", id: asked, attributes: {} } });
    }
    const answer = JSON.parse(text);
    if (answer.data?.relationships?.documents) answer.data.relationships.documents.data = documents;
    return JSON.stringify(answer);
  });
  const error = await refusal(sandbox, source.dossier(id, full), "source-response");
  assert.match(error.message, /more than 400 objects/);
  assert.equal(source.requests, 400);
  rewrite(sandbox, (path, text) => (path.includes("/cases?") ? text.replace(/"next":null/, '"next":"x"') : undefined));
  await refusal(sandbox, source.dossier(id, full), "source-response");
});

test("ids with paths in them are never asked for", async (t) => {
  const { sandbox, source } = await open(t);
  const id = sandbox.ids()[finished(sandbox)]!;
  const asked: string[] = [];
  rewrite(sandbox, (path, text) => {
    asked.push(path);
    const answer = JSON.parse(text);
    if (answer.data?.relationships?.documents)
      answer.data.relationships.documents.data = ["..", "a/b", "a?b", "", 5, null].map((odd) => ({
        type: "document/x",
        id: odd,
      }));
    return JSON.stringify(answer);
  });
  await source.dossier(id, full);
  assert.ok(asked.every((path) => !path.includes("/documents/")));
});

test("an object without attributes, and an answer that includes nothing, are read", () => {
  const bare = { type: "case-comment", id: "cscm_1" };
  assert.deepEqual(parseSingle("x", JSON.stringify({ data: bare }), "cscm_1"), {
    data: { ...bare, attributes: {}, relationships: {}, raw: bare },
    included: [],
  });
  const many = { data: [bare, null, { id: "x" }], links: { prev: null, next: null } };
  assert.equal(parseList("x", JSON.stringify(many)).data.length, 1);
});
