import { refuseNarrow, tryPlace } from "../src/certificate/certificate-place.ts";
import { noteCertified, noteUncertified, uncertified } from "../src/certificate/uncertified.ts";
import { day } from "../src/cli/arguments.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { canAsk } from "../src/cli/interview.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { HoldfastError } from "../src/core/error.ts";
import { bytes, plural, verifications } from "../src/observe/format.ts";
import { onlyClient } from "../src/people/people.ts";
import { notePolicy } from "../src/retention/policy.ts";
import { type Chosen, type Purged, purgeAll } from "../src/retention/purge.ts";
import { certifyAll } from "../src/session/certify.ts";
import type { Session } from "../src/session/client.ts";
import { openLog } from "../src/session/open-log.ts";
import { beginWork } from "../src/session/retention-work.ts";
import { agreed, type Consent, confirmAtKeyboard } from "./purge-consent.ts";
import { stopped, withoutCertificate } from "./purge-failure.ts";
import { listPurges } from "./purge-list.ts";

export const purgeCommand = command(
  "purge",
  "list records past their retention date, and why; with --confirm, permanently delete them",
  [
    "holdfast retention purge            changes nothing",
    "holdfast retention purge --json | jq '.clients[].purge[] | select(.kept == null)'",
    "holdfast retention purge --client acme-bank --confirm --out ./destroyed-2026-11",
  ],
)
  .option("--confirm", "permanently delete them", false)
  .option(
    "--today <date>",
    "with --confirm: today's date (UTC), required if only this machine's clock is available",
    day,
  )
  .option("--out <folder>", "with --confirm: the folder for the certificate of destruction; must not exist yet")
  .option("--yes", "with --confirm: do not ask on the terminal", false)
  .option("--request <file>", "with --confirm: the request file that purge wrote for a second person to sign")
  .option("--approval <file>", "the second person's signature of the request")
  .addHelpText(
    "after",
    `
It keeps records under a legal hold or a lock. Deleted records cannot be restored; the log and the certificate list
their digests. It needs the right to delete versions, which the exporter should not have.

On a terminal, --confirm first shows how many verifications and objects it would destroy, with their dates, and asks for the
client's name. --yes skips the question; a script, whose input is no terminal, is not asked.

If the config lists retention.approvals, the first call writes <out>.request.json and exits with code 2. A second person
reads and signs that file, and the second call destroys exactly what it names:
  ssh-keygen -Y sign -n holdfast-purge -f ~/.ssh/id_ed25519 destroyed.request.json
  holdfast retention purge --confirm --request destroyed.request.json --approval destroyed.request.json.sig --out ./destroyed`,
  )
  .action((options: CommonOptions & Flags) =>
    run(options, async (session) => {
      const { confirm, out, today, request, approval, yes } = options;
      if (confirm !== (out !== undefined)) {
        throw new HoldfastError("usage", "--confirm and --out go together", {
          hint: "Without them, purge only lists. With both, it deletes and writes the certificate.",
        });
      }
      if (yes && !confirm) {
        throw new HoldfastError("usage", "--yes goes with --confirm", {
          hint: "Without --confirm, purge only lists, and does not ask.",
        });
      }
      if ((request === undefined) !== (approval === undefined) || (request !== undefined && !confirm)) {
        throw new HoldfastError("usage", "--request and --approval go together, and with --confirm", {
          hint: "The request says what to destroy; the approval is the second person's signature of it.",
        });
      }
      if (out === undefined) {
        await tellClients(session, "retention purge", (onFailure) => listPurges(session, onFailure));
        return;
      }
      const done = await purge(session, out, today, {
        files: request === undefined || approval === undefined ? undefined : { request, approval },
        confirm: yes || !canAsk() ? undefined : confirmAtKeyboard,
      });
      session.console.result({ command: "retention purge", ...done });
      refuseLeft(done);
    }),
  );

interface Flags {
  readonly confirm: boolean;
  readonly yes: boolean;
  readonly out?: string;
  readonly today?: string;
  readonly request?: string;
  readonly approval?: string;
}

/** What a purge adds to the log of each person: that it begins, and that it has ended. */
const ENTRIES_OF_PURGE = 2;

/**
 * Removes it, permanently. The certificate says what was destroyed: by this run, and by those before it that were stopped
 * and have none. It is one for all of them, so that someone who answers for it has one document of one purge.
 * @param today the day (UTC) as a person knows it, where no provider says it
 * @param consent how people agree to it, before anything begins
 */
export async function purge(
  session: Session,
  out: string,
  today?: string,
  consent: Consent = {},
): Promise<Purged & { client: string; run: string; certificate: string | null }> {
  const config = onlyClient(session, "a purge");
  await tryPlace(out);
  const chosen = await agreed(config, session, out, consent);
  const before = uncertified(config.state);
  const done = await purgeClient(config, session, { out, today, chosen });
  session.console.say(purgedText(config.id, done));
  const all = [...before, done.run];
  const of = done.subjects > 0 ? { runs: [done.run], stopped: before } : { runs: [], stopped: all };
  const certified = await certifyAll(config, session, of, out).catch((error: unknown) => {
    throw withoutCertificate(error, config, all, session);
  });
  noteCertified(config.state, all);
  return { client: config.id, ...done, certificate: certified ? out : null };
}

async function purgeClient(
  config: ClientConfig,
  session: Session,
  { out, today, chosen }: { out: string; today: string | undefined; chosen: Chosen | undefined },
): Promise<Purged & { run: string }> {
  await using held = await openLog(config, session, { job: "purge", destroys: { today } });
  using work = beginWork(held, session, { what: "purged", failure: "not purged" });
  const { run } = work;
  await notePolicy(work);
  const ready = async (people: number): Promise<void> => {
    await refuseNarrow(out, people * (held.catalog.subjects.mentionsEach() + ENTRIES_OF_PURGE));
    noteUncertified(config.state, run);
    session.console.say(`${config.id}: purge ${run} begins`);
  };
  const purged = await purgeAll(work, ready, chosen).catch((error: unknown) => {
    throw stopped(error, config, run, session);
  });
  await held.stamp();
  return { ...purged, run };
}

/** Throws `partial` where something could not be removed: the command's exit code. */
function refuseLeft({ failed }: Purged): void {
  if (failed === 0) return;
  throw new HoldfastError("partial", `${verifications(failed)} could not be purged`, {
    hint: "The log says who and why. The next purge goes on with them.",
  });
}

function purgedText(
  client: string,
  { run, subjects, records, files, versions, notes, kept, withdrawn, cleared, ...of }: Purged & { run: string },
): string[] {
  return [
    `${client}: ${verifications(subjects)} purged: ${plural(records, "record")}, ${plural(files, "file")}, ${bytes(of.bytes)}; ${plural(versions, "version")} removed from the store  (run ${run})`,
    ...(notes > 0
      ? [`  notes       ${plural(notes, "sealed note")} about holds and retrievals of people of whom nothing is left`]
      : []),
    ...(kept > 0
      ? [`  kept        ${verifications(kept)} by a legal hold or a lock; retention purge without --confirm lists them`]
      : []),
    ...(withdrawn > 0
      ? [`  withdrawn   ${plural(withdrawn, "object")} whose purge had begun; kept after all, as the log says now`]
      : []),
    ...(cleared > 0
      ? [`  cleared     ${plural(cleared, "object")} of earlier purges that could still be read under the plain name`]
      : []),
  ];
}
