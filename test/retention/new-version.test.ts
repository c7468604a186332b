import assert from "node:assert/strict";
import { test } from "node:test";
import { exportClients } from "../../jobs/export.ts";
import { reconcile } from "../../jobs/reconcile.ts";
import { endRelationship, reopenRelationship } from "../../jobs/relationship.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

const NO_ONE = { identities: [], emails: [], references: [] };
const RETENTION = { keep: "P5Y", from: "relationship-end", timezone: "Europe/Berlin", initialLock: "P90D" };

async function ended(sandbox: Sandbox, date: Temporal.PlainDate): Promise<{ place: Workplace; subject: string }> {
  const place = await makeWorkplace(sandbox, { client: { retention: RETENTION } });
  await exportClients(await session(place), {});
  const subject = await place.subject(sandbox.ids()[0]!);
  const told = { ...NO_ONE, subjects: [subject], date: date.toString(), beforeVerification: true };
  await endRelationship(await session(place), told);
  sandbox.change([0]);
  return { place, subject };
}

test("a version stored after the end of the relationship is locked until the law's date, and no longer", async () => {
  await using sandbox = await startSandbox({ identities: 1, plainImages: true });
  const date = Temporal.Now.plainDateISO("Europe/Berlin").subtract({ years: 5 }).add({ days: 30 });
  const { place } = await ended(sandbox, date);
  await using _ = place;
  const [summary] = await exportClients(await session(place), {});
  assert.equal(summary!.changed, 1);
  const newest = (await place.entries("record.stored")).at(-1)!;
  const { lock } = await (await place.vault()).head(newest.object.key, newest.object.versionId);
  const law = date.add({ years: 5 }).add({ days: 1 }).toZonedDateTime("Europe/Berlin").toInstant();
  assert.equal(String(lock!.until), String(law));
  assert.equal(newest.lockedUntil, String(law));
});

test("a version that arrives after the law's date is not stored, unless the relationship is reopened", async () => {
  await using sandbox = await startSandbox({ identities: 1, plainImages: true });
  const date = Temporal.Now.plainDateISO("Europe/Berlin").subtract({ years: 6 });
  const { place, subject } = await ended(sandbox, date);
  await using _ = place;
  for (let night = 0; night < 2; night++) {
    const [summary] = await exportClients(await session(place), {});
    assert.deepEqual([summary!.changed, summary!.past], [0, 1]);
  }
  const [coverage] = await reconcile(await session(place));
  assert.deepEqual([coverage!.changed!.count, coverage!.past!.count], [0, 1]);
  await reopenRelationship(await session(place), { ...NO_ONE, subjects: [subject] });
  const [summary] = await exportClients(await session(place), {});
  assert.equal(summary!.changed, 1);
});
