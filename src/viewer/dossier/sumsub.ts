import { type Answers, items, members, rowsIn, text, valueRows } from "./answers.ts";
import type { CheckRow, DossierView, FileName, ProviderCheck } from "./dossier.ts";

type Members = Readonly<Record<string, unknown>>;

const APPLICANT = "GET /resources/applicants/{applicantId}";
const AML_CASE = "GET /resources/api/applicants/{applicantId}/amlCase";
const CHECKS = ["TIN", "EMAIL_CONFIRMATION", "PHONE_CONFIRMATION", "IP_CHECK", "POA", "SIMILAR_SEARCH", "COMPANY"];

/** The review and those before it, its steps, then AML, the other checks and later actions. */
export function sumsub(answers: Answers): DossierView {
  const [review = {}] = answers.of(`${APPLICANT}/status`);
  const earlier = answers
    .listed(`${APPLICANT}/review/history`, "items")
    .filter(({ attemptId }) => text(attemptId) !== null && attemptId !== review.attemptId);
  const steps = answers.of(`${APPLICANT}/requiredIdDocsStatus`).flatMap((all) => Object.entries(all));
  const files = new Map<string, FileName>();
  for (const image of answers.listed(`${APPLICANT}/metadata/resources`, "items")) {
    const { idDocType, idDocSubType } = members(image.idDocDef);
    const side = { FRONT_SIDE: "front", BACK_SIDE: "back" }[String(idDocSubType)] ?? "";
    const title = [side, ...(image.deactivated === true ? ["of an earlier attempt"] : [])].filter(Boolean).join(", ");
    add(files, image.id, { of: text(idDocType) ?? "document", title });
  }
  const actions = answers.listed("GET /resources/applicantActions/-;applicantId={applicantId}", "items");
  for (const image of actions.flatMap(({ images }) => items(images).map(members)))
    add(
      files,
      image.imageId ?? image.id,
      { of: text(members(image.idDocDef).idDocType) ?? "document", title: "of an action" },
      "action/",
    );
  return {
    checks: [
      ...(Object.keys(review).length === 0 ? [] : [reviewOf(review)]),
      ...earlier.map(reviewOf),
      ...steps.map(([name, step]) => stepOf(name, members(step))),
      ...answers.of(AML_CASE).map(amlCase),
      ...CHECKS.flatMap((type) => answers.listed(`GET /resources/checks/latest?type=${type}`, "checks")).map(checkOf),
      ...actions.map(actionOf),
    ].filter(({ rows }) => rows.length > 0),
    watchlistFrom: AML_CASE,
    fileName: (id) => files.get(id) ?? (id.startsWith("call/") ? { title: "Recording of the video call" } : undefined),
  };
}

function add(files: Map<string, FileName>, id: unknown, name: FileName, prefix = ""): void {
  if (typeof id === "string" || typeof id === "number") files.set(`${prefix}${id}`, name);
}

/** How a review ended, and why. */
function resultRows(result: unknown): CheckRow[] {
  const { reviewAnswer, reviewRejectType, rejectLabels, moderationComment, clientComment } = members(result);
  return [
    ...valueRows(["result"], reviewAnswer),
    ...valueRows(["reject_type"], reviewRejectType),
    ...valueRows(["reject_label"], rejectLabels),
    ...valueRows(["moderation_comment"], moderationComment),
    ...valueRows(["client_comment"], clientComment),
  ];
}

function reviewOf({ attemptId, levelName, reviewStatus, reviewResult, startDate, reviewDate }: Members): ProviderCheck {
  return {
    heading: "Review",
    name: text(levelName) ?? undefined,
    id: text(attemptId),
    rows: [
      ...resultRows(reviewResult),
      ...valueRows(["status"], reviewStatus),
      ...valueRows(["started_at"], startDate),
      ...valueRows(["reviewed_at"], reviewDate),
    ],
  };
}

function stepOf(name: string, { reviewResult, idDocType, country }: Members): ProviderCheck {
  const rows = [
    ...resultRows(reviewResult),
    ...valueRows(["document_type"], idDocType),
    ...valueRows(["country"], country),
  ];
  return { heading: "Step", name, rows };
}

function amlCase({
  id,
  review,
  createdAt,
  riskLabels,
  ongoingMonitoring,
  hits,
  vendorAttribution,
}: Members): ProviderCheck {
  return {
    heading: "AML case",
    id: text(id),
    endpoint: AML_CASE,
    rows: [
      ...valueRows(["result"], members(review).answer),
      ...valueRows(["created_at"], createdAt),
      ...valueRows(["risk_label"], riskLabels),
      ...valueRows(["ongoing_monitoring"], members(ongoingMonitoring).enabled),
      ...valueRows(["vendor"], vendorAttribution),
      ...valueRows(["hit"], hits),
    ],
  };
}

function checkOf({ checkType, answer, createdAt, ...others }: Members): ProviderCheck {
  const rows = [...valueRows(["result"], answer), ...valueRows(["created_at"], createdAt), ...rowsIn([], others)];
  return { heading: "Check", name: text(checkType) ?? undefined, rows };
}

function actionOf({ id, type, review, createdAt }: Members): ProviderCheck {
  const { reviewResult, reviewStatus } = members(review);
  const rows = [
    ...resultRows(reviewResult),
    ...valueRows(["status"], reviewStatus),
    ...valueRows(["created_at"], createdAt),
  ];
  return { heading: "Action", name: text(type) ?? undefined, id: text(id), rows };
}
