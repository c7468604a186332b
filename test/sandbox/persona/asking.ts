/** Asks every endpoint of the sandbox for many people, before and after changes: what the judge validates. */
import { ask as request } from "./ask.ts";

import { RIGHTS } from "./key.ts";
import { type Persona, startPersona } from "./server.ts";
import { references } from "./wire.ts";

export interface Asking {
  /** The endpoint, with its ids left out. */
  readonly name: string;
  readonly method: "GET" | "POST";
  /** Below the API's base. */
  readonly path: string;
  readonly status: number;
  readonly body: unknown;
}

const PEOPLE = 60;
const INCLUDE = "account,documents,selfies,verifications,reports,sessions,inquiry-template";
const DAY = 86_400_000;

async function ask(sandbox: Persona, path: string, body?: unknown, headers?: object): Promise<Asking> {
  const response = await request(sandbox, path, body, headers);
  const name = path.split("?")[0]!.replace(/[a-z]+_[1-9A-Za-z]{24}/g, "…");
  const method = body === undefined ? "GET" : "POST";
  return { name, method, path, status: response.status, body: await response.json() };
}

async function* everything(sandbox: Persona): AsyncGenerator<Asking> {
  for (const list of ["/inquiries", "/accounts", "/reports", "/cases", "/inquiry-sessions", "/events", "/api-keys"])
    yield await ask(sandbox, `${list}?page[size]=100`);
  yield await ask(sandbox, "/rate-limits");
  const query = { attribute: "updated_at", operator: "gte", value: "2020-01-01T00:00:00Z" };
  yield await ask(sandbox, "/inquiries/search", { query, sort: { attribute: "updated_at", direction: "asc" } });
  for (const id of sandbox.ids()) {
    yield await ask(sandbox, `/inquiries/${id}?include=${INCLUDE}`);
    yield await ask(sandbox, `/cases?filter[inquiry-id]=${id}`);
    yield await ask(sandbox, `/inquiry-sessions?filter[inquiry-id]=${id}`);
    const { relationships = {} } = sandbox.object(id)!;
    const of = (name: string) => references(relationships[name]).map((reference) => reference.id);
    for (const other of of("documents")) {
      yield await ask(sandbox, `/documents/${other}?include=document-files,inquiry`);
      yield await ask(sandbox, `/document/government-ids/${other}`);
    }
    for (const { type, id: other } of references(relationships.verifications)) {
      yield await ask(sandbox, `/verifications/${other}`);
      yield await ask(sandbox, `/${type}s/${other}`);
    }
    for (const other of of("reports")) yield await ask(sandbox, `/reports/${other}?include=inquiry,account`);
    for (const other of of("sessions")) yield await ask(sandbox, `/devices?filter[inquiry-session-id]=${other}`);
    for (const other of of("account")) {
      yield await ask(sandbox, `/accounts/${other}`);
      yield await ask(sandbox, `/reports?filter[account-id]=${other}`);
    }
  }
}

async function* refusals(sandbox: Persona): AsyncGenerator<Asking> {
  const [id] = sandbox.ids();
  yield await ask(sandbox, "/inquiries?include=account");
  yield await ask(sandbox, "/inquiries", undefined, { Authorization: "Bearer wrong" });
  yield await ask(sandbox, `/inquiries/${id}x`);
  sandbox.restrict({ addressAllowed: false });
  yield await ask(sandbox, "/inquiries");
  sandbox.restrict({ addressAllowed: true });
  sandbox.setFaults({ limit: 1 });
  yield await ask(sandbox, "/inquiries");
}

export async function* personaAnswers(): AsyncGenerator<Asking> {
  let now = Date.parse("2026-01-02T03:04:05Z");
  await using sandbox = await startPersona({ identities: PEOPLE, repeats: 20, plainImages: true, clock: () => now });
  sandbox.restrict({ permissions: [...RIGHTS.permissions, "api_key.read"] });
  yield* everything(sandbox);
  for (const part of ["status", "field", "checks", "report", "account"] as const) sandbox.change(12, { part });
  sandbox.change(5, { files: true });
  sandbox.add(3);
  sandbox.redact([1, 2, 3]);
  sandbox.redact([4, 5], { account: true });
  yield* everything(sandbox);
  now += DAY;
  yield* everything(sandbox);
  yield* refusals(sandbox);
}
