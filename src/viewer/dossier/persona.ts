import { type Answers, below, items, members, rowsIn, text, valueRows } from "./answers.ts";
import type { CheckRow, DossierView, FileName, ProviderCheck } from "./dossier.ts";

type Members = Readonly<Record<string, unknown>>;

/** A verification's own outcome; its other attributes are what it read, and so data points. */
const OUTCOME =
  /^(status|.*-at|.*-at-ts|.*-score(-.*)?|entity-confidence-reasons|capture-method|from-reusable-persona)$/;
/** A report's search terms, which are data points of the inquiry. */
const SEARCHED = /^(name-.*|birthdate|country-code|has-match|status|tags|redacted-at|.*-at-ts)$/;

/** Verifications with each of their checks, reports, and the cases in which a person decided. */
export function persona(answers: Answers): DossierView {
  const inquiry = answers.listed("GET /inquiries/{inquiry-id}", "included");
  const reports = [...inquiry, ...answers.listed("GET /reports", "data")].filter(isOf("report"));
  const cases = answers.of("GET /cases/{case-id}").map(({ data }) => members(data));
  const files = filesOf(answers);
  return {
    checks: [
      ...inquiry.filter(isOf("verification")).toSorted(documentFirst).map(verification),
      ...new Map(reports.map((each) => [each.id, report(each)])).values(),
      ...cases.map(caseOf),
    ],
    fileName: (id, resource) => files.get(resource) ?? faceName(id),
    isTold: (type, name) => type.startsWith("verification/") && OUTCOME.test(name),
  };
}

const isOf =
  (kind: string) =>
  ({ type }: Members): boolean =>
    typeof type === "string" && type.startsWith(`${kind}/`);

const wordOf = ({ type }: Members): string => String(type).slice(String(type).indexOf("/") + 1);

/** Persona has no order of them. */
const ORDER = ["government-id", "document", "selfie"];

function documentFirst(one: Members, other: Members): number {
  const place = (each: Members) => (ORDER.includes(wordOf(each)) ? ORDER.indexOf(wordOf(each)) : ORDER.length);
  return place(one) - place(other);
}

function verification(resource: Members): ProviderCheck {
  const { checks, ...said } = members(resource.attributes);
  const others = Object.entries(said).filter(([name]) => name !== "status" && OUTCOME.test(name) && !/-ts$/.test(name));
  return {
    heading: "Verification",
    name: wordOf(resource),
    id: text(resource.id),
    rows: [
      ...valueRows(["result"], said.status),
      ...below({ path: ["checks"], value: null }, items(checks).flatMap(checkRows)),
      ...others.flatMap(([name, value]) => valueRows([name], value)),
    ],
  };
}

function checkRows(check: unknown): CheckRow[] {
  const { name, status, reasons, metadata } = members(check);
  const path = ["checks", text(name) ?? "check"];
  return below({ path, value: text(status) }, [...valueRows([...path, "reason"], reasons), ...rowsIn(path, metadata)]);
}

function report(resource: Members): ProviderCheck {
  const { "has-match": match, ...said } = members(resource.attributes);
  const others = Object.entries(said).filter(([name]) => !SEARCHED.test(name));
  return {
    heading: "Report",
    name: wordOf(resource),
    id: text(resource.id),
    rows: [
      ...valueRows(["result"], match === true ? "match" : match === false ? "no_match" : null),
      ...valueRows(["status"], said.status),
      ...others.flatMap(([name, value]) => valueRows([name], value)),
    ],
  };
}

function caseOf(resource: Members): ProviderCheck {
  const said = members(resource.attributes);
  const names = ["resolution", "status", "created-at", "resolved-at"];
  return {
    heading: "Case",
    name: text(said.name) ?? undefined,
    id: text(resource.id),
    rows: names.flatMap((name) => valueRows([name], said[name])),
  };
}

const CLASSES: Readonly<Record<string, string>> = { pp: "passport", dl: "driving_licence", id: "identity_card" };

/** Which document a file is of, and its side. */
function filesOf(answers: Answers): Map<string, FileName> {
  const found = new Map<string, FileName>();
  for (const { data, included } of answers.of("GET /documents/{document-id}")) {
    const document = members(data);
    const kind = text(members(document.attributes)["id-class"]);
    const of = kind !== null && Object.hasOwn(CLASSES, kind) ? CLASSES[kind]! : wordOf(document);
    for (const file of items(included).map(members)) {
      const [id, side] = [text(file.id), text(members(file.attributes).name)];
      const title = side === "front" || side === "back" ? side : "";
      if (id !== null) found.set(id, { of, title, group: text(document.id) ?? undefined });
    }
  }
  return found;
}

function faceName(id: string): FileName | undefined {
  const [, side] = /\/photo-urls\/(left|right|center)_photo\//.exec(id) ?? [];
  return side === undefined ? undefined : { title: side === "center" ? "Selfie" : `Selfie, ${side}` };
}
