/** Finds any object by its id, and what an answer includes beside it. */
import { makeAccount } from "./account.ts";
import { makeCase, makeCaseComment } from "./case.ts";
import { makeDocument, makeDocumentFile } from "./document.ts";
import { personaId, placeOf } from "./id.ts";
import { makeInquiry } from "./inquiry.ts";
import { makeReport } from "./report.ts";
import { makeDevice, makeSession } from "./session.ts";
import type { Telling } from "./telling.ts";
import { makeSelfie, makeVerification } from "./verification.ts";
import { one, references, type Wire } from "./wire.ts";
import type { World } from "./world.ts";

const template = (world: World): Wire => ({
  type: "inquiry-template",
  id: personaId(world.seed, "itmpl", 0),
  attributes: { status: "active", name: "Specimen KYC" },
  relationships: {
    "latest-published-version": one("inquiry-template-version", personaId(world.seed, "itmplv", 0)),
  },
});

export function findObject(world: World, telling: Telling, id: string): Wire | undefined {
  const place = placeOf(world.seed, id);
  if (!place) return undefined;
  const { kind, index, at } = place;
  if (kind === "itmpl") return index === 0 ? template(world) : undefined;
  if (kind === "act") return index < world.size ? makeAccount(world, telling, index) : undefined;
  if (!world.has(index)) return undefined;
  if (kind === "inq") return at === 0 ? makeInquiry(world, telling, index) : undefined;
  if (kind === "doc") return makeDocument(world, telling, index, at);
  if (kind === "docf") return makeDocumentFile(world, telling, index, at);
  if (kind === "ver") return makeVerification(world, telling, index, at);
  if (kind === "self") return makeSelfie(world, index);
  if (kind === "iqse") return makeSession(world, index, at);
  if (kind === "dev") return makeDevice(world, index, at);
  if (kind === "rep") return makeReport(world, telling, index, at);
  if (kind === "case") return makeCase(world, telling, index);
  return kind === "cscm" ? makeCaseComment(world, index) : undefined;
}

/** The relations that each kind of object can include. A second name after a dot goes one step further. */
const INCLUDABLE: Readonly<Record<string, string>> = {
  inq: "account documents selfies verifications reports sessions transaction reviewer inquiry-template inquiry-template-version template",
  doc: "inquiry template inquiry-template inquiry-template-version transaction document-files",
  ver: "inquiry template inquiry-template inquiry-template-version transaction document accounts",
  act: "account-type",
  rep: "inquiry account transaction report-template",
  case: "accounts case-comments case-template case-queue inquiries reports verifications txns",
};

export const includable = (kind: string): readonly string[] => (INCLUDABLE[kind] ?? "").split(" ").filter(Boolean);

/** The fault of an include parameter, or undefined. */
export function includeFault(kind: string, paths: readonly string[]): string | undefined {
  for (const path of paths) {
    const [first = "", second, third] = path.split(".");
    if (third !== undefined) return `include ${path} goes more than one level deep`;
    if (!includable(kind).includes(first)) return `include ${path} is not supported`;
    if (second !== undefined && !Object.values(INCLUDABLE).some((names) => names.split(" ").includes(second)))
      return `include ${path} is not supported`;
  }
  return undefined;
}

/** Each included object once. `permitted` leaves out kinds that the key may not read. */
export function included(
  world: World,
  telling: Telling,
  root: Wire,
  paths: readonly string[],
  permitted: (id: string) => boolean,
): Wire[] {
  const found = new Map<string, Wire>();
  const follow = (from: Wire, name: string): Wire[] =>
    references(from.relationships?.[name]).flatMap(({ id }) => {
      const object = found.get(id) ?? (permitted(id) ? findObject(world, telling, id) : undefined);
      if (object) found.set(id, object);
      return object ? [object] : [];
    });
  for (const path of paths) {
    const [first, second] = path.split(".");
    const near = follow(root, first!);
    if (second !== undefined) for (const object of near) follow(object, second);
  }
  found.delete(root.id);
  return telling.shuffle([...found.values()]);
}
