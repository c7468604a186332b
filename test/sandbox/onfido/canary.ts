/** Every personal string, id and secret that the sandbox can answer: none may appear outside a sealed object. */
import { personOf } from "./course.ts";
import { KINDS, onfidoId } from "./id.ts";
import type { Credentials } from "./keys.ts";
import { taskIds } from "./run.ts";
import { secretMark } from "./secret.ts";
import { captureOf, type Shelf } from "./shelf.ts";
import type { World } from "./world.ts";

const SHORTEST = 6; // a shorter name can appear in random ciphertext by chance

export function canaries(world: World, shelf: Shelf, indexes: Iterable<number>, credentials: Credentials): string[] {
  const found = new Set<string>([credentials.apiKey, credentials.clientSecret, secretMark(world.seed)]);
  for (const index of indexes) {
    const person = personOf(world, index);
    for (const name of [person.given, person.family, person.printedGiven, person.printedFamily]) found.add(name);
    found.add(`${person.given} ${person.family}`);
    found.add(`${person.printedGiven} ${person.printedFamily}`);
    for (const text of [person.email, person.customer, person.ip, person.address]) found.add(text);
    for (const { number, mrz } of person.documents) for (const text of [number, ...mrz]) found.add(text);
    for (const kind of KINDS) if (kind !== "workflow") found.add(onfidoId(world.seed, kind, index));
    for (const at of shelf.documents(index)) {
      found.add(onfidoId(world.seed, "document", index, at));
      found.add(onfidoId(world.seed, "live_photo", index, captureOf(at)));
    }
    for (let at = 0; at < 6; at++) found.add(onfidoId(world.seed, "report", index, at));
    for (const id of taskIds(world, index)) found.add(id);
  }
  return [...found].filter((text) => Buffer.byteLength(text) >= SHORTEST);
}
