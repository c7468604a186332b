/** Every personal string, id and secret that the sandbox can answer: none may appear outside a sealed object. */
import { course, personOf } from "./course.ts";
import { veriffId } from "./id.ts";
import type { Shelf } from "./shelf.ts";
import type { World } from "./world.ts";

const SHORTEST = 6; // a shorter name can appear in random ciphertext by chance

export function canaries(world: World, shelf: Shelf, indexes: Iterable<number>, apiKey: string): string[] {
  const found = new Set<string>([apiKey]);
  for (const index of indexes) {
    const person = personOf(world, index);
    for (const name of [person.given, person.family, person.printedGiven, person.printedFamily]) found.add(name);
    found.add(`${person.given} ${person.family}`);
    found.add(`${person.printedGiven} ${person.printedFamily}`);
    for (const text of [person.email, person.customer, person.ip, person.address]) found.add(text);
    for (const { number, mrz } of person.documents) for (const text of [number, ...mrz]) found.add(text);
    for (const kind of ["session", "endUser"] as const) found.add(veriffId(world.seed, kind, index));
    for (const attempt of course(world, index).attempts.keys()) {
      found.add(veriffId(world.seed, "attempt", index, attempt));
      for (const medium of shelf.of(index, attempt)) found.add(shelf.id(medium));
    }
  }
  return [...found].filter((text) => Buffer.byteLength(text) >= SHORTEST);
}
