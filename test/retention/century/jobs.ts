/** The machine that keeps the vault: a process that receives a time and a job, and may be killed at any write. */

import { exportClients } from "../../../jobs/export.ts";
import { placeHold, releaseHold } from "../../../jobs/hold.ts";
import { purge } from "../../../jobs/purge.ts";
import { endRelationship, reopenRelationship } from "../../../jobs/relationship.ts";
import { extendAll } from "../../../jobs/retention.ts";
import { verify } from "../../../jobs/verify.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { HoldfastError } from "../../../src/core/error.ts";
import type { Session } from "../../../src/session/client.ts";
import { verifyCertificate } from "../../../src/session/verify-certificate.ts";
import { silentConsole } from "../../export/here.ts";
import type { Answer, Told } from "./machine.ts";

const { instant } = Temporal.Now;
const [config] = process.argv.slice(2);

/** Every clock of this process, including the directory vault's, which decides when locks end. Undefined: real time. */
function setClock(seconds: number | undefined): void {
  const since = performance.now();
  Temporal.Now.instant =
    seconds === undefined
      ? instant
      : () => Temporal.Instant.fromEpochMilliseconds(Math.floor(seconds * 1000 + (performance.now() - since)));
}

async function run({ job }: Told): Promise<unknown> {
  const { clients } = await loadConfig(config!);
  const session: Session = { clients, console: silentConsole, signal: new AbortController().signal, now: systemClock };
  const nameless = { identities: [], emails: [], references: [] };
  switch (job.kind) {
    case "export":
      return (await exportClients(session, {}))[0];
    case "extend":
      return (await extendAll(session))[0];
    case "end":
      return endRelationship(session, {
        ...nameless,
        subjects: job.subjects,
        date: job.date,
        beforeVerification: true,
      });
    case "reopen":
      return reopenRelationship(session, { ...nameless, subjects: job.subjects });
    case "place":
      return placeHold(session, { ...nameless, subjects: job.subjects, case: job.case, reason: "an inquiry" });
    case "release":
      return releaseHold(session, { ...nameless, subjects: job.subjects, case: job.case, reason: "it is over" });
    case "purge":
      return purge(session, job.out);
    case "verify":
      return (await verify(session, { readData: 100, orphans: true }))[0];
    case "certificate":
      return verifyCertificate(job.folder, job.vkey, silentConsole);
  }
}

process.on("message", async (told: Told) => {
  setClock(told.at);
  const answer: Answer = await run(told).then(
    (value) => ({ value: value as Answer["value"] }),
    (error: unknown) => ({
      error: error instanceof HoldfastError ? error.code : "unexpected",
      text: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  );
  process.send!(answer);
});
