/** The applicant as the API shows it. */
import type { Person } from "../person.ts";
import { course, personOf, plain, type Wire } from "./course.ts";
import { sumsubId } from "./id.ts";
import { makeReview } from "./review.ts";
import type { World } from "./world.ts";

/** Members that need the right to personal data, and that an erasure takes away. */
const PERSONAL = [
  ...["email", "phone", "info", "fixedInfo", "metadata", "questionnaires", "notes", "agreement", "ipCountry", "lang"],
];

export function makeApplicant(world: World, index: number, showsPersonal = true): Wire {
  const { created, fate, isCompany, captured } = course(world, index);
  const person = personOf(world, index);
  const whole = {
    id: sumsubId(world.seed, "applicant", index),
    createdAt: plain(created),
    key: "SANDBOXKEY",
    clientId: "sandbox-client",
    inspectionId: sumsubId(world.seed, "inspection", index),
    externalUserId: person.customer,
    ...(captured ? { email: person.email } : {}),
    ...(fate.profile > 0 ? { phone: `+99900000000${fate.profile}` } : {}),
    applicantPlatform: index % 2 === 0 ? "Web" : "iOS",
    ipCountry: person.state.code,
    lang: person.language.slice(0, 2),
    type: isCompany ? "company" : "individual",
    ...(index % 4 === 0 ? { metadata: [{ key: "customer_id", value: person.customer }] } : {}),
    tags: captured ? [`batch-${index % 4}`] : [],
    sourceKey: "web",
    ...(captured
      ? {
          agreement: { createdAt: plain(created), source: "WebSDK", targets: ["constConsentEn_v1"] },
          info: isCompany ? companyInfo(person) : personInfo(person),
          ...(index % 3 === 2 && !isCompany ? { fixedInfo: { firstName: person.given, lastName: person.family } } : {}),
          questionnaires: [{ id: "funds", sections: { s: { items: { source: { value: "salary", values: null } } } } }],
        }
      : {}),
    requiredIdDocs: {
      docSets: [
        { idDocSetType: "IDENTITY", types: ["PASSPORT", "ID_CARD", "DRIVERS"] },
        { idDocSetType: "SELFIE", types: ["SELFIE"], videoRequired: "passiveLiveness" },
      ],
      ...(index % 6 === 2 ? { videoIdent: true } : {}),
    },
    review: makeReview(world, index),
    riskLabels: {},
    notes: fate.profile > 0 ? [{ note: `number ${fate.profile} was corrected`, createdAt: plain(created) }] : [],
    ...(fate.deactivated ? { deleted: true } : {}),
  };
  if (showsPersonal && !fate.redacted) return whole;
  return Object.fromEntries(Object.entries(whole).filter(([name]) => !PERSONAL.includes(name)));
}

function personInfo(person: Person): Wire {
  const [first] = person.documents;
  return {
    ...{ firstName: person.given, firstNameEn: person.printedGiven },
    ...{ lastName: person.family, lastNameEn: person.printedFamily },
    ...{ dob: person.birth, placeOfBirth: person.birthplace, country: first ? person.state.code : null },
    nationality: person.state.code,
    ...(person.sex === "unspecified" ? {} : { gender: person.sex === "male" ? "M" : "F" }),
    addresses: [
      {
        ...{ street: person.address, town: person.city, postCode: "AB1 2CD", country: person.state.code },
        formattedAddress: `${person.address}, ${person.city}, ${person.state.name}`,
      },
    ],
    idDocs: person.documents.map(({ type, number, issued, expiry, mrz }) => ({
      idDocType: { PASSPORT: "PASSPORT", NATIONAL_ID_CARD: "ID_CARD", DRIVERS_LICENSE: "DRIVERS" }[type],
      ...{ country: person.state.code, firstName: person.printedGiven, lastName: person.printedFamily },
      ...{ issuedDate: issued, validUntil: expiry, number, dob: person.birth },
      ...Object.fromEntries(mrz.map((line, at) => [`mrzLine${at + 1}`, line])),
    })),
  };
}

function companyInfo(person: Person): Wire {
  return {
    companyInfo: {
      ...{ companyName: `${person.printedFamily} Holding`, registrationNumber: person.customer },
      ...{ country: person.state.code, legalAddress: `${person.address}, ${person.city}`, email: person.email },
      beneficiaries: [],
    },
  };
}
