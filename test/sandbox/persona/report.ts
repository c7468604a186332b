/** Reports: a watchlist for each finished inquiry; for some accounts a continuous one, which no inquiry names. */
import { Random } from "../random.ts";
import { course, personOf, time } from "./course.ts";
import { personaId } from "./id.ts";
import type { Telling } from "./telling.ts";
import { absent, one, type Reference, type Wire } from "./wire.ts";
import type { World } from "./world.ts";

const WATCHLIST = 0;
const ADVERSE_MEDIA = 1;

/** The reports that an inquiry names. */
export function reportsOf(world: World, index: number): Reference[] {
  if (course(world, index).captured === undefined) return [];
  return [{ type: "report/watchlist", id: personaId(world.seed, "rep", index, WATCHLIST) }];
}

/** The reports of an account: those of its inquiries and its continuous one. */
export function accountReports(world: World, base: number): string[] {
  const ids = world.inquiriesOf(base).flatMap((index) => reportsOf(world, index).map(({ id }) => id));
  return hasContinuous(world, base) ? [...ids, personaId(world.seed, "rep", base, ADVERSE_MEDIA)] : ids;
}

const hasContinuous = (world: World, base: number) =>
  world.base(base) === base && world.has(base) && new Random(world.seed, 250, base).chance(20);

function shared(world: World, index: number, redacted: number | undefined, match: boolean, continuous: boolean) {
  const { created, captured, fate } = course(world, index);
  const start = captured ?? created;
  const completed = Math.max(start + 20_000, Math.floor((fate.reported ?? 0) / 1000) * 1000);
  return {
    status: "ready",
    "created-at": time(start),
    "completed-at": time(completed),
    "redacted-at": time(redacted),
    "report-template-version-name": "v1",
    "has-match": match,
    "is-continuous": continuous,
    "is-recurring": continuous,
    tags: [],
  };
}

export function makeReport(world: World, telling: Telling, index: number, at: number): Wire | undefined {
  const { captured, fate } = course(world, index);
  const base = world.base(index);
  const person = personOf(world, index);
  const continuous = at === ADVERSE_MEDIA;
  if (continuous ? !hasContinuous(world, index) : at !== WATCHLIST || captured === undefined) return undefined;
  const redacted = continuous ? world.fate(base).accountRedacted : world.childrenRedacted(index);
  const erased = redacted !== undefined;
  // A report that ran again finds a match and loses it in turn.
  const match = new Random(world.seed, 251, index, at).chance(4) !== (fate.report % 2 === 1);
  const name = `${person.printedGiven} ${person.printedFamily}`;
  const asked = {
    "name-first": erased ? null : person.given,
    "name-middle": null,
    "name-last": erased ? null : person.family,
    birthdate: erased ? null : person.birth,
    "country-code": erased ? null : person.state.code,
  };
  const found = {
    name: "Specimen sanctions",
    url: "https://lists.example.org/specimen-sanctions",
    "list-type": "sanction",
    "list-types": ["sanction"],
    slug: "specimen-sanctions",
    "flag-code": "UN",
    entities: [{ name, "alias-type": "primary", birthdates: [] }],
  };
  const article = {
    akas: telling.shuffle([person.family, `${person.given} ${person.family}`]),
    birthdates: [person.birth],
    "match-types": ["name_exact"],
    media: [
      {
        date: "2019-06-11",
        snippet: `Regulator names ${name}`,
        url: `https://news.example.net/archive/${person.index}`,
        title: `Regulator names ${person.family}`,
      },
    ],
    name,
    sources: [],
    "entity-id": `specimen-${person.index}`,
  };
  const listed = match && !erased;
  const account = one("account", personaId(world.seed, "act", base));
  return {
    type: continuous ? "report/adverse-media" : "report/watchlist",
    id: personaId(world.seed, "rep", index, at),
    attributes: {
      ...shared(world, index, redacted, match, continuous),
      ...asked,
      ...(continuous
        ? { term: erased ? "" : name, "related-sources": listed ? [article] : [], "ignore-list-entity": [] }
        : { term: erased ? null : name, "matched-lists": listed ? [found] : [], "ignore-list": [] }),
    },
    relationships: {
      inquiry: continuous ? absent(1) : one("inquiry", personaId(world.seed, "inq", index)),
      account,
      transaction: absent(1),
      "report-template": one(
        continuous ? "report-template/adverse-media" : "report-template/watchlist",
        personaId(world.seed, "rptp", at),
      ),
    },
  };
}
