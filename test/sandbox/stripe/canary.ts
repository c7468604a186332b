/** Every personal string, id and secret that the sandbox can answer: none may appear outside a sealed object. */

import { phoneOf } from "./checks.ts";
import { course, personOf } from "./course.ts";
import { stripeId } from "./id.ts";
import { secretMark } from "./secret.ts";
import { selfieOf, slotsOf } from "./slot.ts";
import type { World } from "./world.ts";

const SHORTEST = 6; // a shorter name can appear in random ciphertext by chance

export function canaries(world: World, indexes: Iterable<number>, apiKey: string): string[] {
  const found = new Set<string>([apiKey, secretMark(world.seed)]);
  for (const index of indexes) {
    const person = personOf(world, index);
    for (const name of [person.given, person.family, person.printedGiven, person.printedFamily]) found.add(name);
    found.add(`${person.given} ${person.family}`);
    found.add(`${person.printedGiven} ${person.printedFamily}`);
    for (const text of [person.email, person.customer, person.address, phoneOf(world, index)]) found.add(text);
    for (const { number } of person.documents) found.add(number);
    found.add(stripeId(world.seed, "vs", index));
    for (const attempt of course(world, index).attempts.keys()) {
      found.add(stripeId(world.seed, "vr", index, attempt));
      for (const slot of [...slotsOf(world, index, attempt), selfieOf(attempt)])
        found.add(stripeId(world.seed, "file", index, slot));
    }
  }
  return [...found].filter((text) => Buffer.byteLength(text) >= SHORTEST);
}
