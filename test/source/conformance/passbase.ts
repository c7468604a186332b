import { Secret } from "../../../src/config/secret.ts";
import { PassbaseSource } from "../../../src/source/passbase/passbase.ts";
import type { Endpoint } from "../../sandbox/counters.ts";
import { identityId } from "../../sandbox/id.ts";
import { endpointOf } from "../../sandbox/routes.ts";
import { startSandbox } from "../../sandbox/server.ts";
import type { Asked, HttpProvider } from "./http/stage.ts";
import { everySandbox, SandboxClock } from "./sandbox.ts";

const SEED = 1;
const ASKED: Readonly<Record<Endpoint, Asked>> = {
  settings: "project",
  identities: "list",
  identity: "identity",
  resources: "part",
  resource: "other",
  file: "file",
  other: "other",
};

export const passbase: HttpProvider = {
  kind: "passbase",
  can: { list: true, changes: false },
  parts: [{ name: "status", told: true }],
  listTells: true,
  redacts: true,
  partsHavePages: true,
  emptyPages: true,
  marksRedaction: false,
  hasVideos: true,
  alwaysNames: true,
  minimalTellsAge: true,
  asksForLess: false,
  filesElsewhere: false,
  delays: { changes: 0, redaction: 0, urls: undefined },

  async start({ people, videoBytes }) {
    const sandbox = await startSandbox({ seed: SEED, identities: people, plainImages: true, videoBytes });
    const clock = new SandboxClock();
    return {
      ...everySandbox(sandbox, clock),
      open: (options) => new PassbaseSource({ url: sandbox.url, apiKey: new Secret(sandbox.apiKey), ...options }),
      id: (index) => identityId(SEED, index),
      said: (index) => [sandbox.identity(index), ...sandbox.resources(index)],
      files: (index) =>
        Promise.all(
          sandbox.resources(index).flatMap(({ id, resource_files }) =>
            resource_files.map(async (file) => ({
              mediaType: file.type === "face_video" ? "video/mp4" : "image/png",
              bytes: await sandbox.file(index, id, file.id),
            })),
          ),
        ),
      change: (index) => sandbox.change([index]),
      recapture: (index) => sandbox.change([index], { files: true }),
      vanish: (index) => sandbox.vanish([index]),
      redact: (index) => sandbox.redact([index]),
      asked: ({ url }) => ASKED[endpointOf(new URL(url!, sandbox.origin).pathname)],
      wrongIn: ({ method }) => (method === "GET" ? undefined : `${method} may change something`),
      entry: (index, id) => JSON.stringify({ ...sandbox.identity(index), id }),
      page: (_, entries, next) =>
        `{"cursor":${JSON.stringify({ next: next === null ? null : `page ${next}` })},"data":[${entries.join()}]}`,
      goesOn: (text) =>
        text.replace('"next":null', `"next":${JSON.stringify(Buffer.from("after:0").toString("base64url"))}`),
      secrets: () => [sandbox.apiKey],
      leaks: () => [],
    };
  },
};
