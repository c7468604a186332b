import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ask, filePath, first } from "./ask.ts";
import { type Sandbox, startSandbox } from "./server.ts";
import type { WireIdentity } from "./wire.ts";

interface Page {
  readonly cursor: { readonly next: string | null };
  readonly data: readonly WireIdentity[];
}

async function digest(sandbox: Sandbox): Promise<string> {
  const hash = createHash("sha256");
  for (const path of ["/settings", "/identities?limit=500", filePath(sandbox, 3)]) {
    hash.update(Buffer.from(await (await ask(sandbox, path)).arrayBuffer()));
  }
  return hash.digest("hex");
}

test("the same seed gives the same bytes, another seed gives others", async () => {
  await using one = await startSandbox({ identities: 40, seed: 7 });
  await using two = await startSandbox({ identities: 40, seed: 7 });
  await using other = await startSandbox({ identities: 40, seed: 8 });
  assert.equal(await digest(one), await digest(two));
  assert.notDeepEqual(one.ids(), other.ids());
});

test("a list item is exactly the text of GET /identities/{id}", async () => {
  await using sandbox = await startSandbox({ identities: 3 });
  const page = await (await ask(sandbox, "/identities")).text();
  const items = await Promise.all(sandbox.ids().map(async (id) => (await ask(sandbox, `/identities/${id}`)).text()));
  assert.equal(page, `{"cursor":{"next":null},"data":[${items.join(",")}]}`);
  assert.equal(items[1], sandbox.text(1));
});

test("limit takes precedence over the page size, up to 500; a cursor continues where the page ended", async () => {
  await using sandbox = await startSandbox({ identities: 1100, pageSize: 20 });
  const sizes: number[] = [];
  const ids: string[] = [];
  let cursor: string | null = "";
  for (const limit of ["", "&limit=7", "&limit=9999", "&limit=9999", "&limit=9999"]) {
    const page: Page = (await (await ask(sandbox, `/identities?cursor=${cursor}${limit}`)).json()) as Page;
    sizes.push(page.data.length);
    ids.push(...page.data.map(({ id }) => id));
    cursor = page.cursor.next;
    if (cursor === null) break;
  }
  assert.deepEqual(sizes, [20, 7, 500, 500, 73]);
  assert.deepEqual(ids, sandbox.ids());
});

test("resources have pages too", async () => {
  await using sandbox = await startSandbox({ pageSize: 1 });
  const index = first(sandbox, (i) => sandbox.resources(i).length > 1);
  const seen: unknown[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page = (await (
      await ask(sandbox, `/identity/${sandbox.ids()[index]}/resources?cursor=${cursor}`)
    ).json()) as Page;
    assert.equal(page.data.length, 1);
    seen.push(...page.data);
    cursor = page.cursor.next;
  }
  assert.deepEqual(seen, sandbox.resources(index));
});

test("400 identities include every kind of gap and oddity", async () => {
  await using sandbox = await startSandbox({ identities: 400 });
  const all = Array.from({ length: 400 }, (_, i) => sandbox.identity(i));
  const some = (holds: (identity: WireIdentity) => boolean) => assert.ok(all.some(holds), holds.toString());
  for (const status of [
    "created",
    "processing",
    "processed",
    "verified",
    "unverified",
    "pending",
    "approved",
    "declined",
  ]) {
    some((identity) => identity.status === status);
  }
  some(({ owner }) => owner?.email === null);
  some((identity) => !("metadata" in identity));
  some(({ metadata }) => metadata === null);
  some((identity) => !("network" in identity));
  some((identity) => !("watchlist" in identity));
  some(({ score }) => score === null);
  some(({ resources }) => resources?.length === 0);
  some(({ watchlist }) => watchlist?.clean === false);
  some(({ owner }) => /\p{Script=Han}/u.test(owner?.last_name ?? ""));
  some(({ owner }) => owner?.first_name === "Łukasz");
  for (const { owner, network } of all) {
    if (owner?.email) assert.match(owner.email, /@example\.(com|org|net)$/);
    if (network) assert.match(network.ip_address, /^(192\.0\.2|198\.51\.100|203\.0\.113)\.|^2001:db8:/);
  }
  // A number that JSON.parse cannot hold: to keep it, keep the text.
  const [, digits] = /"sequence":(\d+)/.exec(sandbox.text(0))!;
  assert.notEqual(String(Number(digits)), digits);
});

test("fifty thousand identities are walked with constant memory", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  await using sandbox = await startSandbox({ identities: 50_000, files: false });
  async function walk(): Promise<number> {
    let count = 0;
    let cursor: string | undefined = "";
    while (cursor !== undefined) {
      const text: string = await (await ask(sandbox, `/identities?limit=500&cursor=${cursor}`)).text();
      count += text.split('{"id":"').length - 1;
      cursor = /^\{"cursor":\{"next":"([^"]+)"/.exec(text)?.[1];
    }
    return count;
  }
  await walk();
  collect();
  const before = process.memoryUsage().heapUsed;
  assert.equal(await walk(), 50_000);
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  assert.ok(grown < 4_000_000, `the heap grew by ${grown} bytes`);
});
