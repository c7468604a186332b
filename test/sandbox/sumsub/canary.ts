/** Every personal string, id and secret that the sandbox can answer: none may appear outside a sealed object. */
import { personOf } from "./course.ts";
import { imageId, KINDS, sumsubId } from "./id.ts";
import type { Shelf } from "./shelf.ts";
import type { Credentials } from "./token.ts";
import type { World } from "./world.ts";

const SHORTEST = 6; // a shorter name can appear in random ciphertext by chance

export function canaries(world: World, shelf: Shelf, indexes: Iterable<number>, { apiKey }: Credentials): string[] {
  const found = new Set<string>([apiKey]);
  for (const index of indexes) {
    const person = personOf(world, index);
    for (const name of [person.given, person.family, person.printedGiven, person.printedFamily]) found.add(name);
    found.add(`${person.given} ${person.family}`);
    found.add(`${person.printedGiven} ${person.printedFamily}`);
    for (const text of [person.email, person.customer, person.ip, person.address]) found.add(text);
    for (const { number, mrz } of person.documents) for (const text of [number, ...mrz]) found.add(text);
    for (const kind of KINDS) found.add(sumsubId(world.seed, kind, index));
    for (const at of shelf.actions(index)) found.add(sumsubId(world.seed, "action", index, at));
    for (const at of [...shelf.images(index), ...shelf.actions(index).map((each) => shelf.imageOf(each))])
      found.add(imageId(world.seed, index, at));
  }
  return [...found].filter((text) => Buffer.byteLength(text) >= SHORTEST);
}
