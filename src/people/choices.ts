import type { Catalog } from "../catalog/catalog.ts";
import { firstFew } from "../observe/first-few.ts";
import { sourceOf } from "./customer.ts";

/** Several verifications that one detail matches, a line each: the log has enough of them to tell them apart. */
export function choices(subjects: readonly string[], catalog: Catalog): string[] {
  const { first, more } = firstFew(subjects, "--all-matches takes all");
  return [...first.map((subject) => choice(subject, catalog)), ...(more ? [more] : [])];
}

/** `<token>: stripe, record of 2026-03-01, at the provider` */
function choice(subject: string, catalog: Catalog): string {
  const { version = "", gone = null } = catalog.subjects.known(subject) ?? {};
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)T/.exec(version) ?? [];
  const ended = catalog.relationships.ended(subject);
  const states = [
    gone === null ? "at the provider" : `gone at the provider (${gone})`,
    ...(ended === undefined ? [] : [`relationship ended on ${ended}`]),
  ];
  return `${subject}: ${sourceOf(catalog, subject)}, record of ${year}-${month}-${day}, ${states.join(", ")}`;
}
