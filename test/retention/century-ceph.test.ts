import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";

import { CLIENT, makeWorkplace } from "../export/workplace.ts";
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
/**
 * How many seconds this life lasts after everything is recorded, and for how many of them an ended relationship is
 * kept.
 */
const LIFE = 18;
const YESTERDAY = 14;

const now = (): number => Date.now() / 1000;

/**
 * Locks in a bucket end by the server's own clock, so this life lasts seconds: periods of seconds, real kills, real
 * time. It shows that the server keeps what is locked or held, and that a purge, even a killed one, removes every
 * version and delete marker of what is due and nothing else. Years, months and zones are tested by the directory's
 * century, whose locks end by a clock that can be set.
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
  await using place = await makeWorkplace(world, { vault: "ceph" });
  const url = new URL((await place.client()).vault.url);
  const client = s3Client();
  const look = () => lookInto(client, url.host, url.pathname.slice(1));
  assert.equal(url.pathname, `/${CLIENT}`);
  const law: Law = {
    identifying: { keep: "PT100H", from: "relationship-end" },
    verification: { keep: "PT4S", from: "exported" },
    files: { keep: "PT7S", from: "exported" },
    ...{ zone: "UTC", minimum: undefined, coolingOff: undefined, initialLock: "PT4S", extendWhenLessThan: "PT2S" },
  };
  const configure = async ({ identifying, verification, files, zone, initialLock, extendWhenLessThan }: Law) => {
    const clocks = { keep: identifying.keep, from: identifying.from, classes: { identifying, verification, files } };
    await place.configure({ retention: { ...clocks, timezone: zone, initialLock, extendWhenLessThan } });
  };
  await configure(law);
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

  const versionOf = ({ subject }: Facts): [key: string, version: string] => {
    const found = [...model.sight.objects].find(([key]) => key.startsWith("records/") && key.includes(subject))!;
    return [`${CLIENT}/${found[0]}`, [...found[1].keys()][0]!];
  };

  await run({ kind: "export" });
  const all = model.kept();
  assert.equal(all.length, PEOPLE);
  const [yesterday, before, held, long] = [all.slice(0, 5), all.slice(5, 10), [all[0]!, all[6]!], all[10]!];
  await run({ kind: "place", subjects: held.map(({ subject }) => subject), case: "AZ 1" }, () => {
    for (const { holds } of held) holds.add("AZ 1");
  });
  // These rules lock for days. The server refuses to delete, even for a bare client with every right.
  await end([long], 1);
  const [Key, VersionId] = versionOf(long);
  await assert.rejects(client.send(new DeleteObjectCommand({ Bucket: url.host, Key, VersionId })));
  const over = now() + YESTERDAY;
  const keep = `PT${Math.round(over - startOf(utcDay(begun)))}S`;
  model.law = { ...law, identifying: { keep, from: "relationship-end" } };
  await configure(model.law);
  await end(yesterday, 1);
  await end(before, 2);
  // Anyone who can write can hide an object behind a delete marker. A purge removes that too.
  await client.send(new DeleteObjectCommand({ Bucket: url.host, Key: versionOf(yesterday[1]!)[0] }));

  const until = now() + LIFE;
  while (now() < until) {
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
  // Locks of seconds may end during verify, for people whose relationship lasts.
  const found: { what: string }[] = value?.found ?? assert.fail("verify was not done");
  assert.deepEqual(
    found.filter(({ what }) => !/its lock ended at/.test(what)),
    [],
  );
  assert.ok(model.gone.size > PEOPLE);
  assert.ok(model.keysOf(long.subject).length > 0);
  t.diagnostic(`${model.gone.size} versions destroyed, ${machine.kills} kills`);
  client.destroy();
});
