/** The resources of one identity and their files. */
import { innerId } from "./id.ts";
import { course } from "./identity.ts";
import { type Document, makePerson, type Person } from "./person.ts";
import type { Population } from "./population.ts";
import { Random } from "./random.ts";
import type { WireFile, WireResource } from "./wire.ts";

/** Identifies a file: enough to draw it. */
export interface FileContent {
  readonly file: WireFile;
  readonly person: Person;
  /** None for the selfie video. */
  readonly document: Document | undefined;
  /** How often it was captured again; the bytes differ each time. */
  readonly recaptured: number;
}

function makeFile(
  population: Population,
  index: number,
  place: readonly [resource: number, page: number],
  times: { created: number; updated: number },
): WireFile {
  const video = place[1] === 0;
  return {
    id: innerId(population.seed, index, 2, ...place),
    type: video ? "face_video" : "document_image",
    page: video ? null : place[1],
    ...times,
  };
}

/** Documents first, then the selfie. Nothing before the capture; no files after a redaction, or if files are off. */
export function makeResources(population: Population, index: number, files: boolean): WireResource[] {
  const { status, created, updated, captured, fate } = course(population, index);
  if (!captured) return [];
  const random = new Random(population.seed, 13, index);
  const old = random.chance(10);
  const taken = created + random.integer(20, 80);
  const times = { created: taken, updated: taken + fate.recaptured * 1_801 };
  const { documents } = makePerson(population.seed, index);
  const kinds = [...documents.map(({ type, pages }) => ({ type, pages })), { type: "SELFIE_VIDEO", pages: 0 }];
  return kinds.map(({ type, pages }, at) => {
    const numbers = pages === 0 ? [0] : Array.from({ length: pages }, (_, page) => page + 1);
    return {
      id: innerId(population.seed, index, 1, at),
      status: status === "unverified" || status === "declined" ? "unverified" : "verified",
      ...(old ? { step: type } : { type }),
      created: taken,
      updated,
      resource_files:
        files && !fate.redacted ? numbers.map((page) => makeFile(population, index, [at, page], times)) : [],
      capture: { device: old ? "unknown" : "camera", attempts: random.integer(1, 3) },
    };
  });
}

/** The content behind a file id below a resource, if there is such a file. */
export function findFile(population: Population, index: number, resourceId: string, fileId: string) {
  const resources = makeResources(population, index, true);
  const at = resources.findIndex(({ id }) => id === resourceId);
  const file = resources[at]?.resource_files.find(({ id }) => id === fileId);
  if (!file) return undefined;
  const person = makePerson(population.seed, index);
  const content: FileContent = {
    file,
    person,
    document: person.documents[at],
    recaptured: population.fate(index).recaptured,
  };
  return content;
}
