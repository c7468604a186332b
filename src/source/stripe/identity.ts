import type { Identity } from "../../core/identity.ts";
import { object } from "../answer.ts";
import { dayOf, type Members, told, type VerificationReport, type VerificationSession } from "./answers.ts";

/** A session and its reports, the newest first, in words that do not depend on the provider. */
export function identityOf(session: VerificationSession, reports: readonly VerificationReport[]): Identity {
  const { members, last } = session;
  const outputs = object(members.verified_outputs);
  const status = told(members.status) ?? "unknown";
  const named = [outputs, object(last.document), object(last.id_number)];
  const name = (which: string): string | null => named.map((part) => told(part[which])).find((text) => text) ?? null;
  return {
    id: session.id,
    status,
    verified: verdict(status, members),
    created: session.created,
    updated: session.updated,
    owner: {
      email: told(outputs.email) ?? told(object(members.provided_details).email),
      firstName: name("first_name"),
      lastName: name("last_name"),
    },
    score: null,
    documents: [
      datapoints("verified_outputs", outputs),
      ...reports.flatMap(({ members: report }) => {
        const document = object(report.document);
        return [
          datapoints(told(document.type) ?? "document", document),
          datapoints("id_number", object(report.id_number)),
          datapoints("email", object(report.email)),
          datapoints("phone", object(report.phone)),
        ];
      }),
    ].filter(({ datapoints: points }) => Object.keys(points).length > 0),
    metadata: {
      ...plain(object(members.metadata)),
      client_reference_id: told(members.client_reference_id),
      related_customer: told(members.related_customer),
    },
    watchlist: null,
    network: null,
  };
}

/** Someone who has failed may still try again, but until then the answer is no. */
function verdict(status: string, { last_error: error }: Members): boolean | null {
  if (status === "verified") return true;
  return status === "requires_input" && told(object(error).code) !== null ? false : null;
}

const NOT_READ = ["files", "error", "status", "type"];

function datapoints(type: string, part: Members): Identity["documents"][number] {
  const read = Object.entries(part).filter(([name]) => !NOT_READ.includes(name));
  const points = Object.entries(plain(Object.fromEntries(read)));
  // Lookups know a document's number by this name.
  return {
    type,
    datapoints: Object.fromEntries(
      points.map(([name, value]) => [name === "number" ? "document_number" : name, value]),
    ),
  };
}

/** Texts, numbers, and days as 1990-05-31; an address member by member. Without what is missing or redacted. */
function plain(part: Members): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(part).flatMap(([name, value]): [string, unknown][] => {
      if (typeof value === "number" || typeof value === "boolean") return [[name, value]];
      if (typeof value === "string") return told(value) === null ? [] : [[name, value]];
      const day = dayOf(value);
      if (day !== null) return [[name, day]];
      if ("year" in object(value)) return [];
      return Object.entries(plain(object(value))).map(([inner, text]) => [`${name}_${inner}`, text]);
    }),
  );
}
