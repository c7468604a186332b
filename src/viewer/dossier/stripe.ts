import { type Answers, below, fromUnixSeconds, items, members, rowsIn, text, valueRows } from "./answers.ts";
import type { DossierView, FileName, ProviderCheck } from "./dossier.ts";

/** What one report checks, in the order a person looks at it. A check that was not asked for is absent. */
const PARTS = ["document", "selfie", "id_number", "email", "phone"] as const;

type Members = Readonly<Record<string, unknown>>;

/** The session with what it asked for, and the checks of every attempt, the newest first. */
export function stripe(answers: Answers): DossierView {
  const reports = answers.listed("GET /identity/verification_reports", "data");
  const sessions = answers.of("GET /identity/verification_sessions/{id}");
  const files = new Map<string, FileName>();
  for (const report of reports) for (const [id, name] of filesOf(report)) if (!files.has(id)) files.set(id, name);
  return {
    checks: [
      ...sessions.map(sessionOf),
      ...reports.flatMap((report, at) => checksOf(report, reports.length, reports.length - at)),
    ],
    fileName: (id) => files.get(id),
  };
}

function sessionOf(session: Members): ProviderCheck {
  const { status, last_error: error, redaction, options, created } = session;
  return {
    heading: "Verification session",
    id: text(session.id),
    rows: [
      ...valueRows(["status"], status),
      ...valueRows(["created_at"], fromUnixSeconds(created)),
      ...valueRows(["last_error"], error),
      ...valueRows(["redaction"], redaction),
      ...Object.entries(members(options)).flatMap(([part, of]) => {
        const path = [`asked_for_${part}`];
        return below({ path, value: null }, rowsIn(path, of));
      }),
    ],
  };
}

function checksOf(report: Members, attempts: number, attempt: number): ProviderCheck[] {
  return PARTS.flatMap((name): ProviderCheck[] => {
    const part = members(report[name]);
    const { code, reason } = members(part.error);
    if (Object.keys(part).length === 0) return [];
    return [
      {
        heading: "Check",
        name,
        rows: [
          ...valueRows(["result"], part.status),
          ...valueRows(["reason"], reason),
          ...valueRows(["error_code"], code),
          ...valueRows([name === "document" ? "document_type" : "type"], part.type),
          ...valueRows(["attempt"], attempts > 1 ? `${attempt} of ${attempts}` : null),
          ...valueRows(["created_at"], fromUnixSeconds(report.created)),
        ],
      },
    ];
  });
}

/** Stripe does not say which side a picture shows: it has an order of them only. */
function filesOf(report: Members): [string, FileName][] {
  const { files, type } = members(report.document);
  const { selfie, document } = members(report.selfie);
  const of = text(type) ?? "document";
  const named = [
    ...items(files).map((file, at): [unknown, FileName] => [file, { of, title: `picture ${at + 1}` }]),
    [selfie, { title: "Selfie" }] as [unknown, FileName],
    [document, { of, title: "compared with the selfie" }] as [unknown, FileName],
  ];
  return named.flatMap(([file, name]): [string, FileName][] => {
    const id = text(file) ?? text(members(file).id);
    return id === null ? [] : [[id, name]];
  });
}
