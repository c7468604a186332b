import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { makeWorkplace } from "../../export/workplace.ts";
import { LIMITS, startSumsub } from "../../sandbox/sumsub/server.ts";
import { type Asking, FASTER } from "./aml-asker.ts";

const CASES = "api/applicants/…/amlCase";

/** Two processes ask for AML cases as fast as they may, until that is enough: how many the sandbox answered, and refused. */
async function twoProcesses(
  t: TestContext,
  isShared: boolean,
  isEnough: (asked: { answered: number; refused: number }) => boolean,
): Promise<{ answered: number; refused: number; minutes: number }> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-aml-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const begun = Date.now();
  const clock = () => begun + Math.floor((Date.now() - begun) * FASTER);
  await using sandbox = await startSumsub({ identities: 40, clock, amlLimit: LIMITS.amlLimit });
  const { url, appToken, apiKey } = sandbox;
  const ids = sandbox.ids().filter((_, at) => "info" in sandbox.applicant(at));
  const path = isShared ? join(folder, "state", "limits.sqlite") : undefined;
  const asking: Asking = { url, appToken, apiKey, ids, path, begun };
  const children: ChildProcess[] = [];
  const ends = [1, 2].map(async () => {
    const args = [join(import.meta.dirname, "aml-asker.ts"), JSON.stringify(asking)];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "ignore", "pipe"] });
    t.after(() => child.kill("SIGKILL"));
    children.push(child);
    let said = "";
    child.stderr.on("data", (chunk) => (said += chunk));
    const [code] = await once(child, "close");
    return { code, said };
  });
  const asked = () => ({ answered: sandbox.requests.of(CASES, 200), refused: sandbox.requests.of(CASES, 429) });
  while (!isEnough(asked()) && children.some(({ exitCode }) => exitCode === null)) await delay(20);
  const found = { ...asked(), minutes: (clock() - begun) / 60_000 };
  for (const child of children) child.stdin!.end();
  for (const { code, said } of await Promise.all(ends)) if (isShared) assert.deepEqual([code, said], [0, ""]);
  return found;
}

describe("two processes with one key", { concurrency: true }, () => {
  test("together they stay below ten AML cases a minute, and neither is refused", async (t) => {
    // More than one process's share of a minute, and more than the provider allows in one.
    const { answered, refused, minutes } = await twoProcesses(t, true, (asked) => asked.answered > 10);
    t.diagnostic(`${answered} cases in ${Math.round(60 * minutes)} seconds of the sandbox`);
    assert.equal(refused, 0);
    assert.ok(answered > 10 && minutes > 1, `${answered} in ${minutes} minutes`);
  });

  test("each with a pace of its own, they are refused: the sandbox counts", async (t) => {
    const { refused } = await twoProcesses(t, false, (asked) => asked.refused > 0);
    assert.ok(refused > 0);
  });
});

test("a run leaves the pace of AML cases where the next process reads it", async () => {
  await using sumsub = await startSumsub({ identities: 20, plainImages: true });
  const { appToken } = sumsub;
  await using place = await makeWorkplace(sumsub, { client: { source: { kind: "sumsub", appToken } } });
  const someone = sumsub.ids().find((_, at) => "info" in sumsub.applicant(at))!;
  await writeFile(place.path("ids"), someone);
  const from = Date.now();
  const ended = await place.here("backfill", ["--ids", place.path("ids")]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /AML cases of 1 person take 7\.5 s, at 8\/min; who has none takes less/);
  const [config] = (await place.client()).sources;
  const db = new DatabaseSync(join((await place.client()).state, `limits-${config!.name}.sqlite`), { readOnly: true });
  const rows = db.prepare("SELECT name, last FROM limits_2").all() as { name: string; last: number }[];
  db.close();
  const pace = rows.find(({ name }) => name === "GET /resources/api/applicants/{applicantId}/amlCase");
  assert.ok(pace !== undefined && pace.last >= from && pace.last <= Date.now(), JSON.stringify(rows));
  assert.equal(sumsub.requests.of(CASES), 1);
});
