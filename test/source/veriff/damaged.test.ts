import assert from "node:assert/strict";
import { test } from "node:test";
import { HoldfastError } from "../../../src/core/error.ts";
import { ask, first } from "../../sandbox/veriff/ask.ts";
import { routeOf } from "../../sandbox/veriff/routes.ts";
import { REGISTRIES } from "../../sandbox/veriff/world.ts";
import { damaged } from "../nulls.ts";
import { full, open, statusOf } from "./connect.ts";

test("null, or another wrong value, in any place of an answer: a dossier, or a broken answer, and no other error", async (t) => {
  const { sandbox, source } = await open(t, { signs: "none", registries: REGISTRIES });
  const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved" && at % 2 === 0);
  sandbox.change([index], { part: "watchlist" });
  sandbox.change([index], { part: "userStatus" });
  const id = sandbox.id(index);
  const texts = new Map<string, unknown>();
  for (const path of [
    ...["decision", "attempts", "person", "watchlist-screening", "decision/ine-registry"].map(
      (part) => `/sessions/${id}/${part}`,
    ),
    `/attempts/${sandbox.attemptIds(index)[0]}/media`,
  ])
    texts.set(path, await (await ask(sandbox, path)).json());
  let answer: { path: string; text: string } | undefined;
  sandbox.intercept((request, response) => {
    if (answer === undefined || request.url !== `/v1${answer.path}`) return false;
    response.writeHead(200).end(answer.text);
    return true;
  });
  const ends = { kept: 0, refused: 0 };
  for (const [path, value] of texts)
    for (const wrong of damaged(value)) {
      answer = { path, text: JSON.stringify(wrong) };
      try {
        const { files, identity } = await source.dossier(id, full);
        assert.equal(identity.id, id);
        for (const { id: file, resource } of files) assert.ok(file !== "" && resource !== "");
        ends.kept += 1;
      } catch (error) {
        assert.ok(error instanceof HoldfastError && error.code === "source-response", `${answer.text} ${error}`);
        ends.refused += 1;
      }
    }
  t.diagnostic(JSON.stringify({ ...ends, endpoint: routeOf(`/v1${answer!.path}`).endpoint }));
  assert.ok(ends.kept > 200 && ends.refused > 5, JSON.stringify(ends));
});

test("an answer about the person, or media, that name no or another session are refused", async (t) => {
  const { sandbox, source } = await open(t, { signs: "none" });
  const id = sandbox.id(first(sandbox, (at) => statusOf(sandbox, at) === "approved"));
  const other = "99999999-9999-4999-8999-999999999999";
  const texts = new Map<string, string>();
  const paths = sandbox.attemptIds(sandbox.ids().indexOf(id)).map((attempt) => `/attempts/${attempt}/media`);
  for (const path of [...paths, `/sessions/${id}/person`])
    texts.set(`/v1${path}`, await (await ask(sandbox, path)).text());
  const change = (part: string, as: (text: string) => string) =>
    sandbox.intercept((request, response) => {
      const text = texts.get(request.url!);
      if (text === undefined || !request.url!.endsWith(part)) return false;
      response.writeHead(200).end(as(text));
      return true;
    });
  for (const [part, as, message] of [
    ["/media", (text: string) => text.replaceAll(`"sessionId":"${id}"`, `"sessionId":null`), "no medium names"],
    ["/media", (text: string) => text.replaceAll(id, other), "another session"],
    ["/person", () => JSON.stringify({ status: "success", person: { firstName: "Eve", sessionId: other } }), "another"],
    ["/person", () => JSON.stringify({ status: "success", sessionId: other, person: {} }), "another session"],
  ] as const) {
    change(part, as);
    await assert.rejects(source.dossier(id, full), { code: "source-response", message: new RegExp(message) });
  }
  // One medium may lack a member.
  change("/media", (text) => text.replace(`"sessionId":"${id}"`, `"sessionId":null`));
  assert.ok((await source.dossier(id, full)).files.length > 0);
});
