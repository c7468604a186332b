import { Secret } from "../../../src/config/secret.ts";
import { OnfidoSource } from "../../../src/source/onfido/onfido.ts";
import { endpointOf } from "../../sandbox/onfido/routes.ts";
import { secretMark } from "../../sandbox/onfido/secret.ts";
import { startOnfido } from "../../sandbox/onfido/server.ts";
import type { Part } from "../../sandbox/onfido/world.ts";
import type { Asked, HttpProvider } from "./http/stage.ts";
import { everySandbox, SandboxClock } from "./sandbox.ts";

const SEED = 1;
const ASKED: Readonly<Record<string, Asked>> = {
  applicants: "list",
  // A minimal record needs all three, since only runs and checks say how it ended.
  "applicants/…": "identity",
  workflow_runs: "identity",
  checks: "identity",
  "oauth/token": "other",
  write: "other",
  other: "other",
};

export const onfido: HttpProvider = {
  kind: "onfido",
  can: { list: true, changes: false },
  parts: [
    { name: "applicant", told: true },
    // The list shows the applicant alone.
    { name: "run", told: false },
    { name: "check", told: false },
    { name: "report", told: false },
  ],
  listTells: false,
  redacts: false,
  partsHavePages: false,
  emptyPages: false,
  marksRedaction: false,
  hasVideos: true,
  alwaysNames: true,
  minimalTellsAge: true,
  asksForLess: false,
  // Only evidence files are redirected to a second host.
  filesElsewhere: false,
  delays: { changes: 0, redaction: 0, urls: undefined },

  async start({ people, videoBytes }) {
    const clock = new SandboxClock();
    const sandbox = await startOnfido({
      ...{ seed: SEED, identities: people, videoBytes, clock: clock.milliseconds },
      ...{ plainImages: true, retryAfter: undefined },
    });
    return {
      ...everySandbox(sandbox, clock),
      open: (options) =>
        new OnfidoSource({ url: sandbox.url, apiKey: new Secret(sandbox.apiKey), now: clock.instant, ...options }),
      id: sandbox.id,
      said: (index) => sandbox.objects(index),
      files: (index) => sandbox.files(index),
      change: (index, part) => sandbox.change([index], { part: part as Part }),
      recapture: (index) => sandbox.recapture([index]),
      vanish: (index) => sandbox.vanish([index]),
      redact: () => {
        throw new Error("Onfido redacts no one");
      },
      filesOrigin: sandbox.filesOrigin,
      asked: ({ method, url, headers }) => {
        if (headers.host === new URL(sandbox.filesOrigin).host) return "file";
        const { pathname, searchParams } = new URL(url!, sandbox.url);
        const endpoint = endpointOf(method!, pathname);
        const isShort = searchParams.get("per_page") === "1" && searchParams.get("page") === "1";
        if (endpoint === "applicants" && isShort) return "project";
        if (/\/(download|nfc_face|signed_evidence_file)$|_signature\/documents$/.test(endpoint)) return "file";
        return ASKED[endpoint] ?? "part";
      },
      wrongIn: ({ method }) => (method === "GET" ? undefined : `${method} may change something`),
      entry: (index, other) => JSON.stringify({ ...sandbox.applicant(index), id: other }),
      page: (_, entries, next) => ({
        text: `{"applicants":[${entries.join()}]}`,
        // Without either header, a page could not be known as the last.
        headers:
          next === null
            ? { "X-Total-Count": String(entries.length) }
            : { Link: `<${sandbox.url}/applicants?page=${next}>; rel="next"` },
      }),
      // Tokens and links of runs are made again for each answer, so each has the mark.
      kept: (text) => text.replace(new RegExp(`"[^"]*${secretMark(SEED)}[^"]*"`, "g"), "null"),
      goesOn: (text) => text,
      secrets: () => [sandbox.apiKey, secretMark(SEED)],
      leaks: () => sandbox.leaks,
    };
  },
};
