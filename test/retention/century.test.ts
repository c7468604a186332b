import { describe, test } from "node:test";
import { makeWorkplace } from "../export/workplace.ts";

import { dayOf, startOf } from "./century/calendar.ts";
import { Life, type LifeOptions } from "./century/life.ts";
import { World } from "./century/world.ts";

/**
 * A century in two vaults of fifty years each. HOLDFAST_CENTURY=<people>:<seed> runs all hundred years in one vault,
 * with that many people and more days in between: `npm run soak` uses thousands.
 */
const [people, seed = 1] = (process.env.HOLDFAST_CENTURY ?? "").split(":").map(Number);

const CENTURY: (LifeOptions & { people: number })[] = [
  { people: 60, seed: 1, from: 2027, to: 2077, pace: 8, kills: 30, cools: false },
  { people: 60, seed: 2, from: 2077, to: 2127, pace: 8, kills: 30, cools: true },
];
const LIVES = people ? [{ people, seed, from: 2027, to: 2127, pace: 3, kills: 30, cools: seed % 2 === 0 }] : CENTURY;

describe("a simulated century: everything that must be there is there, and nothing else", { concurrency: 2 }, () => {
  for (const { people: count, ...options } of LIVES) {
    test(`${options.from} to ${options.to}, ${count} people, seed ${options.seed}`, async (t) => {
      const [from, to] = [options.from, options.to].map((year) => startOf(dayOf(`${year}-01-01`)));
      await using world = new World(options.seed, count, from!, to!);
      await world.listen();
      await using place = await makeWorkplace(world, {});
      const life = new Life(place, world, options);
      await life.live();
      t.diagnostic(JSON.stringify(life.counts));
    });
  }
});
