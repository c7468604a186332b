import { Secret } from "../../../src/config/secret.ts";
import { VeriffSource } from "../../../src/source/veriff/veriff.ts";
import { placeOf } from "../../sandbox/veriff/id.ts";
import { type Endpoint, routeOf } from "../../sandbox/veriff/routes.ts";
import { startVeriff } from "../../sandbox/veriff/server.ts";
import { type Part, REGISTRIES } from "../../sandbox/veriff/world.ts";
import type { Asked, HttpProvider } from "./http/stage.ts";
import { everySandbox, SandboxClock } from "./sandbox.ts";

const SEED = 1;
const ASKED: Readonly<Record<Endpoint, Asked>> = {
  decision: "identity",
  // Of a session without a result they alone say when something happened.
  attempts: "identity",
  "attempt-media": "part",
  person: "part",
  "watchlist-screening": "part",
  "ine-registry": "part",
  "curp-registry": "part",
  "combined-ine-curp-registry": "part",
  file: "file",
  // Of the last attempt only, so no dossier needs it.
  media: "other",
  other: "other",
};

export const veriff: HttpProvider = {
  kind: "veriff",
  can: { list: false, changes: false },
  parts: [
    { name: "decision", told: false },
    { name: "attempt", told: false },
    { name: "userStatus", told: false },
    { name: "watchlist", told: false },
  ],
  listTells: false,
  redacts: false,
  partsHavePages: false,
  emptyPages: false,
  marksRedaction: false,
  hasVideos: true,
  alwaysNames: false,
  minimalTellsAge: true,
  asksForLess: false,
  readsOneDocument: true,
  hidesEnvironment: true,
  filesElsewhere: false,
  delays: { changes: 0, redaction: 0, urls: undefined },

  async start({ people, videoBytes }) {
    const clock = new SandboxClock();
    const sandbox = await startVeriff({
      ...{ seed: SEED, identities: people, videoBytes, clock: clock.milliseconds },
      ...{ plainImages: true, signs: "x", retryAfter: undefined, registries: REGISTRIES },
    });
    const { url, integrationKey } = sandbox;
    return {
      ...everySandbox(sandbox, clock),
      open: (options) =>
        new VeriffSource({ url, apiKey: new Secret(sandbox.apiKey), integrationKey, clock: clock.instant, ...options }),
      id: sandbox.id,
      said: (index) => sandbox.objects(index),
      files: (index) => sandbox.files(index),
      change: (index, part) => sandbox.change([index], { part: part as Part }),
      recapture: (index) => sandbox.change([index], { part: "attempt" }),
      vanish: (index) => sandbox.remove([index]),
      redact: () => {
        throw new Error("Veriff redacts no one");
      },
      signature: "x-hmac-signature",
      asked: ({ url: path }) => {
        const { endpoint, id } = routeOf(new URL(path!, url).pathname);
        // The key is tried on a session that no one has.
        if (endpoint === "decision" && !placeOf(SEED, "session", id)) return "project";
        return ASKED[endpoint];
      },
      wrongIn: ({ method }) => (method === "GET" ? undefined : `${method} may change something`),
      entry: () => {
        throw new Error("Veriff lists no one");
      },
      page: () => {
        throw new Error("Veriff lists no one");
      },
      goesOn: (text) => text,
      secrets: () => [sandbox.apiKey],
      leaks: () => [],
    };
  },
};
