/** Every personal string that the sandbox can ever answer for an identity: none may appear outside a sealed object. */
import { makeIdentity } from "./identity.ts";
import { makePerson } from "./person.ts";
import type { Population } from "./population.ts";
import { makeResources } from "./resource.ts";

/**
 * Leaves out shorter strings: `Zoë` or `李` can appear in random ciphertext by chance. Such names are still covered as
 * part of the full name, the e-mail and the MRZ.
 */
const SHORTEST = 6;

export function canaries(population: Population, indexes: Iterable<number>, apiKey: string): string[] {
  const found = new Set<string>([apiKey]);
  for (const index of indexes) {
    const person = makePerson(population.seed, index);
    for (const name of [person.given, person.family, person.printedGiven, person.printedFamily]) found.add(name);
    found.add(`${person.given} ${person.family}`);
    found.add(`${person.printedGiven} ${person.printedFamily}`);
    for (const text of [person.email, person.customer, person.ip, person.address]) found.add(text);
    for (const document of person.documents) {
      found.add(document.number);
      for (const line of document.mrz) found.add(line);
    }
    found.add(makeIdentity(population, index).id);
    for (const resource of makeResources(population, index, true)) {
      found.add(resource.id);
      for (const file of resource.resource_files) found.add(file.id);
    }
  }
  return [...found].filter((text) => Buffer.byteLength(text) >= SHORTEST);
}
