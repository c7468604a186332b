import { Secret } from "../../../src/config/secret.ts";
import { StripeSource } from "../../../src/source/stripe/stripe.ts";
import { fileEndpointOf } from "../../sandbox/stripe/host.ts";
import { stripeId } from "../../sandbox/stripe/id.ts";
import { type Endpoint, endpointOf } from "../../sandbox/stripe/routes.ts";
import { secretMark } from "../../sandbox/stripe/secret.ts";
import { startStripe } from "../../sandbox/stripe/server.ts";
import type { Part } from "../../sandbox/stripe/world.ts";
import type { Asked, HttpProvider } from "./http/stage.ts";
import { everySandbox, SandboxClock } from "./sandbox.ts";

const SEED = 1;
const ASKED: Readonly<Partial<Record<Endpoint, Asked>>> = {
  account: "project",
  sessions: "list",
  events: "changes",
  session: "identity",
  reports: "part",
  // Metadata: the driver learns from the first file how to read all.
  file: "part",
  contents: "file",
  link: "file",
};
const PATH = { list: "/v1/identity/verification_sessions", changes: "/v1/events" };

export const stripe: HttpProvider = {
  kind: "stripe",
  can: { list: true, changes: true },
  parts: [
    { name: "status", told: true },
    { name: "attempt", told: true },
    // The list shows it, no event tells.
    { name: "metadata", told: false },
  ],
  listTells: true,
  redacts: true,
  partsHavePages: true,
  emptyPages: false,
  marksRedaction: true,
  hasVideos: false,
  alwaysNames: false,
  minimalTellsAge: false,
  asksForLess: true,
  // Stripe's files are on a second host, which is the API's as well: it is sent the key.
  filesElsewhere: false,
  delays: { changes: 60, redaction: 4 * 86_400, urls: undefined },

  async start({ people, videoBytes }) {
    const clock = new SandboxClock();
    const sandbox = await startStripe({
      ...{
        seed: SEED,
        identities: people,
        videoBytes,
        clock: clock.milliseconds,
        eventDelay: 60_000,
        redactionEvents: true,
      },
      // One session for each person, as at every other provider.
      ...{ repeats: 0, plainImages: true, retryAfter: undefined },
    });
    const id = (index: number): string => stripeId(SEED, "vs", index);
    return {
      ...everySandbox(sandbox, clock),
      open: (options) =>
        new StripeSource({ url: sandbox.url, apiKey: new Secret(sandbox.apiKey), now: clock.instant, ...options }),
      id,
      said: (index) => {
        const { url: _, client_secret: __, ...session } = sandbox.session(index);
        return [session, ...sandbox.reports(index)];
      },
      files: (index) => {
        const ids = sandbox
          .reports(index)
          .flatMap(({ document, selfie }) => [...(document?.files ?? []), ...(selfie?.selfie ? [selfie.selfie] : [])]);
        return Promise.all(ids.map(async (file) => ({ mediaType: "image/png", bytes: (await sandbox.file(file))! })));
      },
      change: (index, part) => sandbox.change([index], { part: part as Part }),
      recapture: (index) => sandbox.change([index], { part: "attempt" }),
      vanish: (index) => sandbox.vanish([index]),
      redact: (index) => sandbox.redact([index]),
      filesOrigin: sandbox.filesOrigin,
      kept: (text) =>
        text.replace(/"(url|client_secret)":"[^"]*_[^"]*"/g, (found, name) =>
          found.includes(secretMark(SEED)) ? `"${name}":null` : found,
        ),
      asked: ({ method, url, headers }) => {
        const { pathname } = new URL(url!, sandbox.url);
        const isFile = headers.host === new URL(sandbox.filesOrigin).host;
        return ASKED[isFile ? fileEndpointOf(pathname) : endpointOf(method!, pathname)] ?? "other";
      },
      wrongIn: ({ method, url, headers }) => {
        if (headers.host === new URL(sandbox.filesOrigin).host) return undefined;
        if (headers["stripe-version"] === undefined)
          return "without a pinned version, settings in the dashboard decide what it answers";
        return method === "GET" || url === "/v1/file_links" ? undefined : `${method} may change something`;
      },
      entry: (index, other) => JSON.stringify({ ...sandbox.session(index), id: other }),
      page: (of, entries, next) => {
        const data = of === "list" ? entries : entries.map((entry, at) => eventAbout(entry, at, clock.milliseconds()));
        return `{"object":"list","url":"${PATH[of]}","has_more":${next !== null},"data":[${data.join()}]}`;
      },
      goesOn: (text) => text.replace('"has_more":false', '"has_more":true'),
      secrets: () => [sandbox.apiKey, secretMark(SEED)],
      leaks: () => sandbox.leaks,
    };
  },
};

const eventAbout = (entry: string, at: number, now: number): string =>
  `{"id":"evt_${at}","object":"event","created":${Math.floor(now / 1_000)},"data":{"object":${entry}}}`;
