/** What else the API has of an applicant: images, AML, checks, actions, video calls. */
import { course, MINUTE, personOf, plain, type Wire } from "./course.ts";
import { imageId, sumsubId } from "./id.ts";
import type { Shelf } from "./shelf.ts";
import type { World } from "./world.ts";

export const CHECKS = [
  "TIN",
  "EMAIL_CONFIRMATION",
  "PHONE_CONFIRMATION",
  "IP_CHECK",
  "POA",
  "COMPANY",
  "SIMILAR_SEARCH",
];

const SIDES = ["FRONT_SIDE", "BACK_SIDE"];

/** Every image ever sent, with those that are no longer active. */
export function makeResources(world: World, shelf: Shelf, index: number): Wire {
  const { created } = course(world, index);
  const items = shelf.images(index).map((at) => {
    const { slot, idDocType, page, capture } = shelf.shown(index, at);
    const { mediaType, size } = shelf.body(index, at);
    const fileType = mediaType.split("/")[1]!;
    const isPicture = mediaType.startsWith("image/");
    return {
      id: imageId(world.seed, index, at),
      ...(isPicture ? { previewId: imageId(world.seed, index, at + 256) } : {}),
      addedDate: plain(created + (capture + 1) * MINUTE),
      fileMetadata: {
        ...{ fileName: `${slot}.${fileType}`, fileType, fileSize: size },
        ...(isPicture ? { resolution: { width: 3024, height: 4032 } } : {}),
      },
      idDocDef: {
        ...{ country: personOf(world, index).state.code, idDocType },
        ...(page === undefined ? {} : { idDocSubType: SIDES[page - 1] }),
      },
      reviewResult: { reviewAnswer: "GREEN" },
      attemptId: sumsubId(world.seed, "attempt", index, capture + 1),
      source: { liveness: "liveness", selfie: "liveness", bill: "fileupload" }[slot as string] ?? "docapture",
      deactivated: !shelf.isActive(index, at),
    };
  });
  return { items, totalItems: items.length };
}

/** The most recent active case; undefined for people who were not screened. */
export function makeAmlCase(world: World, index: number): Wire | undefined {
  const { status, fate, reviewed, created } = course(world, index);
  if (fate.redacted || !(fate.aml > 0 || (status === "completed" && index % 3 !== 1))) return undefined;
  const { printedGiven, printedFamily } = personOf(world, index);
  const hits = Array.from({ length: fate.aml + (index % 6 === 0 ? 1 : 0) }, (_, at) => ({
    id: sumsubId(world.seed, "hit", index, at),
    name: `${printedGiven} ${printedFamily}`,
    types: ["pep"],
    review: { answer: "NONE" },
  }));
  return {
    id: sumsubId(world.seed, "case", index),
    createdAt: plain(reviewed ?? created),
    ...{ targetEntityType: "applicant", targetEntityId: sumsubId(world.seed, "applicant", index) },
    vendorAttribution: "Powered by a vendor",
    ongoingMonitoring: { enabled: true },
    review: { answer: hits.length === 0 ? "GREEN" : "YELLOW" },
    riskLabels: hits.length === 0 ? [] : ["pep"],
    hits,
  };
}

/** The last check of one kind, in a list of at most one. */
export function makeChecks(world: World, shelf: Shelf, index: number, type: string): Wire {
  const { captured, isCompany, fate, created } = course(world, index);
  const { email, ip, customer, state } = personOf(world, index);
  const hasBill = shelf.images(index).some((at) => shelf.shown(index, at).slot === "bill");
  const found: Readonly<Record<string, Wire | false>> = {
    EMAIL_CONFIRMATION: { inputInfo: { email } },
    IP_CHECK: { ipInfo: { ip, countryCode3: state.code } },
    TIN: index % 3 === 1 && { tinInfo: { tin: customer } },
    POA: hasBill && { poaInfo: { match: true } },
    COMPANY: isCompany && { companyInfo: { registrationNumber: customer } },
  };
  const said = captured && !fate.redacted && found[type];
  return { checks: said ? [{ checkType: type, answer: "GREEN", createdAt: plain(created + MINUTE), ...said }] : [] };
}

export function makeAction(world: World, shelf: Shelf, index: number, at: number): Wire {
  const { created } = course(world, index);
  const done = plain(created + (at + 20) * MINUTE);
  return {
    id: sumsubId(world.seed, "action", index, at),
    createdAt: done,
    ...{ clientId: "sandbox-client", externalActionId: `action-${at}`, type: "paymentSource" },
    applicantId: sumsubId(world.seed, "applicant", index),
    review: { reviewStatus: "completed", createDate: `${done}+0000`, reviewResult: { reviewAnswer: "GREEN" } },
    images: [
      {
        ...{ addedDate: done, imageId: imageId(world.seed, index, shelf.imageOf(at)), mimeType: "image/png" },
        ...{
          imageFileName: "card.png",
          idDocDef: { idDocType: "PAYMENT_SOURCE", country: personOf(world, index).state.code },
        },
        answer: "GREEN",
      },
    ],
  };
}

export function makeInspection(world: World, index: number): Wire {
  const { called, fate } = course(world, index);
  const id = sumsubId(world.seed, "inspection", index);
  if (called === undefined || fate.redacted) return { id };
  const compositions = [
    {
      compositionCreatedAt: plain(called),
      ...{ compositionDuration: 300, compositionMediaId: sumsubId(world.seed, "media", index) },
    },
  ];
  return { id, videoIdentData: { reviewStatus: "completed", moderatorDisplayName: "Sandbox Operator", compositions } };
}

/** Results of AllDocs, where it is used. */
export function makeAllDocs(world: World, index: number): Wire | undefined {
  const { captured, fate } = course(world, index);
  if (!captured || fate.redacted || index % 9 !== 4) return undefined;
  return { docs: [{ docType: "BANK_STATEMENT", fields: { holder: personOf(world, index).printedFamily } }] };
}

/** All that the API shows of one applicant. */
export function everythingOf(world: World, shelf: Shelf, index: number, applicant: Wire): readonly unknown[] {
  return [
    applicant,
    makeResources(world, shelf, index),
    ...[makeAmlCase(world, index), makeAllDocs(world, index)].filter((part) => part !== undefined),
    ...CHECKS.map((type) => makeChecks(world, shelf, index, type)),
    ...shelf.actions(index).map((at) => makeAction(world, shelf, index, at)),
    makeInspection(world, index),
  ];
}
