import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { readyWorkplace } from "../crash/aftermath.ts";
import { CLIENT } from "../export/workplace.ts";
import { Random } from "../sandbox/random.ts";
import { s3Client, withoutCeph } from "../servers/s3.ts";
import { lookInto } from "./century/bucket.ts";
import { dayText, startOf, utcDay } from "./century/calendar.ts";
import type { Law } from "./century/law.ts";
import { Log } from "./century/log.ts";
import { type Job, Machine } from "./century/machine.ts";
import { type Facts, Model } from "./century/model.ts";
import { World } from "./century/world.ts";

const PEOPLE = 16;
/** Seconds of the life, and when in it a relationship that ended yesterday needs to be kept no more. */
const LIFE = 24;
const YESTERDAY = 12;

const now = (): number => Date.now() / 1000;

/**
 * Locks in a bucket end by the server's own clock, so this life is one of seconds: periods of seconds, real kills, real
 * time. It shows that the server keeps what is locked or held, that a purge leaves no version and no delete marker of what
 * is due, and touches nothing else, also when it was killed. What years, months and zones come to it does not show: that
 * is the directory's century, whose locks end by a clock that can be set.
 */
test("Ceph RGW: a life of seconds with kills; what is due is gone in every version, and nothing else", {
  skip: withoutCeph,
}, async (t) => {
  const seed = Number(process.env.HOLDFAST_SEED ?? 1);
  const random = new Random(seed, 7);
  const begun = now();
  await using world = new World(seed, PEOPLE, begun - 90_000, begun - 1_000);
  world.now = begun;
  await world.listen();
  await using place = await readyWorkplace(world, { vault: "ceph" });
  const url = new URL((await place.client()).vault.url);
  const client = s3Client();
  const look = () => lookInto(client, url.host, url.pathname.slice(1));
  assert.equal(url.pathname, `/${CLIENT}`);
  const midnight = startOf(utcDay(begun));
  const relationship = { keep: `PT${Math.round(begun - midnight) + YESTERDAY}S`, from: "relationship-end" } as const;
  const law: Law = {
    identifying: relationship,
    verification: { keep: "PT4S", from: "exported" },
    files: { keep: "PT7S", from: "exported" },
    ...{ zone: "UTC", minimum: undefined, coolingOff: undefined, initialLock: "PT4S", extendWhenLessThan: "PT2S" },
  };
  const { identifying, verification, files, zone, initialLock, extendWhenLessThan } = law;
  const clocks = { keep: identifying.keep, from: identifying.from, classes: { identifying, verification, files } };
  await place.configure({ retention: { ...clocks, timezone: zone, initialLock, extendWhenLessThan } });
  const people = await Promise.all(
    world.people.map(async (person) => [await place.subject(person.id), person] as const),
  );
  const model = new Model(law, people, await look());
  const log = new Log(place);
  const told: string[] = [];
  let ending = false;
  await using machine = new Machine(place.file, {
    quick: false,
    dieAt: () => (ending ? undefined : Math.floor(3 ** random.between(1, 6))),
  });

  const run = async (job: Job, tell: () => void = () => {}): Promise<void> => {
    for (;;) {
      const from = now();
      world.now = from;
      const answer = await machine.run({ at: undefined, job });
      const to = now();
      told.push(`${(from - begun).toFixed(1)} ${job.kind}${answer ? "" : " KILLED"}`);
      assert.equal(answer?.error, undefined, `seed ${seed}: ${answer?.text}`);
      tell();
      const failed: number = answer?.value?.failed ?? 0;
      const sight = await look();
      const faults = model.after(
        { job, from, to, whole: answer !== undefined, failed },
        sight,
        answer ? await log.news() : [],
      );
      if (job.kind === "purge" && answer) faults.push(...sight.others.filter((name) => gone(name)));
      assert.deepEqual(faults, [], `seed ${seed}\n${told.join("\n")}`);
      if (answer) return;
      if (job.kind === "purge") job = out();
    }
  };
  const gone = (name: string): boolean =>
    [...model.facts.values()].some(({ subject, departed }) => departed && name.includes(subject));
  const out = (): Job => ({ kind: "purge", out: place.path(`destroyed-${told.length}`) });
  const end = (facts: Facts[], days: number) => {
    const date = dayText(utcDay(begun) - days);
    return run({ kind: "end", subjects: facts.map(({ subject }) => subject), date }, () => {
      for (const each of facts) each.ended = date;
    });
  };

  await run({ kind: "export" });
  const all = model.kept();
  assert.equal(all.length, PEOPLE);
  const [yesterday, before, held] = [all.slice(0, 5), all.slice(5, 10), [all[0]!, all[6]!]];
  await run({ kind: "place", subjects: held.map(({ subject }) => subject), case: "AZ 1" }, () => {
    for (const { holds } of held) holds.add("AZ 1");
  });
  await end(yesterday, 1);
  await end(before, 2);

  // The lock is the server's: a bare client with every right is refused too. It can hide the object, which frees nothing.
  const [locked] = [...model.sight.objects].filter(
    ([key]) => key.includes(yesterday[1]!.subject) && key.startsWith("records/"),
  );
  const [id] = locked![1].keys();
  const Key = `${CLIENT}/${locked![0]}`;
  await assert.rejects(client.send(new DeleteObjectCommand({ Bucket: url.host, Key, VersionId: id })));
  await client.send(new DeleteObjectCommand({ Bucket: url.host, Key }));

  while (now() < begun + LIFE) {
    await delay(random.integer(200, 900));
    const kind = random.weighted([
      ["purge", 60],
      ["extend", 15],
      ["reopen", 10],
      ["end", 15],
    ] as const);
    if (kind === "purge") await run(out());
    else if (kind === "extend") await run({ kind });
    else if (model.kept().length > 0) {
      const facts = random.pick(model.kept());
      if (kind === "end") await end([facts], random.integer(1, 2));
      else
        await run({ kind, subjects: [facts.subject] }, () => {
          facts.ended = undefined;
        });
    }
  }
  ending = true;
  await run({ kind: "release", subjects: held.map(({ subject }) => subject), case: "AZ 1" }, () => {
    for (const { holds } of held) holds.delete("AZ 1");
  });
  await run(out());
  const { value } = (await machine.run({ at: undefined, job: { kind: "verify" } })) ?? {};
  // A lock of seconds may end while verify looks, of those whose relationship lasts.
  const found: { what: string }[] = value?.found ?? assert.fail("verify was not done");
  assert.deepEqual(
    found.filter(({ what }) => !/its lock ended at/.test(what)),
    [],
  );
  assert.ok(model.gone.size > 0);
  t.diagnostic(`${model.gone.size} versions destroyed, ${machine.kills} kills`);
  client.destroy();
});
