import { type Answers, below, items, members, rowsIn, text, valueRows } from "./answers.ts";
import type { CheckRow, DossierFile, DossierView, ProviderCheck } from "./dossier.ts";
import { shownBy } from "./veriff-media.ts";

type Members = Readonly<Record<string, unknown>>;

const SESSION = "GET /sessions/{id}";
const REGISTRIES = ["ine-registry", "curp-registry", "combined-ine-curp-registry"];

/** Members of a decision that have a place of their own on the page: the decision's first rows, data points, metadata. */
const ELSEWHERE = new Set([
  ...["id", "attemptId", "vendorData", "endUserId", "person", "document", "additionalVerifiedData"],
  ...["status", "code", "reason", "reasonCode", "acceptanceTime", "submissionTime", "decisionTime", "riskLabels"],
]);

/** The decision, then each attempt in its order with its media, screening, registries, and what is no single data point. */
export function veriff(answers: Answers, files: readonly DossierFile[]): DossierView {
  const [decision = {}] = answers.of(`${SESSION}/decision`).map(({ verification }) => members(verification));
  const [person = {}] = answers.of(`${SESSION}/person`).map((answer) => members(answer.person));
  const attempts = attemptsOf(answers, decision);
  const media = mediaOf(answers);
  const attemptOf = new Map(files.map(({ id, resource }) => [id, resource]));
  const ids = attempts.map(({ id }) => text(id));
  return {
    checks: [
      decisionOf(decision),
      ...attempts.map((attempt, at) => {
        const own = [...media].filter(([id]) => attemptOf.get(id) === text(attempt.id)).map(([, medium]) => medium);
        return attemptOfSession(attempt, at + 1, own);
      }),
      ...answers.of(`${SESSION}/watchlist-screening`).map(({ data }) => screeningOf(members(data))),
      matchesOf(person),
      ...REGISTRIES.flatMap((name) =>
        answers.of(`${SESSION}/decision/${name}`).map((answer) => registryOf(name, answer)),
      ),
      detailsOf("document", members(decision.document)),
      detailsOf("person", members(decision.person)),
      detailsOf("additional", members(decision.additionalVerifiedData)),
    ].filter(({ rows }) => rows.length > 0),
    fileName: (id, resource) => {
      const medium = media.get(id);
      if (medium === undefined) return undefined;
      const { place, ...name } = shownBy(medium.context, medium.isVideo);
      const at = ids.indexOf(resource);
      const title = [name.title, at >= 0 && ids.length > 1 ? `attempt ${at + 1}` : ""].filter(Boolean).join(", ");
      // The attempt that was decided on comes first.
      return { ...name, title, group: resource, place: (ids.length - at) * 100 + place };
    },
    tellsWatchlist: true,
  };
}

/** The attempts, each once, the oldest first. Veriff lists the newest first, some twice, and some without a time. */
function attemptsOf(answers: Answers, { attemptId }: Members): Members[] {
  const merged = new Map<string, Members>();
  for (const each of answers.listed(`${SESSION}/attempts`, "verifications").toReversed()) {
    const id = text(each.id);
    if (id !== null) merged.set(id, { ...merged.get(id), ...each });
  }
  const decided = text(attemptId);
  if (decided !== null && !merged.has(decided)) merged.set(decided, { id: decided });
  const time = ({ id, createdTime }: Members) => (id === decided ? "~" : (text(createdTime) ?? ""));
  return [...merged.values()].toSorted(
    (one, other) => Number(time(one) > time(other)) - Number(time(one) < time(other)),
  );
}

interface Medium {
  readonly context: unknown;
  readonly mimetype: unknown;
  readonly isVideo: boolean;
}

/** The media of all attempts by their ids. */
function mediaOf(answers: Answers): Map<string, Medium> {
  const found = new Map<string, Medium>();
  for (const kind of ["images", "videos", "nfcDocuments"])
    for (const { id, context, mimetype } of answers.listed("GET /attempts/{id}/media", kind))
      if (typeof id === "string" && !found.has(id)) found.set(id, { context, mimetype, isVideo: kind === "videos" });
  return found;
}

function decisionOf(decision: Members): ProviderCheck {
  const { status, code, reason, reasonCode, acceptanceTime, submissionTime, decisionTime, riskLabels } = decision;
  const others = Object.fromEntries(Object.entries(decision).filter(([name]) => !ELSEWHERE.has(name)));
  return {
    heading: "Decision",
    rows: [
      ...valueRows(["result"], status),
      ...valueRows(["reason"], reason),
      ...valueRows(["reason_code"], reasonCode),
      ...valueRows(["decision_code"], code),
      ...items(riskLabels).flatMap(riskLabel),
      ...rowsIn([], others),
      ...valueRows(["begun_at"], acceptanceTime),
      ...valueRows(["submitted_at"], submissionTime),
      ...valueRows(["decided_at"], decisionTime),
    ],
  };
}

function riskLabel(risk: unknown): CheckRow[] {
  const { label, ...others } = members(risk);
  return below({ path: ["risk_label"], value: text(label) ?? text(risk) }, rowsIn(["risk_label"], others));
}

function attemptOfSession(attempt: Members, number: number, media: readonly Medium[]): ProviderCheck {
  const { id, status, createdTime, userDefinedData } = attempt;
  const shown = media
    .map(({ context, mimetype, isVideo }) => ({ ...shownBy(context, isVideo), mimetype }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ of, title, mimetype }) => ({
      path: ["media", [of ?? "", title].filter(Boolean).join(", ")],
      value: text(mimetype) ?? "",
    }));
  return {
    heading: `Attempt ${number}`,
    id: text(id),
    rows: [
      ...valueRows(["status"], status),
      ...valueRows(["begun_at"], createdTime),
      ...valueRows(["status_set_by_the_client"], userDefinedData),
      ...below({ path: ["media"], value: null }, shown),
    ],
  };
}

function screeningOf({ matchStatus, totalHits, hits, searchTerm, ...others }: Members): ProviderCheck {
  const { attemptId, sessionId, vendorData, ...rest } = others;
  return {
    heading: "Watchlist screening",
    rows: [
      ...valueRows(["result"], matchStatus),
      ...valueRows(["total_hits"], totalHits),
      ...valueRows(["hit"], hits),
      ...valueRows(["search_term"], searchTerm),
      ...rowsIn([], rest),
    ],
  };
}

/** Politically exposed persons and sanctions, as the answer about the person has them. */
function matchesOf({ pepSanctionMatches }: Members): ProviderCheck {
  return { heading: "Watchlist screening", name: "person", rows: valueRows(["match"], pepSanctionMatches) };
}

function registryOf(name: string, { status, ...answer }: Members): ProviderCheck {
  return { heading: "Registry", name, rows: rowsIn([], answer) };
}

/** What is more than one value: addresses with their parts, and whatever an integration adds. Single values are data points. */
function detailsOf(name: string, of: Members): ProviderCheck {
  const nested = Object.entries(of).filter(([, value]) => typeof value === "object");
  const told = (inner: string, value: unknown) =>
    inner === "addresses" &&
    items(value).length === 1 &&
    Object.keys(members(items(value)[0])).join() === "fullAddress";
  const rows = nested.flatMap(([inner, value]) => (told(inner, value) ? [] : valueRows([inner], value)));
  return { heading: "Details", name, rows };
}
