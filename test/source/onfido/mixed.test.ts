import assert from "node:assert/strict";
import { test } from "node:test";
import { sendJson } from "../../sandbox/send.ts";
import { full, open, pagesOf } from "./connect.ts";

/** A server between that passes over filters, refuses what it does not know, or takes headers away. */

for (const list of ["/workflow_runs", "/checks", "/documents", "/live_photos"])
  test(`objects of another applicant in ${list} are refused, and not sealed into this one's record`, async (t) => {
    const { sandbox, source } = await open(t, { identities: 12 });
    const [one, other] = [sandbox.id(1), sandbox.id(2)];
    const key = list.slice(1);
    const stranger = {
      id: "11111111-2222-4333-8444-555555555555",
      applicant_id: other,
      created_at: "2026-01-01T00:00:00Z",
    };
    sandbox.intercept(({ url }, response) => {
      if (!url!.includes(`${list}?applicant_id=${one}`)) return false;
      sendJson(response, 200, JSON.stringify(key === "workflow_runs" ? [stranger] : { [key]: [stranger] }));
      return true;
    });
    await assert.rejects(source.dossier(one, full), { code: "source-response", message: /has another applicant_id/ });
    assert.ok(await source.dossier(other, full));
  });

for (const list of ["/checks", "/documents"])
  test(`a living applicant without ${list} is a failure, and not a record that only seems whole`, async (t) => {
    const { sandbox, source } = await open(t, { identities: 3 });
    sandbox.intercept(({ url }, response) => {
      if (!url!.includes(`${list}?`)) return false;
      sendJson(response, 404, "{}");
      return true;
    });
    await assert.rejects(source.dossier(sandbox.id(1), full), { code: "source-response" });
  });

test("without the headers about pages, the list is read to its empty page, and calls itself not whole", async (t) => {
  const { sandbox, source } = await open(t, { identities: 230 });
  sandbox.intercept((_, response) => {
    const write = response.writeHead.bind(response);
    // biome-ignore lint/suspicious/noExplicitAny: one of its overloads
    response.writeHead = ((status: number, headers: Record<string, string>): any => {
      const { Link: _, "X-Total-Count": __, link: ___, "x-total-count": ____, ...rest } = headers;
      return write(status, rest);
    }) as typeof response.writeHead;
    return false;
  });
  const pages = await pagesOf(source);
  assert.equal(new Set(pages.flatMap(({ identities }) => identities.map(({ id }) => id))).size, 230);
  assert.ok(pages.every(({ whole }) => !whole));
});

test("whom a watchlist has does not become the applicant", async (t) => {
  const { sandbox, source } = await open(t, { identities: 3 });
  const id = sandbox.id(1);
  const run = {
    id: "11111111-2222-4333-8444-555555555555",
    applicant_id: id,
    status: "review",
    created_at: "2026-01-01T00:00:00Z",
  };
  const hit = { first_name: "Sanctioned", last_name: "Other", email: "other@example.net" };
  const output = { watchlist: { result: "consider", properties: { records: [hit] } } };
  sandbox.intercept(({ url }, response) => {
    const path = url!.replace(/\?.*/, "");
    const answers: Record<string, unknown> = {
      [`/v3.6/applicants/${id}`]: { id, created_at: run.created_at },
      "/v3.6/workflow_runs": [{ ...run, output }],
      [`/v3.6/workflow_runs/${run.id}/tasks`]: [],
      "/v3.6/checks": { checks: [] },
      "/v3.6/documents": { documents: [] },
    };
    if (!Object.hasOwn(answers, path)) return false;
    sendJson(response, 200, JSON.stringify(answers[path]));
    return true;
  });
  const { identity } = await source.dossier(id, full);
  assert.deepEqual(identity.owner, { email: null, firstName: null, lastName: null });
});
