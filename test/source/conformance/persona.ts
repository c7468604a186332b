import { Secret } from "../../../src/config/secret.ts";
import { PersonaSource } from "../../../src/source/persona/persona.ts";
import { urlsIn } from "../../sandbox/persona/ask.ts";
import { personaId } from "../../sandbox/persona/id.ts";
import { type Endpoint, endpointOf } from "../../sandbox/persona/routes.ts";
import { type Persona, startPersona } from "../../sandbox/persona/server.ts";
import { tokenMark } from "../../sandbox/persona/token.ts";
import { references, type Wire } from "../../sandbox/persona/wire.ts";
import type { Part } from "../../sandbox/persona/world.ts";
import type { Asked, HttpProvider } from "./http/stage.ts";
import { everySandbox, SandboxClock } from "./sandbox.ts";

const SEED = 1;
const ASKED: Readonly<Partial<Record<Endpoint, Asked>>> = {
  "rate-limits": "project",
  inquiries: "list",
  search: "changes",
  inquiry: "identity",
  file: "file",
  write: "other",
  other: "other",
};
const PATH = { list: "/api/v1/inquiries", changes: "/api/v1/inquiries/search" };

export const persona: HttpProvider = {
  kind: "persona",
  can: { list: true, changes: true },
  parts: [
    { name: "status", told: true },
    { name: "field", told: true },
    // These do not move the inquiry's own time.
    { name: "checks", told: false },
    { name: "report", told: false },
    { name: "account", told: false },
  ],
  listTells: true,
  redacts: true,
  partsHavePages: true,
  emptyPages: false,
  marksRedaction: true,
  hasVideos: true,
  alwaysNames: true,
  minimalTellsAge: true,
  asksForLess: false,
  filesElsewhere: true,
  delays: { changes: 60, redaction: 3_600, urls: 21_600 },

  async start({ people, videoBytes }) {
    const clock = new SandboxClock();
    const sandbox = await startPersona({
      ...{ seed: SEED, identities: people, videoBytes, clock: clock.milliseconds },
      // One inquiry for each person, as at every other provider.
      ...{ repeats: 0, plainImages: true, retryAfter: undefined },
    });
    const id = (index: number): string => personaId(SEED, "inq", index);
    const link = (of: "list" | "changes", next: number | null) =>
      next === null ? null : `${PATH[of]}?page%5Bafter%5D=${personaId(SEED, "inq", 1_000_000 + next)}`;
    return {
      ...everySandbox(sandbox, clock),
      open: (options) => new PersonaSource({ url: sandbox.url, apiKey: new Secret(sandbox.apiKey), ...options }),
      id,
      // The devices of a session have requests of their own, and say nothing about the person.
      said: (index) => objectsOf(sandbox, index).filter(({ type }) => type !== "device"),
      files: async (index) => {
        // One file has several URLs, each with a token of its own. What someone attaches to a case is a file of the case.
        const names = (objects: readonly Wire[]) =>
          new Set(objects.flatMap((object) => urlsIn(object)).map((url) => new URL(url).pathname.slice(1)));
        const { case: ofCase = [], other = [] } = Object.groupBy(objectsOf(sandbox, index), ({ type }) =>
          type === "case" ? "case" : "other",
        );
        return Promise.all(
          [...names(other), ...names(ofCase)].map(async (name) => ({
            mediaType: name.endsWith(".mp4") ? "video/mp4" : "image/png",
            bytes: await sandbox.file(name),
          })),
        );
      },
      change: (index, part) => sandbox.change([index], { part: part as Part }),
      recapture: (index) => sandbox.change([index], { files: true }),
      vanish: (index) => sandbox.vanish([index]),
      redact: (index) => sandbox.redact([index], { account: true }),
      filesOrigin: sandbox.filesOrigin,
      asked: ({ method, url, headers }) => {
        if (headers.host === new URL(sandbox.filesOrigin).host) return "file";
        const { pathname, searchParams } = new URL(url!, sandbox.url);
        const endpoint = endpointOf(method!, pathname);
        // The driver learns whose key it is from the headers of the shortest page.
        if (endpoint === "inquiries" && searchParams.get("page[size]") === "1") return "project";
        return ASKED[endpoint] ?? "part";
      },
      wrongIn: ({ method, url, headers }) => {
        if (headers.host === new URL(sandbox.filesOrigin).host) return undefined;
        if (headers["persona-version"] === undefined || headers["key-inflection"] === undefined)
          return "without a pinned version and inflection, settings in the dashboard decide what it answers";
        if (headers["idempotency-key"] !== undefined) return "with an Idempotency-Key a failure is replayed for a day";
        const isRead = method === "GET" || (method === "POST" && url!.startsWith(PATH.changes));
        return isRead ? undefined : `${method} may change something`;
      },
      entry: (index, other) => JSON.stringify({ ...sandbox.inquiry(index), id: other }),
      page: (of, entries, next) =>
        `{"data":[${entries.join()}],"links":{"prev":null,"next":${JSON.stringify(link(of, next))}}}`,
      goesOn: (text) => text.replace('"next":null', `"next":${JSON.stringify(link("list", 0))}`),
      secrets: () => [sandbox.apiKey, tokenMark(SEED)],
      leaks: () => sandbox.leaks,
    };
  },
};

/** The inquiry and everything that belongs to it, as the API would show it. */
function objectsOf(sandbox: Persona, index: number): Wire[] {
  const found = new Map<string, Wire>();
  const add = (id: string): void => {
    const object = found.has(id) ? undefined : sandbox.object(id);
    if (!object) return;
    found.set(id, object);
    const { inquiry: _, inquiries: __, ...below } = object.relationships ?? {};
    for (const relation of Object.values(below)) for (const reference of references(relation)) add(reference.id);
  };
  add(personaId(SEED, "inq", index));
  add(personaId(SEED, "case", index));
  return [...found.values()];
}
