import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { withoutCeph } from "../servers/s3.ts";
import { indexIn, linesOf, runCommand, setRetention, type Task, writeReport } from "./batch-operations.ts";
import { FAST, makeScene, retainedUntil, type Scene, versionsIn } from "./scene.ts";

interface Confirmed {
  readonly objects: number;
  readonly done: number;
  readonly gone: number;
  readonly failed: number;
}

/** Writes the manifest; then something happens; then the job runs and its report is read. */
async function withBetween(scene: Scene, between: () => Promise<unknown>): Promise<Confirmed> {
  const { place } = scene;
  const folder = place.path("bulk");
  assert.equal((await place.here("retention", ["extend", "--manifest", folder])).code, 0);
  const [manifest] = (await indexIn(folder)).manifests;
  await place.configure({ vault: FAST });
  await between();
  const tasks = (await linesOf(folder, manifest!)).map((line): Task => ({ line }));
  const done = await setRetention(tasks, await runCommand(folder, manifest!));
  const args = [
    "extend",
    "--manifest",
    folder,
    "--completed",
    await writeReport(place.path("reports"), done),
    "--json",
  ];
  const ended = await place.here("retention", args);
  assert.equal(ended.code, 0, ended.stderr + ended.stdout);
  return ended.json as Confirmed;
}

describe("what happens between manifest and report", { skip: withoutCeph }, () => {
  test("a relationship ends: its final lock is not shortened, its failed tasks are no failures, and the log has both", async () => {
    await using scene = await makeScene(3);
    const { place } = scene;
    const subject = await place.subject(scene.sandbox.ids()[0]!);
    const date = Temporal.Now.plainDateISO("UTC").toString();
    const confirmed = await withBetween(scene, async () => {
      const ended = await place.here("relationship", ["end", "--subject", subject, "--date", date]);
      assert.equal(ended.code, 0, ended.stderr);
    });
    const all = await versionsIn(place);
    const theirs = all.filter((each) => each.includes(subject));
    assert.deepEqual(
      [confirmed.objects, confirmed.done, confirmed.failed],
      [all.length - theirs.length, theirs.length, 0],
    );
    for (const each of theirs) {
      const [key = "", versionId = ""] = each.split(" ");
      assert.ok(Date.parse(await retainedUntil(place, key, versionId)) > Date.now() + 4 * 365 * 86_400_000, key);
    }
    assert.equal((await place.expect<{ problems: number }>(0, "verify", "--all-locks"))[0]!.problems, 0);
  });

  test("an object is stored again: the former version is locked and not logged, the new one has its own lock", async () => {
    await using scene = await makeScene(2);
    const { place } = scene;
    const before = (await versionsIn(place)).length;
    const confirmed = await withBetween(scene, () => place.export("--identity", scene.sandbox.ids()[0]!, "--again"));
    assert.ok(confirmed.gone > 0);
    assert.equal(confirmed.objects + confirmed.gone, before);
    assert.equal((await place.expect<{ problems: number }>(0, "verify", "--all-locks"))[0]!.problems, 0);
    assert.equal((await place.expect<{ objects: number }>(0, "retention", "extend"))[0]!.objects, 0);
  });
});
