import { Secret } from "../../../src/config/secret.ts";
import { SumsubSource } from "../../../src/source/sumsub/sumsub.ts";
import { endpointOf } from "../../sandbox/sumsub/routes.ts";
import { startSumsub } from "../../sandbox/sumsub/server.ts";
import type { Part } from "../../sandbox/sumsub/world.ts";
import type { Asked, HttpProvider } from "./http/stage.ts";
import { everySandbox, SandboxClock } from "./sandbox.ts";

const SEED = 1;
const ASKED: Readonly<Record<string, Asked>> = {
  levels: "project",
  // Asks whether anyone may be viewed, where the levels may not.
  "applicants/externalUserId": "project",
  "applicants/…/one": "identity",
  "inspections/…/resources/…": "file",
  "applicantActions/…/images/…": "file",
  "videoIdent/applicant/…/media/…": "file",
  write: "other",
  other: "other",
};

export const sumsub: HttpProvider = {
  kind: "sumsub",
  can: { list: false, changes: false },
  // Only webhooks tell.
  parts: ["review", "profile", "aml", "action"].map((name) => ({ name, told: false })),
  listTells: false,
  redacts: true,
  // Actions end with a short page, whatever an answer says of more.
  partsHavePages: false,
  emptyPages: false,
  marksRedaction: false,
  hasVideos: true,
  alwaysNames: false,
  minimalTellsAge: true,
  asksForLess: false,
  filesElsewhere: false,
  delays: { changes: 0, redaction: 0, urls: undefined },

  async start({ people, videoBytes }) {
    const clock = new SandboxClock();
    const sandbox = await startSumsub({
      ...{ seed: SEED, identities: people, videoBytes, clock: clock.milliseconds },
      ...{ plainImages: true, retryAfter: undefined },
    });
    const { url, appToken } = sandbox;
    return {
      ...everySandbox(sandbox, clock),
      open: (options) =>
        new SumsubSource({
          ...{ url, appToken, apiKey: new Secret(sandbox.apiKey), clock: clock.instant, now: clock.instant },
          // As many as are wanted: a test should not wait.
          ...{ amlRate: { count: 100_000, per: 1_000 }, ...options },
        }),
      id: (index) => sandbox.id(index),
      said: (index) => sandbox.objects(index),
      files: (index) => sandbox.files(index),
      change: (index, part) => sandbox.change([index], { part: part as Part }),
      recapture: (index) => sandbox.recapture([index]),
      vanish: (index) => sandbox.vanish([index]),
      redact: (index) => sandbox.redact([index]),
      asked: ({ method, url: asked }) => ASKED[endpointOf(method!, new URL(asked!, url).pathname)] ?? "part",
      wrongIn: ({ method, headers }) => {
        if (headers["x-app-access-sig"] === undefined) return "without a signature";
        return method === "GET" ? undefined : `${method} may change something`;
      },
      entry: () => {
        throw new Error("Sumsub lists no one");
      },
      page: () => {
        throw new Error("Sumsub lists no one");
      },
      goesOn: (text) => text,
      secrets: () => [sandbox.apiKey],
      leaks: () => [],
    };
  },
};
