/**
 * Holdfast's export without a provider: the source is in this process, everything else as in production. Measures an
 * identity's cost from its capture to the catalog, without incoming HTTP.
 *
 *     node store.ts <config> <workload>
 */

import PQueue from "p-queue";
import { loadConfig } from "../../../src/config/load.ts";
import { activeSources } from "../../../src/config/sources.ts";
import { runExport } from "../../../src/export/run.ts";
import { createConsole } from "../../../src/observe/console.ts";
import { noProgress } from "../../../src/observe/progress.ts";
import { Sealer } from "../../../src/seal/seal.ts";
import { handlesOf } from "../../../src/session/client.ts";
import { openLog } from "../../../src/session/open-log.ts";
import {
  inOrder,
  parseIdentity,
  parseIdentityPage,
  parseProject,
  parseResourcePage,
} from "../../../src/source/passbase/answers.ts";
import { Limits } from "../../../src/source/rate/limits.ts";
import { OwnStarts } from "../../../src/source/rate/starts.ts";
import type { Source } from "../../../src/source/source.ts";
import {
  contentOf,
  identityText,
  pageText,
  personOf,
  resourcesText,
  settingsText,
  type Workload,
} from "../workload.ts";

const PIECE = 64 * 1024;

function sourceOf(workload: Workload): Source {
  const content = contentOf(workload.fileBytes);
  return {
    ...{
      kind: "passbase",
      can: { list: true, changes: false },
      api: "none",
      requests: 0,
      limits: new Limits({ count: 1, per: 1 }).view,
    },
    project: async () => parseProject(settingsText),
    async *pages() {
      for (let from = 0; from < workload.people; from += 100) {
        yield parseIdentityPage(pageText(from, 100, workload));
      }
    },
    async *changes() {},
    async dossier(id) {
      const [identity, resources] = [identityText(personOf(id), workload), resourcesText(personOf(id), workload)];
      const { raw, ...read } = parseIdentity(identity);
      const { files, data } = parseResourcePage(resources);
      return {
        ...{ ...read, files, listed: raw, gaps: [], open: false, content: { identity: raw, resources: inOrder(data) } },
        answers: [identity, resources].map((text) => ({ endpoint: "GET /", text })),
      };
    },
    async file() {
      const bytes = (async function* () {
        for (let at = 0; at < content.length; at += PIECE) yield content.subarray(at, at + PIECE);
      })();
      return { mediaType: "image/png", bytes };
    },
    async close() {},
  };
}

const workload = JSON.parse(process.argv[3]!) as Workload;
const { clients } = await loadConfig(process.argv[2]!);
const config = clients[0]!;
const console = createConsole({ json: true, quiet: true });
const { signal } = new AbortController();
const session = { clients, console, signal, now: () => Temporal.Now.instant() };
await using held = await openLog(config, session, { job: "export" });
const summary = await runExport(
  {
    ...held,
    source: sourceOf(workload),
    sourceConfig: activeSources(config)[0]!,
    starts: new OwnStarts(new Limits({ count: 1, per: 1 })),
    handles: await handlesOf(config),
    sealer: new Sealer(config.recipients),
    vaultQueue: new PQueue({ concurrency: config.vault.concurrency }),
    log: console.log,
    again: false,
  },
  { job: "export", version: "bench", selection: { kind: "changed" }, progress: noProgress },
);
process.stdout.write(`${JSON.stringify({ clients: [summary] })}\n`);
