import { isDeepStrictEqual } from "node:util";
import type { ReadRequest } from "../src/approval/request.ts";
import { FOR_PURGE } from "../src/approval/signature.ts";
import { Interview } from "../src/cli/interview.ts";
import {
  type ApprovalFiles,
  askSecondPerson,
  checkApproval,
  readApproval,
  type TwoPeople,
} from "../src/cli/second-person.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { HoldfastError } from "../src/core/error.ts";
import { runId } from "../src/core/run-id.ts";
import { Ledger } from "../src/held/ledger.ts";
import { bytes, number, plural, verifications } from "../src/observe/format.ts";
import { policyOf } from "../src/retention/policy.ts";
import type { Chosen } from "../src/retention/purge.ts";
import { type PurgeTotals, purgeTotals } from "../src/retention/purge-plan.ts";
import { formatPurgeRequest, type PurgeRequest, parsePurgeRequest } from "../src/retention/purge-request.ts";
import type { Session } from "../src/session/client.ts";
import { openClientVault } from "../src/session/client.ts";
import { openLog } from "../src/session/open-log.ts";
import { openReading } from "../src/session/open-reading.ts";

/** How people agree to a purge before it begins. */
export interface Consent {
  /** What a second person signed, where the client asks for one. */
  readonly files?: ApprovalFiles | undefined;
  /** Shows what would be destroyed, and throws if the person at the keyboard does not agree. Default: no one is asked. */
  readonly confirm?: ((client: string, totals: PurgeTotals) => Promise<void>) | undefined;
}

/**
 * What people agreed to destroy; undefined if no one had to agree. Nothing has begun yet.
 * Throws `unapproved` where a second person must sign first, or did not sign this.
 */
export async function agreed(
  config: ClientConfig,
  session: Session,
  out: string,
  { files, confirm }: Consent,
): Promise<Chosen | undefined> {
  const { approvals = [] } = config.retention;
  const isForTwo = approvals.length > 0 || files !== undefined;
  if (!isForTwo && !confirm) return undefined;
  const approved = files && (await approvedPurge(config, session, files));
  const now = session.now();
  const dueBy = approved?.dueBy ?? now;
  const totals = await totalsOf(config, session, dueBy, approved?.subjects);
  if (approved) await refuseMore(config, session, approved, totals);
  if (isForTwo && !approved && totals.due) return await ask(config, session, totals, totals.due, out);
  if (confirm && totals.due) await confirm(config.id, totals);
  return approved ?? { subjects: new Set(totals.subjects), objects: new Set(totals.objects), dueBy };
}

/** Throws `unapproved` where something is due that the second person did not see: a relationship's end makes more due. */
async function refuseMore(
  config: ClientConfig,
  session: Session,
  { objects, asked }: ApprovedPurge,
  totals: PurgeTotals,
): Promise<void> {
  const more = totals.objects.filter((object) => !objects.has(object)).length;
  if (more === 0) return;
  const why = `more is due now than was approved (${plural(more, "object")}); nothing was removed`;
  await refuseOutdated(byTwo(config, session), asked, why);
}

/** Logs that an approval no longer applies, and throws `unapproved`. The log's word for it is `expired`. */
async function refuseOutdated(
  { refuse }: TwoPeople<PurgeRequest>,
  asked: ReadRequest<PurgeRequest>,
  why: string,
): Promise<never> {
  await refuse(asked, "expired");
  throw new HoldfastError("unapproved", `refused, and logged: ${why}`, {
    hint: "Run `holdfast retention purge --confirm --out <folder>` again, and have the new request signed.",
  });
}

interface ApprovedPurge extends Chosen {
  readonly asked: ReadRequest<PurgeRequest>;
}

interface Looked extends PurgeTotals {
  /** The public key of the vault's log. */
  readonly vkey: string;
}

async function totalsOf(
  config: ClientConfig,
  session: Session,
  dueBy: Temporal.Instant,
  only?: ReadonlySet<string>,
): Promise<Looked> {
  await using reading = await openReading(config, session);
  const { catalog, description } = reading;
  const unknown = [...(only ?? [])].filter((subject) => !catalog.subjects.known(subject)).length;
  if (unknown > 0) {
    session.console.log.warn(
      `${verifications(unknown)} of the request are not in the vault: purged before, or never stored`,
      {
        client: config.id,
      },
    );
  }
  return { ...purgeTotals(catalog, config.retention, dueBy, only), vkey: description.log.vkey };
}

/** Public keys of the vault's log, with those that it had before. */
async function logKeys(config: ClientConfig, session: Session): Promise<string[]> {
  await using opened = await openClientVault(config, session);
  return opened.verifiers.map(({ vkey }) => vkey);
}

const READ = { command: "holdfast retention purge --confirm", parse: parsePurgeRequest };

function byTwo(config: ClientConfig, session: Session): TwoPeople<PurgeRequest> {
  return {
    namespace: FOR_PURGE,
    option: "retention.approvals",
    what: "purges",
    ...READ,
    refuse: async ({ request, sha256 }, reason) => {
      await using held = await openLog(config, session, { job: "purge" });
      const ledger = new Ledger({ ...held, run: runId(held.now()) });
      await ledger.log({ type: "purge.refused", reason, request: sha256, people: request.people });
      await ledger.flush();
    },
  };
}

async function ask(
  config: ClientConfig,
  session: Session,
  { subjects, objects, records, files, bytes: size, verifiedLater, vkey }: Looked,
  due: NonNullable<PurgeTotals["due"]>,
  out: string,
): Promise<never> {
  const { id: client, log, retention, vault } = config;
  const figures = {
    people: subjects.length,
    records,
    files,
    bytes: size,
    dueFirst: due.first,
    dueLast: due.last,
    verifiedLater,
  };
  const about = {
    client,
    origin: log.origin,
    log: vkey,
    ...figures,
    policy: policyOf(retention, vault.lock),
    subjects: [...subjects],
    objects: [...objects],
  };
  return await askSecondPerson(byTwo(config, session), formatPurgeRequest(about, session.now()), `${out}.request.json`);
}

/** What a second person approved. A purge that was stopped goes on with the same approval, while it is valid. */
async function approvedPurge(config: ClientConfig, session: Session, files: ApprovalFiles): Promise<ApprovedPurge> {
  const { retention, vault, log } = config;
  const read = await readApproval(READ, files);
  const { request } = read.asked;
  const isOurs = request.client === config.id && request.origin === log.origin;
  if (!isOurs || !(await logKeys(config, session)).includes(request.log)) {
    throw new HoldfastError("usage", `${files.request} asks for a purge of another client or vault`, {
      hint: "Check --client and --config.",
    });
  }
  const two = byTwo(config, session);
  const { sha256, approvedBy } = await checkApproval(two, read, retention.approvals ?? [], session.now());
  if (!isDeepStrictEqual(request.policy, policyOf(retention, vault.lock)))
    await refuseOutdated(two, read.asked, "the rules of retention changed since it was signed");
  return {
    subjects: new Set(request.subjects),
    objects: new Set(request.objects),
    dueBy: request.made,
    approved: { request: sha256, approvedBy },
    asked: read.asked,
  };
}

function verifiedLaterText(count: number): string {
  const who = count === 1 ? "1 relationship is" : `${number(count)} relationships are`;
  return `${who} said to have ended before the person was first verified`;
}

/** Asks the person at the keyboard. Throws `usage` where they type anything but the client's name. */
export async function confirmAtKeyboard(client: string, totals: PurgeTotals): Promise<void> {
  const { subjects, records, files, bytes: size, verifiedLater, due } = totals;
  using interview = new Interview("removed");
  const typed = await interview.ask({
    says: [
      `${client}: this destroys permanently`,
      `  of        ${verifications(subjects.length)}`,
      `  objects   ${plural(records, "record")} and ${plural(files, "file")}, every version of them; ${bytes(size)}`,
      due?.first === due?.last
        ? `  due       had to be kept until ${due?.last}`
        : `  due       had to be kept until ${due?.first} (the first of it) to ${due?.last} (the last)`,
      ...(verifiedLater > 0 ? [`  CHECK     ${verifiedLaterText(verifiedLater)}; retention purge names them`] : []),
      "Nothing brings it back. Ctrl-C stops here.",
    ],
    prompt: "Type the client's name to destroy it",
    check: async () => {},
  });
  if (typed === client) return;
  throw new HoldfastError("usage", "that is not the client's name: nothing was removed", {
    hint: `Run it again, and type ${client}.`,
  });
}
