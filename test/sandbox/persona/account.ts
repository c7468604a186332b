/** An account: one person's, over all inquiries of that person. Its fields have keys with underscores, and are nested. */
import { course, personOf, time } from "./course.ts";
import { personaId } from "./id.ts";
import { CENTER } from "./slot.ts";
import type { Telling } from "./telling.ts";
import { one, type Wire } from "./wire.ts";
import type { World } from "./world.ts";

export function makeAccount(world: World, telling: Telling, base: number): Wire | undefined {
  const members = world.inquiriesOf(base);
  if (world.base(base) !== base || members.length === 0) return undefined;
  const { created, fate } = course(world, base);
  const person = personOf(world, base);
  const gone = fate.accountRedacted !== undefined;
  const text = (value: string | null, type = "string") => ({ type, value: gone ? null : value });
  const pictured = gone
    ? undefined
    : members.find((i) => course(world, i).captured !== undefined && world.childrenRedacted(i) === undefined);
  const numbers = person.documents.map(({ type, number }) => ({
    type: "hash",
    value: {
      identification_class: {
        type: "string",
        value: { PASSPORT: "pp", NATIONAL_ID_CARD: "id", DRIVERS_LICENSE: "dl" }[type],
      },
      identification_number: { type: "string", value: number },
      issuing_country: { type: "string", value: person.state.code },
    },
  }));
  return {
    type: "account",
    id: personaId(world.seed, "act", base),
    attributes: {
      "reference-id": gone ? null : person.customer,
      "account-type-name": "User",
      "created-at": time(created),
      "updated-at": time(Math.max(created, Math.floor((fate.accountUpdated ?? 0) / 1000) * 1000)),
      "redacted-at": time(fate.accountRedacted),
      fields: {
        name: { type: "hash", value: { first: text(person.given), middle: text(null), last: text(person.family) } },
        address: {
          type: "hash",
          value: {
            street_1: text(person.address + " (moved)".repeat(fate.account)),
            street_2: text(null),
            subdivision: text(null),
            city: text(person.city),
            postal_code: text(null),
            country_code: text(person.state.code),
          },
        },
        identification_numbers: { type: "array", value: gone ? [] : telling.shuffle(numbers) },
        birthdate: text(person.birth, "date"),
        phone_number: text(null),
        email_address: text(person.email),
        selfie_photo: {
          type: "file",
          value: pictured === undefined ? null : telling.file({ index: pictured, slot: CENTER }),
        },
      },
      tags: [],
      "account-status": "default",
    },
    relationships: { "account-type": one("account-type", personaId(world.seed, "acttp", 0)) },
  };
}
