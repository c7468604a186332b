import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import type { Summary } from "../../src/export/summary.ts";
import type { ApiKind } from "../../src/provider/provider.ts";
import { makeWorkplace, type Provider, type Section, type Workplace } from "../export/workplace.ts";
import { startOnfido } from "../sandbox/onfido/server.ts";
import { startPersona } from "../sandbox/persona/server.ts";
import { startSandbox } from "../sandbox/server.ts";
import { startStripe } from "../sandbox/stripe/server.ts";
import { startSumsub } from "../sandbox/sumsub/server.ts";
import { startVeriff } from "../sandbox/veriff/server.ts";

const PEOPLE = 100;
const CHANGED = 10;
const COMMON = { identities: PEOPLE, plainImages: true };

interface Changing extends Provider, AsyncDisposable {
  /** Returns the indexes of those who changed. */
  change(count: number): readonly number[];
  /** Where the provider lists no one: everyone's ids, by index. */
  readonly known?: () => readonly string[];
  /** Beside what every source has in the config. */
  readonly section?: Section;
}

const STARTS: Readonly<Record<ApiKind, () => Promise<Changing>>> = {
  passbase: () => startSandbox(COMMON),
  persona: () => startPersona({ ...COMMON, repeats: 0, searchDelay: 0 }),
  stripe: () => startStripe({ ...COMMON, repeats: 0 }),
  onfido: async () => {
    const sandbox = await startOnfido(COMMON);
    // Its list shows a change of the applicant alone.
    return { ...sandbox, change: (count) => sandbox.change(count, { part: "applicant" }) };
  },
  veriff: async () => {
    const sandbox = await startVeriff(COMMON);
    const { integrationKey } = sandbox;
    return { ...sandbox, known: () => sandbox.ids(), section: { integrationKey } };
  },
  sumsub: async () => {
    const sandbox = await startSumsub(COMMON);
    const { appToken } = sandbox;
    // At ten AML cases a minute, the test would take as long as a hundred of them.
    return { ...sandbox, known: () => sandbox.ids(), section: { appToken, aml: false } };
  },
};

describe("what an export costs in requests, as docs/SOURCES.md says", { concurrency: true }, () => {
  const [head = [], ...rows] = [
    ...readFileSync("docs/SOURCES.md", "utf8").matchAll(/^\| Requests of .*\n(?:\|.*\n)+/gm),
  ]
    .flatMap(([table]) => table.trim().split("\n"))
    .filter((row) => !row.startsWith("| ---"))
    .map((row) => row.split("|").map((cell) => cell.trim()));

  for (const [kind, start] of Object.entries(STARTS)) {
    test(kind, async () => {
      await using provider = await start();
      await using place = await makeWorkplace(provider, {
        // So long that no one's turn comes between two runs.
        client: { source: { kind, resync: "P100Y", ...provider.section } },
      });
      const known = provider.known?.();
      const first = known ? await backfilled(place, known) : await place.export();
      const quiet = await place.export();
      const indexes = provider.change(CHANGED);
      // As if its webhooks named them.
      const named = known ? indexes.flatMap((index) => ["--identity", known[index]!]) : [];
      const changed = await place.export(...named);
      assert.deepEqual([first.new, quiet.new, quiet.changed, changed.changed], [PEOPLE, 0, 0, CHANGED]);
      const column = head.findIndex((cell) => cell.toLowerCase() === kind);
      assert.deepEqual(
        rows.map((row) => row[column]),
        [first, quiet, changed].map(({ requests, files }) => `${requests}, ${files} of them files`),
      );
    });
  }
});

test("an open applicant of Onfido costs 2 requests in a quiet night, as docs/SOURCES.md says", async () => {
  let now = Date.now() - 24 * 3_600_000;
  await using onfido = await startOnfido({ ...COMMON, identities: 0, clock: () => now });
  onfido.add(20);
  // Their checks end a while later, and what was made for them is there.
  now = Date.now();
  await using place = await makeWorkplace(onfido, { client: { source: { kind: "onfido", resync: "P100Y" } } });
  assert.equal((await place.export()).new, 20);
  const quiet = await place.export();
  assert.deepEqual([quiet.askedWhileOpen, quiet.unchanged], [20, 40]);
  const [each] = /An open applicant costs (\d+) requests a night/
    .exec(readFileSync("docs/SOURCES.md", "utf8"))!
    .slice(1);
  // Whose key it is, and one page of the list.
  assert.equal(quiet.requests, 2 + 20 * Number(each));
});

/** Everyone on a list of ids. */
async function backfilled(place: Workplace, ids: readonly string[]): Promise<Summary> {
  const list = place.path("ids.txt");
  await writeFile(list, ids.join("\n"));
  const [summary] = await place.expect<Summary>(0, "backfill", "--ids", list);
  return summary!;
}
