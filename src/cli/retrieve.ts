import { Option } from "commander";
import { retrieve, retrieveApproved } from "../../jobs/retrieve.ts";
import type { Versions } from "../bag/approval/request.ts";
import type { Prepared } from "../bag/prepare.ts";
import type { Request } from "../bag/retrieval.ts";
import { HoldfastError } from "../core/error.ts";
import type { Session } from "../session/client.ts";
import { range, versions } from "./arguments.ts";
import { type CommonOptions, command, run } from "./command.ts";
import { type NamedFlags, wanted, withNames } from "./named.ts";

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
        mend: "The request says who is asked for, and why.",
      });
    }
    return retrieveApproved(session, { request, approval, out });
  }
  const { case: number, requestedBy, reason } = options;
  if (number === undefined || requestedBy === undefined || reason === undefined) {
    throw new HoldfastError("usage", "--case, --requested-by and --reason are missing, or some of them", {
      mend: "Say which case it is for, who asked, and why: it stands in the bag.",
    });
  }
  const people = await wanted(options);
  return retrieve(session, { ...options, ...people, case: number, requestedBy, reason, range: allInRange });
}

export const retrieveCommand = withNames(
  command("retrieve", "make a sealed bag for an auditor: what the vault has of somebody, and the proofs of it", [
    "holdfast retrieve --case 2026-117 --requested-by 'FIU Berlin' --reason 'request of 3 November' \\",
    "    --email someone@example.com --out ./case-2026-117",
    "holdfast retrieve --case 12 --requested-by … --reason … --reference C-10442 --versions latest --out ./case-12",
    "holdfast retrieve --case 13 … --all-in-range 2023-01-01..2023-04-01 --out ./case-13",
    "holdfast verify ./case-12 --vkey 'acme-bank.example/holdfast+…'     what the auditor does first",
    "holdfast open ./case-12 --key auditor.txt --out ./opened            and then",
  ]),
)
  .option("--case <number>", "the case it is for")
  .option("--requested-by <who>", "who asked")
  .option("--reason <text>", "why; it stands in the bag, and in the log as a commitment only")
  .option("--all-in-range <from..to>", "all of whom the provider made a version in this time; to is not in it", range)
  .addOption(
    new Option("--versions <which>", "all, latest, or as-of:<date>")
      .argParser(versions)
      .default({ kind: "all" } as const, "all"),
  )
  .option("--request <file>", "what retrieve wrote for a second person to sign; it says all of the above")
  .option("--approval <file>", "their signature over it")
  .requiredOption("--out <folder>", "the bag; must not be there yet")
  .addHelpText(
    "after",
    `
Where the config lists retrieval.approvals, the first call writes <out>.request.json and ends with code 2. Somebody else
signs that file, and the second call makes the bag:
  ssh-keygen -Y sign -n holdfast-retrieval -f ~/.ssh/id_ed25519 case-12.request.json
  holdfast retrieve --request case-12.request.json --approval case-12.request.json.sig --out ./case-12`,
  )
  .action((options: CommonOptions & RetrieveFlags) =>
    run(options, async (session) => {
      session.console.result({ command: "retrieve", ...(await retrieval(session, options)) });
    }),
  );
