import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, clockAt, read } from "./ask.ts";
import { type Persona, startPersona } from "./server.ts";

const ids = (data: readonly { id: string }[]) => data.map(({ id }) => id);

async function walk(sandbox: Persona, between: (page: number) => void = () => {}): Promise<string[]> {
  const seen: string[] = [];
  for (let page = 0, after: string | undefined; ; page++) {
    const cursor = after === undefined ? "" : `&page[after]=${after}`;
    const { data, links } = await read(sandbox, `/inquiries?page[size]=7${cursor}`);
    seen.push(...ids(data));
    if (links.next === null) return seen;
    after = seen.at(-1)!;
    between(page);
  }
}

test("pages run from the newest to the oldest, and inquiries that are added or deleted meanwhile shift nothing", async () => {
  await using sandbox = await startPersona({ identities: 30 });
  const before = sandbox.ids().reverse();
  assert.deepEqual(await walk(sandbox), before);
  const seen = await walk(sandbox, (page) => {
    sandbox.add(3);
    if (page === 0) sandbox.vanish([23]); // the last one of the first page, which is the cursor
  });
  assert.deepEqual(seen, before);
  assert.deepEqual((await walk(sandbox)).length, 30 + 12 - 1);
});

test("a page has ten rows by default and at most a hundred; the next link forgets the page's size", async () => {
  await using sandbox = await startPersona({ identities: 12 });
  const { data, links } = await read(sandbox, "/inquiries");
  assert.equal(data.length, 10);
  assert.equal(links.prev, null);
  assert.equal(links.next, `/api/v1/inquiries?${new URLSearchParams({ "page[after]": data.at(-1)!.id })}`);
  const five = await read(sandbox, "/inquiries?page[size]=5");
  assert.ok(!five.links.next!.includes("size"));
  assert.ok((await read(sandbox, "/inquiries/search", { page: { size: 5 } })).links.next!.includes("size%5D=5"));
  const back = await read(sandbox, `/inquiries?page[before]=${data[5]!.id}&page[size]=3`);
  assert.deepEqual(ids(back.data), ids(data).slice(2, 5));
  for (const path of [
    "?page[size]=101",
    "?page[size]=0",
    "?include=account",
    "?page[after]=act_1",
    "?filter[updated-at]=1",
  ])
    assert.equal((await ask(sandbox, `/inquiries${path}`)).status, 400, path);
});

test("several inquiries share an account, which is found by its reference and names none of them", async () => {
  await using sandbox = await startPersona({ identities: 40, repeats: 50 });
  const account = (index: number) => (sandbox.inquiry(index).relationships!.account!.data as { id: string }).id;
  const index = sandbox.ids().findIndex((_, i) => i > 0 && account(i) === account(i - 1));
  const { data } = await read(sandbox, `/inquiries?filter[account-id]=${account(index)}`);
  assert.ok(data.length > 1 && ids(data).includes(sandbox.ids()[index]!));
  const reference = sandbox.object(account(index))!.attributes["reference-id"];
  assert.deepEqual(ids((await read(sandbox, `/accounts?filter[reference-id]=${reference}`)).data), [account(index)]);
  assert.deepEqual(Object.keys(sandbox.object(account(index))!.relationships!), ["account-type"]);
});

test("a search sees a change only after the delay, then by its new time, with sort and clauses", async () => {
  const clock = clockAt();
  await using sandbox = await startPersona({ identities: 30, clock, searchDelay: 60_000 });
  const since = (time: number) => ({
    query: {
      and: [
        { attribute: "updated_at", operator: "gte", value: new Date(time).toISOString() },
        { attribute: "updated_at", operator: "lte", value: "2030-01-01" },
      ],
    },
    sort: { attribute: "updated_at", direction: "asc" },
  });
  const found = async () => ids((await read(sandbox, "/inquiries/search", since(clock.now - 3_600_000))).data);
  sandbox.change([4]);
  clock.now += 1_000;
  sandbox.change([2]);
  const [added] = sandbox.add(1);
  assert.deepEqual(await found(), []);
  clock.now += 59_000;
  assert.deepEqual(
    await found(),
    [4].map((index) => sandbox.ids()[index]),
  );
  clock.now += 1_000;
  assert.deepEqual(
    await found(),
    [4, 2, added!].map((index) => sandbox.ids()[index]),
  );
  for (const query of [
    { attribute: "tags", operator: "eq", value: "x" },
    { attribute: "status", operator: "ne", value: "x" },
  ])
    assert.equal((await ask(sandbox, "/inquiries/search", { query })).status, 400);
});

test("a search by time loses nothing that moves to its end while it is walked", async () => {
  const clock = clockAt();
  await using sandbox = await startPersona({ identities: 25, clock, searchDelay: 0 });
  const seen: string[] = [];
  for (let after: string | undefined; ; after = seen.at(-1)!) {
    const page = { size: 10, ...(after === undefined ? {} : { after }) };
    const sort = { attribute: "updated_at", direction: "asc" };
    const { data, links } = await read(sandbox, "/inquiries/search", { sort, page });
    seen.push(...ids(data));
    if (links.next === null) break;
    if (seen.length === 10) sandbox.change([sandbox.ids().indexOf(seen[9]!), sandbox.ids().indexOf(seen[3]!)]);
  }
  assert.deepEqual(new Set(seen), new Set(sandbox.ids()));
  assert.equal(seen.length, 27);
});

test("a search with an Idempotency-Key gets its first answer again, even if that was a failure", async () => {
  await using sandbox = await startPersona({ identities: 3, searchDelay: 0 });
  const status = async (body: unknown) =>
    (await ask(sandbox, "/inquiries/search", body, { "Idempotency-Key": "k" })).status;
  const body = { page: { size: 0 } };
  assert.equal(await status(body), 400);
  assert.equal(await status(body), 400);
  assert.equal(await status({}), 409);
});
