import type { Identity } from "../../core/identity.ts";
import { scalarText } from "../../io/exact-json.ts";
import { latest, list, object, word } from "../answer.ts";
import { type Attempt, type Decision, type Members, timeIn } from "./answers.ts";
import { comparable } from "./content.ts";
import type { Gathering } from "./gathering.ts";

/** A result that no one changes any more, unless by hand: Veriff's webhooks tell of that. */
const ENDED = ["approved", "declined", "expired", "abandoned"];

/** Whether more is to come: there is no result, or the person was asked to try again. */
export function isOpen({ verification }: Decision): boolean {
  return !ENDED.includes(String(verification?.status));
}

/** A session and its attempts in words that do not depend on the provider. */
export function identityOf(id: string, decision: Decision, gathering: Gathering, now: Temporal.Instant): Identity {
  const verification = decision.verification ?? {};
  const { attempts, person } = gathering;
  const read = object(verification.person);
  const named = (name: string): string | null => word(read[name]) ?? word(person[name]);
  const times = [...attempts.map(({ created }) => created), timeIn(verification.acceptanceTime)];
  return {
    id,
    status: word(verification.status) ?? statusOf(attempts),
    verified: verdict(verification.status),
    created: earliest(times),
    updated: updatedAt(verification, attempts) ?? monthOf(now),
    // Veriff asks for no e-mail address.
    owner: { email: null, firstName: named("firstName"), lastName: named("lastName") },
    // It has a score of risk only.
    score: null,
    documents: documentsOf(verification, person),
    metadata: { vendorData: word(verification.vendorData), endUserId: word(verification.endUserId) },
    watchlist: watchlistOf(gathering),
    network: networkOf(decision.members.technicalData),
  };
}

/** The newest attempt's; `created` where the person has not begun. */
function statusOf(attempts: readonly Attempt[]): string {
  const last = latest(attempts.map(({ created }) => created));
  const newest = attempts.find(({ created }) => created === last) ?? attempts.at(0);
  return newest ? (word(newest.members.status) ?? "unknown") : "created";
}

function verdict(status: unknown): boolean | null {
  return status === "approved" ? true : status === "declined" ? false : null;
}

/**
 * When something last happened that minimal and full dossiers both know of. Ongoing screening is not part of it: it
 * changes the content, and says nothing about when the person was verified.
 */
function updatedAt(verification: Members, attempts: readonly Attempt[]): string | null {
  return latest([
    ...[verification.decisionTime, verification.submissionTime, verification.acceptanceTime].map(timeIn),
    ...attempts.flatMap(({ created, members }) => [
      created,
      ...list(members.userDefinedData).map((status) => timeIn(object(status).createdAt)),
    ]),
  ]);
}

/**
 * Veriff names no time at all of a session that no one opened. It names the version, so it must not move with each
 * request; it may count for retention, so it must not be long ago. Such a session expires within days.
 */
function monthOf(now: Temporal.Instant): string {
  return now.toZonedDateTimeISO("UTC").with({ day: 1 }).startOfDay().toInstant().toString();
}

function earliest(times: readonly (string | null)[]): string | null {
  const known = times.filter((time) => time !== null).map((time) => Temporal.Instant.from(time));
  return known.sort(Temporal.Instant.compare).at(0)?.toString() ?? null;
}

/** What was read from the document of the last attempt, and of the person. */
function documentsOf(verification: Members, person: Members): Identity["documents"] {
  const { number, ...document } = object(verification.document);
  const read = object(verification.person);
  const [address] = list(read.addresses).map(object);
  const found = [
    // Lookups know a document's number by this name.
    { type: word(document.type) ?? "document", datapoints: plain({ document_number: number, ...document }) },
    { type: "person", datapoints: plain({ ...read, fullAddress: address?.fullAddress }) },
    { type: "person", datapoints: plain(person) },
    { type: "additional", datapoints: plain(object(verification.additionalVerifiedData)) },
  ].filter(({ datapoints }) => Object.keys(datapoints).length > 0);
  return [...new Map(found.map((each) => [JSON.stringify(comparable(each)), each])).values()];
}

function plain(members: Members): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => typeof value === "boolean" || (scalarText(value) ?? "") !== ""),
  );
}

function watchlistOf({ watchlist, person }: Gathering): unknown {
  const matches = list(person.pepSanctionMatches);
  if (watchlist === null && matches.length === 0) return null;
  return { screening: comparable(watchlist), pepSanctionMatches: comparable(matches) };
}

function networkOf(technicalData: unknown): unknown {
  const ip = word(object(technicalData).ip);
  return ip === null ? null : { ip };
}
