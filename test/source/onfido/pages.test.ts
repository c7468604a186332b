import assert from "node:assert/strict";
import { test } from "node:test";
import { applicantPages } from "../../../src/source/onfido/pages.ts";
import type { Page } from "../../../src/source/source.ts";
import { DAY } from "../../sandbox/onfido/ask.ts";
import { full, idsIn, open, pagesOf } from "./connect.ts";

/** A list of numbers, newest first, that a test changes between two pages; what a server says of it can be set. */
class Numbers {
  rows: number[];
  asked = 0;
  says = true;
  /** The server's own limit. */
  most = 1000;

  constructor(count: number) {
    this.rows = Array.from({ length: count }, (_, at) => count - at);
  }

  readonly ask = (page: number, size: number) => {
    this.asked += 1;
    const rows = Math.min(size, this.most);
    const from = (page - 1) * rows;
    const found = this.rows.slice(from, from + rows);
    return Promise.resolve({
      identities: found.map((id) => ({ id: `${id}`, created: "", updated: "", status: "", raw: id })),
      ...{ unread: [], unreadable: 0, rows: found.length, first: found.at(0)?.toString() },
      total: this.says ? this.rows.length : undefined,
      isLast: from + rows >= this.rows.length,
    });
  };

  erase(...numbers: number[]): void {
    this.rows = this.rows.filter((row) => !numbers.includes(row));
  }
}

async function walked(list: Numbers, between: (page: Page, at: number) => void = () => {}, cursor?: string) {
  const seen = new Set<number>();
  let whole = true;
  let at = 0;
  for await (const page of applicantPages(list.ask, 100, cursor)) {
    for (const { id } of page.identities) seen.add(Number(id));
    whole = page.whole;
    between(page, at++);
  }
  return { seen, whole, missed: list.rows.filter((row) => !seen.has(row)) };
}

test("a walk without disturbance asks for each page once", async () => {
  const list = new Numbers(1000);
  assert.deepEqual([(await walked(list)).missed, list.asked], [[], 10]);
});

test("no one is missed, however many are erased at each page", async () => {
  for (const count of [1, 2, 7, 30, 120]) {
    const list = new Numbers(2000);
    const { missed, whole } = await walked(list, (page) => {
      list.erase(...page.identities.slice(-count).map(({ id }) => Number(id)));
      if (page.identities.length < count) list.erase(...list.rows.slice(0, count));
    });
    assert.deepEqual([missed, whole], [[], true], `${count} at each page`);
    assert.ok(list.asked < 150, `${list.asked} requests`);
  }
});

test("no one is missed while some are added and others erased", async () => {
  const list = new Numbers(2000);
  let newest = 2000;
  const { missed, whole } = await walked(list, ({ identities }, at) => {
    for (let n = 0; n < at % 4; n++) list.rows.unshift(++newest);
    list.erase(...identities.slice(0, at % 5).map(({ id }) => Number(id)));
  });
  assert.deepEqual([missed.filter((row) => row <= 2000), whole], [[], true]);
  assert.ok(list.asked < 60, `${list.asked} requests`);
});

test("a walk that goes on the next day goes back by as many as were erased since", async () => {
  const list = new Numbers(1000);
  const seen = new Set<number>();
  let cursor: string | null = null;
  for await (const page of applicantPages(list.ask, 100)) {
    for (const { id } of page.identities) seen.add(Number(id));
    cursor = page.cursor;
    if (seen.size === 500) break;
  }
  list.erase(...list.rows.slice(100, 250));
  const { seen: rest, whole } = await walked(list, undefined, cursor!);
  assert.deepEqual([list.rows.filter((row) => !seen.has(row) && !rest.has(row)), whole], [[], true]);
});

test("a walk whose answers do not say how many there are is not whole", async () => {
  const list = new Numbers(300);
  list.says = false;
  assert.deepEqual([(await walked(list)).whole, (await walked(list)).missed], [false, []]);
});

test("a server with shorter pages than asked for is walked by its own", async () => {
  const list = new Numbers(300);
  list.most = 20;
  const { missed, whole } = await walked(list, (_, at) => at === 5 && list.erase(299, 298, 297));
  assert.deepEqual([missed, whole], [[], true]);
});

test("a walk ends even if more people leave before each answer than its pages overlap", async () => {
  const list = new Numbers(3000);
  const ask = (page: number, size: number) => {
    // Before each answer, more than an overlap covers.
    list.erase(...list.rows.slice(0, list.asked > 3 ? 60 * (list.asked % 2) : 0));
    return list.ask(page, size);
  };
  let last: Page | undefined;
  for await (const page of applicantPages(ask, 100)) last = page;
  assert.equal(last?.cursor, null);
  assert.ok(list.asked < 400, `${list.asked} requests`);
});

test("a cursor of another source is refused", async () => {
  const list = new Numbers(10);
  for (const cursor of ["", "x", "0.0.0..whole", "1.101.0..whole", "../1"])
    await assert.rejects(walked(list, undefined, cursor), { code: "source-rejected" });
  assert.equal(list.asked, 0);
});

test("a deleted applicant is listed as deleted, and no longer to be fetched, until the deletion delay is over", async (t) => {
  const { sandbox, source, clock } = await open(t, { identities: 230, deletionDelay: 10 * DAY });
  const before = (await pagesOf(source)).flatMap(({ identities }) => identities);
  sandbox.remove([3]);
  const id = sandbox.id(3);
  const pages = await pagesOf(source);
  assert.equal(before.length, 230);
  const deleted = pages.flatMap(({ identities }) => identities.filter((one) => one.deleted));
  assert.deepEqual([idsIn(pages).size, deleted.map((one) => one.id)], [230, [id]]);
  assert.ok(pages.every(({ whole, unreadable }) => whole && unreadable === 0));
  await assert.rejects(source.dossier(id, full), { code: "source-missing" });
  clock.now += 11 * DAY;
  const after = await pagesOf(source);
  assert.deepEqual([idsIn(after).has(id), after.every(({ whole }) => whole)], [false, true]);
  await assert.rejects(source.dossier(id, full), { code: "source-missing" });
});

test("a restored applicant is as before", async (t) => {
  const { sandbox, source } = await open(t);
  const before = await source.dossier(sandbox.id(1), full);
  sandbox.remove([1]);
  await assert.rejects(source.dossier(sandbox.id(1), { full: false }), { code: "source-missing" });
  sandbox.restore([1]);
  assert.deepEqual((await source.dossier(sandbox.id(1), full)).content, before.content);
});
