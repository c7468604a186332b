/** Asks every endpoint of the sandbox for many people, before and after changes: what the judge validates. */
import type { Asking } from "../persona/asking.ts";
import { ask as request } from "./ask.ts";
import { type Onfido, startOnfido } from "./server.ts";
import { PARTS } from "./world.ts";

const PEOPLE = 60;

async function ask(sandbox: Onfido, path: string, headers?: Record<string, string>): Promise<Asking> {
  const response = await request(sandbox, path, headers);
  const name = path.split("?")[0]!.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z_]+_\d+$/g, "…");
  return { name, method: "GET", path, status: response.status, body: await response.json() };
}

async function* everything(sandbox: Onfido): AsyncGenerator<Asking> {
  yield await ask(sandbox, "/applicants?per_page=100&include_deleted=true");
  yield await ask(sandbox, "/workflow_runs");
  for (const id of sandbox.ids()) {
    for (const path of ["", "/consents"]) yield await ask(sandbox, `/applicants/${id}${path}`);
    const of = async function* (plural: string) {
      const listed = await ask(sandbox, `/${plural}?applicant_id=${id}`);
      yield listed;
      const rows = (Array.isArray(listed.body) ? listed.body : Object.values(listed.body as object)[0]) as {
        id: string;
      }[];
      for (const row of rows) yield await ask(sandbox, `/${plural}/${row.id}`);
    };
    for (const plural of ["documents", "live_photos", "live_videos", "motion_captures", "id_photos"]) yield* of(plural);
    yield* of("signing_documents");
    for await (const asking of of("checks")) {
      yield asking;
      const { id: check, report_ids: reports } = asking.body as { id?: string; report_ids?: string[] };
      if (check === undefined) continue;
      yield await ask(sandbox, `/reports?check_id=${check}`);
      for (const report of reports ?? []) yield await ask(sandbox, `/reports/${report}`);
    }
    for await (const asking of of("watchlist_monitors")) {
      yield asking;
      const { id: monitor } = asking.body as { id?: string };
      if (monitor !== undefined) yield await ask(sandbox, `/watchlist_monitors/${monitor}/matches`);
    }
    for await (const asking of of("workflow_runs")) {
      yield asking;
      const { id: run } = asking.body as { id?: string };
      if (run === undefined) continue;
      const tasks = await ask(sandbox, `/workflow_runs/${run}/tasks`);
      yield tasks;
      for (const task of tasks.body as { id: string }[])
        yield await ask(sandbox, `/workflow_runs/${run}/tasks/${task.id}`);
    }
  }
}

async function* refusals(sandbox: Onfido): AsyncGenerator<Asking> {
  const [id] = sandbox.ids();
  yield await ask(sandbox, "/applicants", { authorization: "Bearer wrong" });
  yield await ask(sandbox, `/applicants/${id}x`);
  yield await ask(sandbox, "/checks");
  sandbox.remove([0]);
  yield await ask(sandbox, `/applicants/${id}`);
  sandbox.setFaults({ limit: 1 });
  yield await ask(sandbox, "/applicants");
}

export async function* onfidoAnswers(): AsyncGenerator<Asking> {
  await using sandbox = await startOnfido({ identities: PEOPLE, plainImages: true });
  yield* everything(sandbox);
  for (const part of PARTS) sandbox.change(12, { part });
  sandbox.recapture([1, 2, 3]);
  sandbox.add(3);
  sandbox.remove([4]);
  yield* everything(sandbox);
  yield* refusals(sandbox);
}
