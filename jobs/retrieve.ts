import { randomBytes } from "node:crypto";
import { Option } from "commander";
import { FOR_RETRIEVAL } from "../src/approval/signature.ts";
import { type BagOptions as Bag, logRefusal, type Prepared, prepareBag } from "../src/bag/prepare.ts";
import { formatRequest, parseRequest, type RetrievalRequest, type Versions } from "../src/bag/request.ts";
import { MAX_WORDS, type Request } from "../src/bag/retrieval.ts";
import { range, versions } from "../src/cli/arguments.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { type NamedFlags, namedPeople, withNames } from "../src/cli/named.ts";
import {
  type ApprovalFiles,
  askSecondPerson,
  checkApproval,
  readApproval,
  type TwoPeople,
} from "../src/cli/second-person.ts";
import { HoldfastError } from "../src/core/error.ts";
import type { HeldVault } from "../src/held/held-vault.ts";
import { warnOfLeftovers } from "../src/io/unfinished-folder.ts";
import { bytes, number, plural, verifications } from "../src/observe/format.ts";
import { tellWhom } from "../src/people/customer.ts";
import { findPeople, knownSubject, onlyClient, type Wanted } from "../src/people/people.ts";
import type { Session } from "../src/session/client.ts";
import { openLog } from "../src/session/open-log.ts";

interface RetrieveFlags extends NamedFlags, Partial<Request> {
  readonly allInRange?: { readonly from: Temporal.Instant; readonly to: Temporal.Instant };
  readonly versions: Versions;
  readonly request?: string;
  readonly approval?: string;
  readonly out: string;
}

/** A retrieval as asked for in words, or as it was approved. */
async function retrieval(session: Session, options: RetrieveFlags): Promise<Prepared> {
  const { request, approval, out, identity, email, reference, subject, allInRange, list } = options;
  if (request !== undefined || approval !== undefined) {
    const named = [identity, email, reference, subject].some((names) => names.length > 0);
    const told = options.case ?? options.requestedBy ?? options.reason ?? allInRange ?? list;
    if (request === undefined || approval === undefined || named || told !== undefined) {
      throw new HoldfastError("usage", "--request and --approval go together, and with --out only", {
        hint: "The request says who is asked for, and why.",
      });
    }
    return retrieveApproved(session, { request, approval, out });
  }
  const { case: number, requestedBy, reason } = options;
  if (number === undefined || requestedBy === undefined || reason === undefined) {
    throw new HoldfastError("usage", "--case, --requested-by and --reason are missing, or some of them", {
      hint: "Say which case it is for, who asked, and why: the bag says it.",
    });
  }
  const people = await namedPeople(options);
  return retrieve(session, { ...options, ...people, case: number, requestedBy, reason, range: allInRange });
}

export const retrieveCommand = withNames(
  command("retrieve", "make a sealed bag for an auditor: a person's records, with proofs from the log", [
    "holdfast retrieve --case 2026-117 --requested-by 'FIU Berlin' --reason 'request of 3 November' \\",
    "    --email someone@example.com --out ./case-2026-117",
    "holdfast retrieve --case 12 --requested-by … --reason … --reference C-10442 --versions latest --out ./case-12",
    "holdfast retrieve --case 13 … --all-in-range 2023-01-01..2023-04-01 --out ./case-13",
    "holdfast verify ./case-12 --vkey 'acme-bank.example/holdfast+…'     the auditor's first step",
    "holdfast open ./case-12 --key auditor.txt --out ./opened            the second step",
  ]),
)
  .option("--case <number>", "the case it is for")
  .option("--requested-by <who>", "who asked")
  .option("--reason <text>", "the reason; the bag and a sealed note have it, the log only a commitment to it")
  .option(
    "--all-in-range <from..to>",
    "everyone whose identity has a version from this period; the second date is not included",
    range,
  )
  .addOption(
    new Option("--versions <which>", "all, latest, or as-of:<date>")
      .argParser(versions)
      .default({ kind: "all" } as const, "all"),
  )
  .option(
    "--request <file>",
    "the request file that retrieve wrote for a second person to sign; replaces all options above",
  )
  .option("--approval <file>", "the second person's signature of the request")
  .requiredOption("--out <folder>", "the bag; must not exist yet")
  .addHelpText(
    "after",
    `
If the config lists retrieval.approvals, the first call writes <out>.request.json and exits with code 2. A second person
signs that file, and the second call makes the bag:
  ssh-keygen -Y sign -n holdfast-retrieval -f ~/.ssh/id_ed25519 case-12.request.json
  holdfast retrieve --request case-12.request.json --approval case-12.request.json.sig --out ./case-12`,
  )
  .action((options: CommonOptions & RetrieveFlags) =>
    run(options, async (session) => {
      session.console.result({ command: "retrieve", ...(await retrieval(session, options)) });
    }),
  );

export interface RetrieveOptions extends Wanted, Request {
  readonly versions: Versions;
  readonly out: string;
}

/** A retrieval that a second person approved: everything else is in the request. */
export interface ApprovedOptions extends ApprovalFiles {
  readonly out: string;
}

function byTwo(held: HeldVault): TwoPeople<RetrievalRequest> {
  return {
    namespace: FOR_RETRIEVAL,
    option: "retrieval.approvals",
    what: "retrievals",
    ...READ,
    refuse: (asked, reason) => logRefusal(held, asked, reason),
  };
}

const READ = { command: "holdfast retrieve", parse: parseRequest };

/**
 * Makes a sealed bag of what the vault has of these people. Decrypts nothing, and needs no key that could. Where the
 * client asks for a second person, writes the request that they sign, logs that it was asked for, and throws
 * `unapproved`.
 */
export async function retrieve(session: Session, options: RetrieveOptions): Promise<Prepared> {
  const config = onlyClient(session, "a retrieval");
  for (const words of [options.case, options.requestedBy, options.reason]) {
    if (words.trim() !== "" && words.length <= MAX_WORDS) continue;
    throw new HoldfastError("usage", `--case, --requested-by and --reason take 1 to ${number(MAX_WORDS)} characters`, {
      hint: "Say in short who asked and why; the auditor reads it.",
    });
  }
  const words = { case: options.case, requestedBy: options.requestedBy, reason: options.reason };
  await using held = await openLog(config, session, { job: "retrieve" });
  const subjects = findPeople(options, config, held, tellWhom(session, config, "retrieve"));
  const { versions, out } = options;
  if (config.retrieval.approvals.length > 0) {
    const salt = randomBytes(32).toString("hex");
    const { origin } = held.description.log;
    const about = { ...words, client: config.id, origin, subjects, versions, salt };
    return await askSecondPerson(byTwo(held), formatRequest(about, held.now()), `${out}.request.json`);
  }
  return await prepare(held, session, { subjects, versions, out, request: words });
}

/** Makes the bag that a request asks for. Throws `unapproved`, and logs it, where the signature is not valid. */
async function retrieveApproved(session: Session, options: ApprovedOptions): Promise<Prepared> {
  const config = onlyClient(session, "a retrieval");
  const read = await readApproval(READ, options);
  const { asked } = read;
  const { request } = asked;
  await using held = await openLog(config, session, { job: "retrieve" });
  if (request.client !== config.id || request.origin !== held.description.log.origin) {
    throw new HoldfastError("usage", `${options.request} asks for records of another client or vault`, {
      hint: "Check --client and --config.",
    });
  }
  const approval = await checkApproval(byTwo(held), read, config.retrieval.approvals, held.now());
  const used = held.catalog.retrievals.preparedFor(asked.sha256);
  if (used !== undefined) {
    // In the log's words an approval that was used is one that holds no longer.
    await logRefusal(held, asked, "expired");
    throw new HoldfastError(
      "unapproved",
      `refused, and logged: the run ${used.run} made a bag with this approval already (log entry ${used.entry})`,
      {
        hint: "An approval is for one bag. If that run was ended before its bag was whole, or the bag is lost, ask for the retrieval again and have the new request signed.",
      },
    );
  }
  for (const subject of request.subjects) knownSubject(held.catalog, config.id, subject);
  const { subjects, versions } = request;
  return await prepare(held, session, { subjects, versions, out: options.out, request, approval });
}

async function prepare(held: HeldVault, { console }: Session, bag: Bag): Promise<Prepared> {
  await warnOfLeftovers(bag.out, console.log);
  using progress = console.progress(`${held.config.id}: records`);
  const prepared = await prepareBag(held, bag, progress.update);
  progress.end();
  console.say(preparedText(prepared));
  await held.stamp();
  return prepared;
}

function preparedText({ client, out, subjects, records, files, bytes: size }: Prepared): string[] {
  return [
    `${client}: ${out} is ready`,
    `  holds     ${verifications(subjects)}, ${plural(records, "record")}, ${plural(files, "file")}; ${bytes(size)}, all sealed`,
    "  proves    what the audit log says of them, this retrieval included",
    "  next      hand it over; viewer.html in it checks and opens it, README.txt says how else",
  ];
}
