import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { exportClients } from "../../jobs/export.ts";
import { listPurges } from "../../jobs/purge-list.ts";
import { endRelationship } from "../../jobs/relationship.ts";
import { extendAll } from "../../jobs/retention.ts";
import { type HoldfastError, hasCode } from "../../src/core/error.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { objectsOf } from "./place.ts";

const NO_ONE = { identities: [], emails: [], references: [], subjects: [] };

async function exported(sandbox: Sandbox): Promise<{ place: Workplace; subjects: string[]; firsts: string[] }> {
  const place = await makeWorkplace(sandbox, { client: { retention: { timezone: "UTC" } } });
  await exportClients(await session(place), {});
  const stored = await place.stored();
  const subjects = await Promise.all(sandbox.ids().map((id) => place.subject(id)));
  return { place, subjects, firsts: subjects.map((subject) => stored.get(subject)![0]!.updated.slice(0, 10)) };
}

const dayBefore = (day: string): string => Temporal.PlainDate.from(day).subtract({ days: 1 }).toString();

describe("a last day before the person was verified", () => {
  test("is refused for a single person, and accepted with --before-verification; the same day is not refused", async () => {
    await using sandbox = await startSandbox({ identities: 2, files: false });
    const { place, subjects, firsts } = await exported(sandbox);
    await using _ = place;
    const [subject, other] = subjects;
    const end = async (who: string, date: string, beforeVerification = false) =>
      endRelationship(await session(place), { ...NO_ONE, subjects: [who], date, beforeVerification });
    // A later version does not change the limit: the first one counts.
    sandbox.change([0]);
    await exportClients(await session(place), {});
    for (const date of [dayBefore(firsts[0]!), "1999-01-01"]) {
      await assert.rejects(end(subject!, date), (error: HoldfastError) => {
        assert.ok(hasCode(error, "usage"), String(error));
        assert.ok(error.message.includes(firsts[0]!) && error.hint!.includes("--before-verification"));
        return true;
      });
    }
    assert.deepEqual(await place.entries("relationship.ended"), []);
    await end(other!, firsts[1]!);
    const done = await place.here("relationship", [
      ...["end", "--subject", subject!, "--date", "1999-01-01", "--before-verification", "--json"],
    ]);
    assert.equal(done.code, 0, done.stderr);
    // Once recorded with the flag, it is not refused again.
    assert.equal((await end(subject!, "1999-01-01")).unchanged, 1);
    const [list] = await listPurges({
      ...(await session(place)),
      now: () => Temporal.Now.instant().add({ hours: 24 * 366 * 6 }),
    });
    const listed = new Map(list!.purge.map((each) => [each.subject, each.verifiedAfter]));
    assert.equal(listed.get(subject!), firsts[0]);
    assert.ok(listed.has(other!) && listed.get(other!) === undefined);
  });

  test("is reported with its line in a table, whose other lines are used", async () => {
    await using sandbox = await startSandbox({ identities: 3, files: false });
    const { place, subjects, firsts } = await exported(sandbox);
    await using _ = place;
    const csv = place.path("closed.csv");
    const rows = [
      `${subjects[0]},1999-01-01`,
      `${subjects[1]},${firsts[1]}`,
      `${subjects[2]},${dayBefore(firsts[2]!)}`,
    ];
    await writeFile(csv, ["subject,date", ...rows].join("\n"));
    const done = await endRelationship(await session(place), { ...NO_ONE, csv });
    assert.deepEqual([done.subjects, done.unusable.map(({ line }) => line)], [1, [2, 4]]);
    for (const { why } of done.unusable) assert.match(why, /before that person was first verified \(\d{4}-\d\d-\d\d\)/);
    assert.deepEqual(
      (await place.entries("relationship.ended")).map(({ subject }) => subject),
      [subjects[1]],
    );
    const all = await endRelationship(await session(place), { ...NO_ONE, csv, beforeVerification: true });
    assert.deepEqual([all.subjects, all.unchanged, all.unusable], [2, 1, []]);
  });
});

test("locks that an earlier version set a day too short are extended by the next run, and none is shortened", async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox, {
    client: { retention: { keep: "P5Y", from: "relationship-end", initialLock: "P30D", extendWhenLessThan: "P10D" } },
  });
  await exportClients(await session(place), {});
  const subject = await place.subject(sandbox.ids()[0]!);
  const date = Temporal.Now.plainDateISO("UTC").toString();
  // The zone of Tokyo gives the same early time as the former calculation.
  await place.configure({ retention: { timezone: "Asia/Tokyo" } });
  await endRelationship(await session(place), { ...NO_ONE, subjects: [subject], date });
  const [early] = await objectsOf(place, subject);
  await place.configure({ retention: { timezone: "America/New_York" } });
  const [locks] = await extendAll(await session(place));
  assert.equal(locks!.objects, 1);
  const [extended] = await objectsOf(place, subject);
  const last = Temporal.PlainDate.from(date).add({ years: 5 }).add({ days: 1 });
  assert.equal(String(extended!.lock!.until), String(last.toZonedDateTime("America/New_York").toInstant()));
  assert.ok(Temporal.Instant.compare(extended!.lock!.until, early!.lock!.until) > 0);
  assert.deepEqual((await place.entries("lock.extended")).at(-1)!.lockedUntil, String(extended!.lock!.until));
  assert.equal((await place.entries("policy.changed")).at(-1)!.to.timezone, "America/New_York");
  // And back: an earlier date does not change the lock.
  await place.configure({ retention: { timezone: "Asia/Tokyo" } });
  assert.equal((await extendAll(await session(place)))[0]!.objects, 0);
  assert.equal(String((await objectsOf(place, subject))[0]!.lock!.until), String(extended!.lock!.until));
});
