import { HoldfastError } from "../../core/error.ts";
import type { Identity } from "../../core/identity.ts";
import { scalarText } from "../../io/exact-json.ts";
import { list, object, word } from "../answer.ts";
import { type Members, timeOf } from "./answers.ts";
import { APPLICANT } from "./calls.ts";
import { comparable } from "./content.ts";
import type { Gathering } from "./gathering.ts";
import { lastTime, statusOf, verdict } from "./state.ts";

/** An applicant, and what belongs to it, in words that do not depend on the provider. */
export function identityOf(applicant: Members, { amlCase, network }: Gathering): Identity {
  const created = timeOf(applicant.createdAt);
  const updated = lastTime(applicant);
  // It names the version, and a retention period may count from it.
  if (created === null || updated === null)
    throw new HoldfastError("source-response", `${APPLICANT}: missing or malformed fields: createdAt`);
  const [info, fixed] = [object(applicant.info), object(applicant.fixedInfo)];
  const company = object(info.companyInfo);
  return {
    id: word(applicant.id)!,
    status: statusOf(applicant),
    verified: verdict(applicant),
    ...{ created, updated },
    owner: {
      email: word(applicant.email) ?? word(info.email) ?? word(company.email),
      firstName: word(info.firstName) ?? word(fixed.firstName),
      lastName: word(info.lastName) ?? word(fixed.lastName) ?? word(company.companyName),
    },
    score: null,
    documents: documentsOf(applicant, info),
    metadata: metadataOf(applicant),
    watchlist: amlCase === null ? null : comparable(amlCase),
    network: networkOf(applicant, network),
  };
}

/** What was read from documents; what the person or the client said goes first. */
function documentsOf(applicant: Members, info: Members): Identity["documents"] {
  const idDocs = list(info.idDocs).map((entry) => {
    const { number, idDocType, ...others } = object(entry);
    const points = { ...(isPlain(number) ? { document_number: number } : {}), ...plain(others) };
    return { type: word(idDocType) ?? "document", datapoints: points };
  });
  const { phone, fixedInfo } = applicant;
  const addresses = list(info.addresses).map((address) => ({ type: "address", datapoints: plain(object(address)) }));
  return [
    { type: "applicant", datapoints: { ...plain({ phone }), ...plain(object(fixedInfo)), ...plain(info) } },
    { type: "company", datapoints: plain(object(info.companyInfo)) },
    ...addresses,
    ...idDocs,
  ].filter(({ datapoints }) => Object.keys(datapoints).length > 0);
}

/** The client's own names for people, under which they are looked up, and what it noted about them. */
function metadataOf({
  metadata,
  externalUserId,
  sourceKey,
  tags,
  agreement,
}: Members): Readonly<Record<string, unknown>> {
  const entries = list(metadata).flatMap((entry) => {
    const { key, value } = object(entry);
    return word(key) === null ? [] : [[key as string, value] as const];
  });
  const own = { externalUserId, sourceKey, tags: comparable(tags), agreement: comparable(agreement) };
  const said = Object.entries(own).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries([...entries, ...said]);
}

function networkOf({ ipCountry, applicantPlatform }: Members, { checks }: Members): unknown {
  const said = { ...plain({ ipCountry, applicantPlatform }), ...(list(checks).length > 0 ? { checks } : {}) };
  return Object.keys(said).length === 0 ? null : comparable(said);
}

const plain = (members: Members): Members =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => isPlain(value)));

const isPlain = (value: unknown): boolean => typeof value === "boolean" || (scalarText(value) ?? "") !== "";
