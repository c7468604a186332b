import assert from "node:assert/strict";
import { test } from "node:test";
import { clockAt, NIGHT, read } from "../../sandbox/persona/ask.ts";
import { refusal } from "../connect.ts";
import { changesOf, full, open, pagesOf, rewrite } from "./connect.ts";

const ancient = Temporal.Instant.from("2019-01-01T00:00:00Z");

test("the list has every inquiry once, newest first, and goes on from any page", async (t) => {
  const { sandbox, source } = await open(t, { identities: 230 });
  const pages = await pagesOf(source);
  assert.deepEqual(
    pages.map(({ identities, whole }) => [identities.length, whole]),
    [
      [100, true],
      [100, true],
      [30, true],
    ],
  );
  assert.equal(pages.at(-1)!.cursor, null);
  const ids = pages.flatMap(({ identities }) => identities.map(({ id }) => id));
  assert.deepEqual(ids, sandbox.ids().reverse());
  assert.equal(source.requests, 3);
  const rest: string[] = [];
  for await (const { identities } of source.pages({ cursor: pages[0]!.cursor! }))
    rest.push(...identities.map(({ id }) => id));
  assert.deepEqual(rest, ids.slice(100));
  const [first] = pages[0]!.identities;
  const { attributes } = sandbox.inquiry(229);
  assert.deepEqual(
    [first!.status, first!.created],
    [attributes.status, String(attributes["created-at"]).replace(".000", "")],
  );
});

test("what the list says changes with the inquiry, and not with the order of tags or a file's token", async (t) => {
  const { sandbox, source } = await open(t, { identities: 60 });
  const raws = async () => (await pagesOf(source)).flatMap(({ identities }) => identities);
  const before = await raws();
  assert.deepEqual(await raws(), before);
  const [changed] = sandbox.change(1, { part: "field" });
  const after = await raws();
  assert.deepEqual(
    after.filter((one, at) => JSON.stringify(one) !== JSON.stringify(before[at])).map(({ id }) => id),
    [sandbox.ids()[changed!]],
  );
});

test("changes since an hour before the time are named, oldest first, also over several pages", async (t) => {
  const clock = clockAt();
  const { sandbox, source } = await open(t, { identities: 250, clock });
  assert.equal((await changesOf(source, ancient)).length, 250);
  const chosen = sandbox.change(120);
  const ids = sandbox.ids();
  const since = (ms: number) => changesOf(source, Temporal.Instant.fromEpochMilliseconds(NIGHT + ms));
  assert.deepEqual((await since(0)).sort(), chosen.map((index) => ids[index]).sort());
  assert.equal((await since(3_590_000)).length, 120);
  assert.equal((await since(3_610_000)).length, 0);
});

test("an inquiry that changes during the search is named again, and no one is missed", async (t) => {
  const clock = clockAt();
  const { sandbox, source } = await open(t, { identities: 250, clock });
  const named: string[] = [];
  for await (const changes of source.changes(ancient)) {
    named.push(...changes.map(({ id }) => id));
    clock.now += 1_000;
    if (named.length < 300) sandbox.change([named.length % 250, 5]);
  }
  assert.deepEqual(new Set(named), new Set(sandbox.ids()));
  assert.ok(named.length > 250);
});

test("a key that may not search is told so, and may list", async (t) => {
  const { sandbox, source } = await open(t);
  sandbox.intercept((request, response) => {
    if (request.method !== "POST") return false;
    response.writeHead(403, { "content-type": "application/json" }).end('{"errors":[{"title":"Forbidden"}]}');
    return true;
  });
  await refusal(sandbox, changesOf(source, ancient), "source-denied");
  assert.equal((await pagesOf(source))[0]!.identities.length, 20);
});

test("a search carries no key for repeated answers, so a failure is not replayed", async (t) => {
  const { sandbox, source } = await open(t, { identities: 30 });
  let first = true;
  const keys: unknown[] = [];
  sandbox.intercept((request, response) => {
    keys.push(request.headers["idempotency-key"]);
    if (!first) return false;
    first = false;
    response.writeHead(500).end();
    return true;
  });
  assert.equal((await changesOf(source, ancient)).length, 30);
  assert.deepEqual(keys, [undefined, undefined]);
});

test("an entry that is broken does not stop the others: its id is named, or it is counted", async (t) => {
  const { sandbox, source } = await open(t, { identities: 120 });
  const ids = sandbox.ids().reverse();
  rewrite(sandbox, (path, text) => {
    if (path.includes("after")) return undefined;
    const answer = JSON.parse(text);
    delete answer.data[3].attributes["updated-at"];
    answer.data[4].attributes = "x";
    answer.data[5].attributes.note = "x".repeat(300_000);
    answer.data[6].id = "../x";
    answer.data[7] = null;
    return JSON.stringify(answer);
  });
  const pages = await pagesOf(source);
  assert.deepEqual(pages[0]!.unread, ids.slice(3, 6));
  assert.equal(pages[0]!.unreadable, 2);
  assert.equal(pages.flatMap(({ identities }) => identities).length, 115);
});

test("paging that goes in circles or never ends is refused", async (t) => {
  const { sandbox, source } = await open(t, { identities: 5 });
  const { data } = await read(sandbox, "/inquiries");
  const answer = (rows: unknown, next: unknown = "/api/v1/inquiries?page%5Bafter%5D=x") => {
    sandbox.intercept((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ data: rows, links: { prev: null, next } }));
      return true;
    });
  };
  for (const work of [() => pagesOf(source), () => changesOf(source, ancient)]) {
    answer(data);
    await refusal(sandbox, work(), "source-response");
    // Nothing to go on from.
    answer([]);
    await refusal(sandbox, work(), "source-response");
    answer(data, 5);
    await refusal(sandbox, work(), "source-response");
    let made = 0;
    sandbox.intercept((_request, response) => {
      made += 1;
      response.writeHead(200, { "content-type": "application/json" });
      const rows = [data[0], { ...data[1], id: `inq_${made}` }];
      response.end(JSON.stringify({ data: rows, links: { prev: null, next: "x" } }));
      return true;
    });
    if (work.toString().includes("pagesOf")) await refusal(sandbox, work(), "source-response");
  }
});

test("the answer's own link is never followed", async (t) => {
  const { sandbox, source } = await open(t, { identities: 150 });
  rewrite(sandbox, (_path, text) => text.replace(/"next":"[^"]+"/, '"next":"https://evil.example/x"'));
  assert.equal((await pagesOf(source)).flatMap(({ identities }) => identities).length, 150);
});

test("the pages of an account's reports are all read", async (t) => {
  const { sandbox, source } = await open(t);
  const index = sandbox
    .ids()
    .findIndex((_, i) => (sandbox.inquiry(i).relationships!.reports!.data as unknown[]).length > 0);
  const report = { type: "report/watchlist", attributes: { status: "ready" }, relationships: {} };
  rewrite(sandbox, (path) => {
    if (!path.includes("/reports?")) return undefined;
    const page = Number(/after%5D=rep_(\d+)/.exec(path)?.[1] ?? 0) + 1;
    const next = page < 4 ? "x" : null;
    return JSON.stringify({ data: [{ ...report, id: `rep_${page}` }], links: { prev: null, next } });
  });
  const { identity, answers } = await source.dossier(sandbox.ids()[index]!, full);
  assert.equal(answers.filter(({ endpoint }) => endpoint === "GET /reports").length, 4);
  const found = (identity.watchlist as readonly { id: string }[]).map(({ id }) => id);
  assert.ok(["rep_1", "rep_2", "rep_3", "rep_4"].every((id) => found.includes(id)));
});
