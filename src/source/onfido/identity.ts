import { HoldfastError } from "../../core/error.ts";
import type { Identity } from "../../core/identity.ts";
import { scalarText } from "../../io/exact-json.ts";
import { list, object, word } from "../answer.ts";
import { newestFirst, type Resource, timeOf } from "./answers.ts";
import { APPLICANT } from "./calls.ts";
import { comparable } from "./content.ts";
import { outputsOf } from "./files.ts";
import type { Gathering } from "./gathering.ts";
import { lastTime } from "./open.ts";

interface Datapoints {
  readonly type: string;
  readonly datapoints: Readonly<Record<string, unknown>>;
}

/** An applicant, and what belongs to it, in words that do not depend on the provider. */
export function identityOf(applicant: Resource, gathering: Gathering): Identity {
  const { runs, checks, reports, tasks, monitors, consents } = gathering;
  const { said } = applicant;
  const updated = lastTime(applicant, runs, checks);
  // It names the version, and a retention period may count from it.
  if (updated === null || timeOf(applicant, "created_at") === null)
    throw new HoldfastError("source-response", `${APPLICANT}: missing or malformed fields: created_at`);
  const outputs = [...runs, ...tasks].flatMap(({ said: { output } }) => outputsOf(output));
  const profiles = profilesOf(runs, tasks);
  const profile = (name: string): string | null =>
    profiles.map((part) => word(part[name])).find((text) => text) ?? null;
  return {
    id: applicant.id,
    status: statusOf(runs, checks),
    verified: verdict(runs, checks),
    created: timeOf(applicant, "created_at"),
    updated,
    owner: {
      email: word(said.email) ?? profile("email"),
      firstName: word(said.first_name) ?? profile("first_name"),
      lastName: word(said.last_name) ?? profile("last_name"),
    },
    score: null,
    documents: documentsOf(applicant, reports, outputs),
    metadata: {
      customer_user_id: word(newestFirst(runs).at(0)?.said.customer_user_id),
      customer_user_ids: words(runs.map((run) => run.said.customer_user_id)),
      tags: words([...runs, ...checks].flatMap((one) => list(one.said.tags))),
      consents: comparable(consents),
    },
    watchlist: described([...reports.filter(isOf("watchlist")), ...monitors]),
    network: networkOf(said.location, reports.filter(isOf("device_intelligence"))),
  };
}

/**
 * What the applicant said of themselves. Other tasks name other people: those whom a watchlist has. Of a run's output its
 * top says who the applicant is.
 */
function profilesOf(runs: readonly Resource[], tasks: readonly Resource[]): Readonly<Record<string, unknown>>[] {
  const ofTasks = tasks.filter(({ said }) => word(said.task_def_id)?.startsWith("profile"));
  const ofRuns = runs.map(({ said }) => object(said.output));
  const inRuns = ofRuns.flatMap((output) =>
    Object.entries(output).flatMap(([name, part]) => (name.startsWith("profile") ? outputsOf(part) : [])),
  );
  return [...ofTasks.flatMap(({ said }) => outputsOf(said.output)), ...inRuns, ...ofRuns];
}

const isOf =
  (kind: string) =>
  ({ said }: Resource): boolean =>
    word(said.name)?.startsWith(kind) ?? false;

/** The newest run's status, else the newest check's with its result. */
function statusOf(runs: readonly Resource[], checks: readonly Resource[]): string {
  const run = newestFirst(runs).at(0);
  if (run) return word(run.said.status) ?? "unknown";
  const check = newestFirst(checks).at(0);
  if (!check) return "none";
  return [word(check.said.status) ?? "unknown", ...(word(check.said.result) ? [check.said.result] : [])].join("/");
}

/**
 * The newest run that decided, else the newest check that did. `review` and `consider` leave the decision to a person.
 * Later attempts that the applicant gave up decide nothing.
 */
function verdict(runs: readonly Resource[], checks: readonly Resource[]): boolean | null {
  for (const { said } of newestFirst(runs)) {
    if (said.status === "approved") return true;
    if (said.status === "declined") return false;
    if (said.status === "review") return null;
  }
  const decided = newestFirst(checks).find(({ said }) => said.status === "complete");
  return decided?.said.result === "clear" ? true : null;
}

/** What reports read from documents. In Studio, reports are in the outputs of runs and tasks, some of them in both. */
function documentsOf(
  applicant: Resource,
  reports: readonly Resource[],
  outputs: readonly Readonly<Record<string, unknown>>[],
): Datapoints[] {
  const read = [
    ...newestFirst(reports)
      .filter(isOf("document"))
      .map(({ said }) => said),
    ...outputs.filter(({ properties }) => isDocument(object(properties))),
  ].map(({ name, properties }) => {
    const { document_numbers: numbers, nfc, extracted_data: _, ...others } = object(properties);
    const [number, ...more] = list(numbers).flatMap((entry) => scalarText(object(entry).value) || []);
    const points = { ...(number === undefined ? {} : { document_number: number }), ...plain(others) };
    const type = word(object(properties).document_type) ?? word(name) ?? "document";
    return [
      { type, datapoints: points },
      ...more.map((value) => ({ type, datapoints: { document_number: value } })),
      { type: "nfc", datapoints: plain(object(nfc)) },
    ];
  });
  const numbers = list(applicant.said.id_numbers).map((entry) => ({
    type: word(object(entry).type) ?? "id_number",
    datapoints: { id_number: object(entry).value },
  }));
  const all = [{ type: "applicant", datapoints: plain(applicant.said) }, ...numbers, ...read.flat()];
  const found = all.filter(({ datapoints }) => Object.values(datapoints).some((value) => isPlain(value)));
  return [...new Map(found.map((each) => [JSON.stringify(comparable(each)), each])).values()];
}

const isDocument = (properties: Readonly<Record<string, unknown>>): boolean =>
  ["document_numbers", "document_number", "document_type", "mrz_line1"].some((name) => Object.hasOwn(properties, name));

const LEFT_OUT = ["id", "href", "created_at", "delete_at", "sandbox"];

function plain(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).filter(([name, value]) => isPlain(value) && !LEFT_OUT.includes(name)),
  );
}

const isPlain = (value: unknown): boolean => typeof value === "boolean" || (scalarText(value) ?? "") !== "";

const words = (values: readonly unknown[]): string[] =>
  [...new Set(values.flatMap((value) => word(value) ?? []))].sort();

function described(resources: readonly Resource[]): unknown {
  if (resources.length === 0) return null;
  return newestFirst(resources).map(({ said }) => comparable(said));
}

function networkOf(location: unknown, devices: readonly Resource[]): unknown {
  const place = object(comparable(location));
  if (Object.keys(place).length === 0 && devices.length === 0) return null;
  return { location: place, devices: described(devices) ?? [] };
}
