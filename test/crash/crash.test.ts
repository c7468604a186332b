import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import PQueue from "p-queue";
import { makeWorkplace, type WorkplaceOptions } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { withoutCeph } from "../servers/s3.ts";
import { assertWhole } from "./aftermath.ts";
import { type Moment, middleOfEach, namesIn } from "./moments.ts";

const HOOK = join(import.meta.dirname, "hook.ts");
/** Two people with files: every kind of write, several times. */
const PEOPLE = 2;
/** Concurrent kills. */
const PARALLEL = 4;

/** HOLDFAST_CRASH_KILLS=all tests every moment. Default: one of each name, and random times. */
const everything = process.env.HOLDFAST_CRASH_KILLS === "all";

for (const vault of ["directory", "ceph"] as const) {
  describe(`killed at every write: ${vault}`, { skip: vault === "ceph" ? withoutCeph : false }, () => {
    let sandbox: Sandbox;
    let moments: string[];
    before(async () => {
      sandbox = await startSandbox({ identities: PEOPLE, seed: 11, plainImages: true });
      moments = await trace(sandbox, { vault });
    });
    after(() => sandbox?.close());

    test("the moments include every kind of write", (t) => {
      const names = new Set(moments);
      const writes =
        vault === "ceph"
          ? ["PUT records", "PUT files", "PUT tile/entries", "PUT tile", "PUT checkpoint", "PUT lease"]
          : ["link records", "link files", "link tile/entries", "link tile", "link checkpoint", "link lease"];
      for (const write of [
        ...writes,
        "appendFile of a file",
        "commit of the catalog",
        "rm journal",
        "rename checkpoint",
      ]) {
        for (const when of ["before", "after"]) assert.ok(names.has(`${when} ${write}`), `${when} ${write}`);
      }
      t.diagnostic(`${moments.length} moments of ${names.size} names in one export`);
    });

    test("nothing is lost, nothing forks, nothing is logged twice", async (t) => {
      const chosen = everything ? everyOne(moments) : middleOfEach(moments);
      let killed = 0;
      await inParallel(chosen, async (at) => {
        if (await killAndCheck(sandbox, { vault }, at)) killed += 1;
      });
      t.diagnostic(`${killed} of ${chosen.length} runs killed at a moment`);
      // The order of concurrent work varies, so a run may end before its moment comes.
      assert.ok(killed > chosen.length * 0.9, `${killed} of ${chosen.length}`);
    });

    test("killed at random times, several times in a row, it completes", async (t) => {
      const rounds = everything ? 30 : 2;
      let killed = 0;
      await inParallel(
        Array.from({ length: rounds }, (_, round) => round),
        async (round) => {
          await using place = await makeWorkplace(sandbox, { vault });
          for (let kill = 0; kill < 3; kill++) {
            const ms = String(350 + Math.floor(Math.random() * 500));
            const ended = await place.holdfast("export", [], {
              node: ["--import", HOOK],
              env: { HOLDFAST_CRASH_AFTER_MS: ms },
            });
            if (ended.signal === "SIGKILL") killed += 1;
            else assert.equal(ended.code, 0, ended.stderr);
          }
          await assertWhole(place, sandbox, `random round ${round}`, 3);
        },
      );
      t.diagnostic(`${killed} runs killed at random times`);
      assert.ok(killed > 0);
    });
  });
}

/** The moments of one complete export, by name, in order. */
async function trace(sandbox: Sandbox, options: WorkplaceOptions): Promise<string[]> {
  await using place = await makeWorkplace(sandbox, options);
  const file = place.path("moments");
  const ended = await place.holdfast("export", [], { node: ["--import", HOOK], env: { HOLDFAST_CRASH_TRACE: file } });
  assert.equal(ended.code, 0, ended.stderr);
  assert.ok(existsSync(file));
  return namesIn(readFileSync(file, "utf8"));
}

async function killAndCheck(sandbox: Sandbox, options: WorkplaceOptions, { what, env }: Moment): Promise<boolean> {
  await using place = await makeWorkplace(sandbox, options);
  const ended = await place.holdfast("export", [], { node: ["--import", HOOK], env });
  await assertWhole(place, sandbox, `killed at ${what}`);
  return ended.signal === "SIGKILL";
}

function everyOne(names: readonly string[]): Moment[] {
  return names.map((name, at) => ({ what: `${at + 1}: ${name}`, env: { HOLDFAST_CRASH_AT: String(at + 1) } }));
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = new PQueue({ concurrency: PARALLEL });
  await Promise.all(items.map((item) => queue.add(() => work(item))));
}
