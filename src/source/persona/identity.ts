import * as z from "zod";
import type { Identity } from "../../core/identity.ts";
import { checked, list, object, plainId, time, word } from "../answer.ts";
import { type Resource, related, timeOf } from "./answers.ts";
import { INQUIRY } from "./calls.ts";
import { comparable } from "./content.ts";
import { type Datapoints, fieldDatapoints, fieldText, isPlain } from "./fields.ts";

/** What status `completed` says: all verifications are done, and whether that is a pass is for the client to say. */
export type Completed = "verified" | "undecided";

const inquirySchema = z.object({ id: plainId, attributes: z.object({ "updated-at": time }) });

/** An inquiry, and what belongs to it, in words that do not depend on the provider. */
export function identityOf(inquiry: Resource, resources: readonly Resource[], completed: Completed): Identity {
  const { id, attributes } = checked(INQUIRY, inquirySchema, inquiry.raw);
  const fields = object(inquiry.attributes.fields);
  const kept = resources.map((resource) => ({ ...resource, attributes: object(comparable(resource.attributes)) }));
  const of = (kind: string): Resource[] =>
    kept.filter(({ type }) => type === kind || type.startsWith(`${kind}/`)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const account = object(of("account").at(0)?.attributes.fields);
  const [verifications, documents] = [of("verification"), of("document")];
  const read = [...verifications, ...documents].map(({ attributes: said }) => said);
  const said = (name: string): string | null => read.map((values) => word(values[name])).find((text) => text) ?? null;
  const status = word(inquiry.attributes.status) ?? "unknown";
  return {
    id,
    status,
    verified: verdict(status, completed),
    created: timeOf(inquiry, "created-at"),
    updated: attributes["updated-at"],
    owner: {
      email: fieldText(fields, "emailaddress") ?? fieldText(account, "emailaddress"),
      firstName: fieldText(fields, "namefirst") ?? fieldText(account, "name", "first") ?? said("name-first"),
      lastName: fieldText(fields, "namelast") ?? fieldText(account, "name", "last") ?? said("name-last"),
    },
    score: score(verifications),
    documents: [
      ...verifications.map(datapoints),
      ...documents.map(datapoints),
      ...fieldDatapoints("inquiry", fields),
      ...fieldDatapoints("account", account),
    ],
    metadata: {
      reference_id: word(inquiry.attributes["reference-id"]),
      account_id: related(inquiry, "account").at(0)?.id ?? null,
      tags: list(inquiry.attributes.tags)
        .filter((tag) => typeof tag === "string")
        .sort(),
      note: word(inquiry.attributes.note),
      template: [...related(inquiry, "inquiry-template"), ...related(inquiry, "template")].at(0)?.id ?? null,
    },
    watchlist: described(of("report")),
    network: described(of("inquiry-session")),
  };
}

function verdict(status: string, completed: Completed): boolean | null {
  if (status === "approved" || (status === "completed" && completed === "verified")) return true;
  return status === "declined" || status === "failed" ? false : null;
}

/** The lowest of the verifications: the whole is as sure as its weakest part. */
function score(verifications: readonly Resource[]): number | null {
  const scores = verifications
    .map(({ attributes }) => attributes["entity-confidence-score"])
    .filter((value) => typeof value === "number" && value >= 0 && value <= 100)
    .map((value) => Math.round((value as number) * 10_000) / 1_000_000);
  return scores.length === 0 ? null : Math.min(...scores);
}

function datapoints({ type, attributes }: Resource): Datapoints {
  const plain = Object.entries(attributes).filter(([name, value]) => !name.endsWith("-url") && isPlain(value));
  return { type, datapoints: Object.fromEntries(plain) };
}

function described(resources: readonly Resource[]): unknown {
  if (resources.length === 0) return null;
  return resources.map(({ type, id, attributes }) => ({ type, id, ...attributes }));
}
