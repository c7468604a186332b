/** Every personal string, id and secret that the sandbox can answer: none may appear outside a sealed object. */
import { course, personOf } from "./course.ts";
import { bareId, personaId } from "./id.ts";
import { SELFIE } from "./inquiry.ts";
import { ATTACHED, CENTER, LEFT, page, RIGHT, VIDEO } from "./slot.ts";
import { tokenMark } from "./token.ts";
import type { World } from "./world.ts";

const SHORTEST = 6; // a shorter name can appear in random ciphertext by chance

export function canaries(world: World, indexes: Iterable<number>, apiKey: string): string[] {
  const found = new Set<string>([apiKey, tokenMark(world.seed)]);
  for (const index of indexes) {
    const person = personOf(world, index);
    for (const name of [person.given, person.family, person.printedGiven, person.printedFamily]) found.add(name);
    found.add(`${person.given} ${person.family}`);
    found.add(`${person.printedGiven} ${person.printedFamily}`);
    for (const text of [person.email, person.customer, person.ip, person.address]) found.add(text);
    const id = (kind: string, at = 0, of = index) => found.add(personaId(world.seed, kind, of, at));
    for (const kind of ["inq", "self", "iqse", "dev", "rep", "case", "cscm"]) id(kind);
    for (const kind of ["iqse", "dev"]) id(kind, 1);
    id("act", 0, world.base(index));
    id("rep", 1, world.base(index));
    id("ver", SELFIE);
    const files = [LEFT, CENTER, RIGHT, VIDEO, ATTACHED];
    for (const [at, document] of person.documents.entries()) {
      found.add(document.number);
      id("doc", at);
      id("ver", at);
      for (let number = 1; number <= document.pages; number++) {
        id("docf", page(at, number));
        files.push(page(at, number));
      }
    }
    for (let capture = 0; capture <= course(world, index).fate.recaptured; capture++) {
      for (const slot of files) found.add(bareId(world.seed, "file", index, slot + 64 * capture));
    }
  }
  return [...found].filter((text) => Buffer.byteLength(text) >= SHORTEST);
}
