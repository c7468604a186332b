/** What a session checks, and the values that only Stripe asks for. */
import type { Document } from "../person.ts";
import { Random } from "../random.ts";
import { personOf } from "./course.ts";
import type { World } from "./world.ts";

/** What a session asks for besides the document. */
export interface Checks {
  readonly selfie: boolean;
  readonly idNumber: boolean;
  readonly email: boolean;
  readonly phone: boolean;
}

export function checksOf(world: World, index: number): Checks {
  const random = new Random(world.seed, 330, index);
  return { selfie: !random.chance(8), idNumber: random.chance(15), email: random.chance(20), phone: random.chance(10) };
}

export const documentOf = (world: World, index: number, attempt: number): Document => {
  const { documents } = personOf(world, index);
  return documents[attempt % documents.length]!;
};

/** The last four digits of a number that no one has: 900 to 999 was never given out. */
export const idNumberOf = (world: World, index: number): string =>
  `9${new Random(world.seed, 331, world.base(index)).integer(100, 999)}`;

export const phoneOf = (world: World, index: number): string =>
  `+12025550${new Random(world.seed, 332, world.base(index)).integer(100, 199)}`;
