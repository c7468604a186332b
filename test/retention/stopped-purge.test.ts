import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { exportClients } from "../../jobs/export.ts";
import { listPurges } from "../../jobs/purge-list.ts";
import { verify } from "../../jobs/verify.ts";
import { checkCertificate } from "../../src/certificate/certificate-check.ts";
import { destroyedKeys } from "../certificate/certificate-forms.ts";
import type { Ended } from "../cli/program.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

const HOOK = join(import.meta.dirname, "../crash/hook.ts");
const SHORT = { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };
const RUN = /\d{8}T\d{6}Z-[0-9a-f]{6}/;

describe("an interrupted purge can be certified", { concurrency: 2 }, () => {
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await startSandbox({ identities: 4, plainImages: true });
  });
  after(() => sandbox[Symbol.asyncDispose]());

  async function ready(): Promise<Workplace> {
    const place = await makeWorkplace(sandbox, { client: { retention: SHORT } });
    await exportClients(await session(place), {});
    // Real locks end by the clock.
    await delay(2_100);
    return place;
  }

  const purging = (place: Workplace, out: string, env: Record<string, string> = {}): Promise<Ended> =>
    place.holdfast("retention", ["purge", "--confirm", "--out", place.path(out)], { node: ["--import", HOOK], env });

  async function storedKeys(place: Workplace): Promise<string[]> {
    const stored = await place.entries("record.stored");
    return stored.flatMap(({ object, files }) => [object.key, ...files.map(({ key }) => key)]).sort();
  }

  async function certifiesAll(place: Workplace, out: string, runs: readonly string[]): Promise<void> {
    assert.deepEqual((await destroyedKeys(place.path(out))).sort(), await storedKeys(place));
    const checked = await checkCertificate(place.path(out));
    assert.deepEqual([checked.ledThere, checked.runs], ["checked", runs]);
    assert.equal((await place.here("verify", [place.path(out)])).code, 0);
    const [list] = await listPurges(await session(place));
    assert.deepEqual([list!.uncertified, list!.purge], [[], []]);
    const [report] = await verify(await session(place), { readData: 0, orphans: true });
    assert.deepEqual(report!.found, []);
  }

  test("interrupted: it names its run first and last, and the next command; the next purge certifies both", async () => {
    await using place = await ready();
    const ended = await purging(place, "destroyed", {
      HOLDFAST_CRASH_SIGNAL: "SIGINT",
      HOLDFAST_CRASH_BEFORE: "before unlink records",
    });
    assert.equal(ended.code, 130, ended.stderr);
    const begins = ended.log.find(({ msg }) => /purge .* begins/.test(String(msg)));
    const run = RUN.exec(String(begins?.msg))![0];
    const last = ended.log.at(-1)!;
    assert.match(String(last.error), new RegExp(`the purge ${run} was stopped`));
    assert.match(String(last.hint), new RegExp(`retention certificate --client acme-bank --run ${run} --out`));
    assert.ok(!existsSync(place.path("destroyed")));
    const purged = (await place.entries("record.purged")).flatMap(({ objects }) => objects.map(({ key }) => key));
    const all = await storedKeys(place);
    assert.ok(purged.length > 0 && purged.length < all.length, `${purged.length} of ${all.length}`);

    const listed = await place.here("retention", ["purge", "--json"]);
    assert.deepEqual((listed.json as { clients: { uncertified: string[] }[] }).clients[0]!.uncertified, [run]);
    // A certificate of its own, without continuing the purge.
    const certificate = ["certificate", "--run", run, "--out"];
    assert.equal((await place.holdfast("retention", [...certificate, place.path("first")])).code, 0);
    assert.deepEqual((await destroyedKeys(place.path("first"))).sort(), purged.sort());
    await checkCertificate(place.path("first"));

    const again = await purging(place, "destroyed");
    assert.equal(again.code, 0, again.stderr);
    const second = RUN.exec(String(again.log.find(({ msg }) => /begins/.test(String(msg)))!.msg))![0];
    // The first run was already certified, so that no one is in two certificates.
    const others = all.filter((key) => !purged.includes(key));
    assert.deepEqual((await destroyedKeys(place.path("destroyed"))).sort(), others);
    const both = ["certificate", "--run", run, "--run", second, "--out", place.path("both")];
    assert.equal((await place.here("retention", both)).code, 0);
    await certifiesAll(place, "both", [run, second]);
  });

  test("interrupted and continued: one certificate names everyone once; each run can also have its own", async () => {
    await using place = await ready();
    const ended = await purging(place, "destroyed", {
      HOLDFAST_CRASH_SIGNAL: "SIGTERM",
      HOLDFAST_CRASH_BEFORE: "before unlink records",
    });
    const first = RUN.exec(ended.stderr)![0];
    const again = await purging(place, "destroyed");
    const second = RUN.exec(again.stderr)![0];
    await certifiesAll(place, "destroyed", [first, second]);
    for (const [out, run] of Object.entries({ first, second })) {
      assert.equal((await place.here("retention", ["certificate", "--run", run, "--out", place.path(out)])).code, 0);
    }
    const keys = [...(await destroyedKeys(place.path("first"))), ...(await destroyedKeys(place.path("second")))];
    assert.deepEqual(keys.sort(), await storedKeys(place));
  });

  const gone = "after unlink records";
  for (const [moment, env, told] of [
    ["when a record is gone", { HOLDFAST_CRASH_BEFORE: gone }, /no purge of the run/],
    // What the log will say about it is still only in this machine's journal.
    [
      "when that is journaled",
      { HOLDFAST_CRASH_SINCE: gone, HOLDFAST_CRASH_BEFORE: "after appendFile of a file" },
      /killed, and the log does not have all of it yet/,
    ],
  ] as const) {
    test(`killed ${moment}: its run was named, and the next purge certifies both`, async () => {
      await using place = await ready();
      const ended = await purging(place, "destroyed", env);
      assert.equal(ended.signal, "SIGKILL");
      const run = RUN.exec(ended.stderr)![0];
      const early = await place.holdfast("retention", ["certificate", "--run", run, "--out", place.path("early")]);
      assert.notEqual(early.code, 0);
      assert.match(early.stderr, told);
      const again = await purging(place, "destroyed");
      assert.equal(again.code, 0, again.stderr);
      const second = RUN.exec(again.stderr)![0];
      const runs = new Set((await place.entries("record.purged")).map((entry) => entry.run));
      await certifiesAll(
        place,
        "destroyed",
        [run, second].filter((each) => runs.has(each)),
      );
      assert.deepEqual(
        (await readdir(place.folder)).filter((name) => name.includes("partial")),
        [],
      );
    });
  }
});
