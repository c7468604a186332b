import { type Answers, below, members, rowsIn, text, valueRows } from "./answers.ts";
import type { CheckRow, DossierView, FileName, ProviderCheck } from "./dossier.ts";

type Members = Readonly<Record<string, unknown>>;

/** Runs with what their tasks found, then checks with their reports; the newest first, as Onfido lists them. */
export function onfido(answers: Answers): DossierView {
  const runs = answers.listed("GET /workflow_runs", null);
  const tasks = answers.of("GET /workflow_runs/{workflow_run_id}/tasks/{task_id}");
  const checks = answers.listed("GET /checks", "checks");
  const reports = answers.listed("GET /reports", "reports");
  const documents = new Map(answers.listed("GET /documents", "documents").map((each) => [text(each.id), each]));
  // What a task found is also in the output of its run.
  const told = new Set<string>();
  const found = (output: unknown, name: string | undefined): ProviderCheck[] =>
    reportsIn(output).flatMap(([part, report]) => {
      const rows = reportRows(report);
      // The same report, saying the same: one that says otherwise is shown as well.
      const key = JSON.stringify([text(report.uuid), rows]);
      if (told.has(key)) return [];
      told.add(key);
      return [{ heading: "Task", name: name ?? part, rows }];
    });
  return {
    checks: [
      ...runs.flatMap((run) => [
        runOf(run),
        ...tasks
          .filter((task) => task.workflow_run_id === run.id)
          .flatMap((task) => found(task.output, text(task.task_def_id) ?? undefined)),
        ...found(run.output, undefined),
      ]),
      ...checks.flatMap((check) => [
        checkOf(check),
        ...reports
          .filter((report) => report.check_id === check.id)
          .map(
            (report): ProviderCheck => ({
              heading: "Report",
              name: text(report.name) ?? undefined,
              id: text(report.id),
              rows: reportRows(report),
            }),
          ),
      ]),
    ],
    fileName: (id) => fileName(id, documents),
  };
}

function runOf(run: Members): ProviderCheck {
  const said = ["status", "reasons", "error", "created_at", "updated_at"];
  return { heading: "Workflow run", id: text(run.id), rows: said.flatMap((name) => valueRows([name], run[name])) };
}

function checkOf(check: Members): ProviderCheck {
  const said = ["status", "created_at", "tags"];
  // Of all its reports, so it is not counted beside them.
  const rows = [
    ...valueRows(["overall_result"], check.result),
    ...said.flatMap((name) => valueRows([name], check[name])),
  ];
  return { heading: "Check", id: text(check.id), rows };
}

function reportRows({ result, sub_result, status, created_at, breakdown, properties }: Members): CheckRow[] {
  return [
    ...valueRows(["result"], result),
    ...valueRows(["sub_result"], sub_result),
    ...valueRows(["status"], status === "complete" ? null : status),
    ...valueRows(["created_at"], created_at),
    ...below({ path: ["breakdown"], value: null }, breakdownRows(["breakdown"], breakdown)),
    // What was read from a document is among the data points.
    ...(isDocument(properties)
      ? valueRows(["document_type"], members(properties).document_type)
      : valueRows(["properties"], properties)),
  ];
}

/** A tree of results. What was not looked at has none. */
function breakdownRows(path: readonly string[], breakdown: unknown, depth = 6): CheckRow[] {
  if (depth === 0) return [];
  return Object.entries(members(breakdown)).flatMap(([name, node]) => {
    const { result, breakdown: inner, properties, ...others } = members(node);
    const at = [...path, name];
    return below({ path: at, value: text(result) }, [
      ...breakdownRows(at, inner, depth - 1),
      ...rowsIn(at, properties),
      ...rowsIn(at, others),
    ]);
  });
}

/** The reports in a task's output, which is an object, a list or nothing; not the parts of their breakdowns. */
function reportsIn(output: unknown, name?: string, depth = 6): [string | undefined, Members][] {
  if (typeof output !== "object" || output === null || depth === 0) return [];
  const { breakdown, result } = members(output);
  if (!Array.isArray(output) && (breakdown !== undefined || text(result) !== null)) return [[name, members(output)]];
  return Object.entries(output).flatMap(([part, value]) => reportsIn(value, part, depth - 1));
}

function isDocument(properties: unknown): boolean {
  const names = ["document_numbers", "document_number", "document_type", "mrz_line1"];
  return names.some((name) => Object.hasOwn(members(properties), name));
}

const TITLES: Readonly<Record<string, string>> = {
  live_photos: "Live photo",
  live_videos: "Live video",
  motion_captures: "Motion capture",
  id_photos: "ID photo",
  signing_documents: "Document to sign",
  evidence: "Signed evidence of the workflow run",
};

function fileName(id: string, documents: ReadonlyMap<string | null, Members>): FileName | undefined {
  const [kind = "", of = "", part = ""] = id.split("/");
  if (kind !== "documents") return Object.hasOwn(TITLES, kind) ? { title: TITLES[kind]! } : undefined;
  const { type, side } = documents.get(of) ?? {};
  const word = text(type) ?? "document";
  const page = side === "front" || side === "back" ? side : "";
  const title = part === "nfc_face" ? "face from the chip" : part === "video" ? "video" : page;
  return { of: word, title, group: word };
}
