#!/usr/bin/env node
import { statSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { backfillClients, planBackfill } from "../jobs/backfill.ts";
import type { Session } from "../jobs/client.ts";
import { type ClientFailure, exportClients, refuseUnfinished } from "../jobs/export.ts";
import { HANDED_OVER, init } from "../jobs/init.ts";
import { openSealed, openWholeBag } from "../jobs/open.ts";
import { listedPeople } from "../jobs/people-list.ts";
import { rebuild } from "../jobs/rebuild.ts";
import { type ResealOptions, reseal } from "../jobs/reseal.ts";
import { extendAll, refuseDue } from "../jobs/retention.ts";
import { retrieve, retrieveApproved } from "../jobs/retrieve.ts";
import { runOnSchedule } from "../jobs/schedule.ts";
import { refuseProblems, type VerifyOptions, verify } from "../jobs/verify.ts";
import { verifyBag } from "../jobs/verify-bag.ts";
import { VERSION } from "../jobs/version.ts";
import { systemClock } from "./clock.ts";
import { loadConfig, selectClients } from "./config/load.ts";
import { HoldfastError } from "./error.ts";
import type { Versions } from "./evidence/approval/request.ts";
import type { Prepared } from "./evidence/bag/prepare.ts";
import type { Request } from "./evidence/bag/retrieval.ts";
import { exitCode } from "./exit-code.ts";
import type { Period } from "./export/plan.ts";
import type { Summary } from "./export/summary.ts";
import { type Console, createConsole } from "./observe/console.ts";
import { errorFields } from "./observe/log.ts";
import { STATUSES } from "./source/passbase/answers.ts";
import { redisAddress } from "./workers/address.ts";

// Left to itself V8 collects old garbage only when it is several times what is in use: an export of 20,000 identities
// peaked 100 MB above one of 1,000, with no more to hold.
setFlagsFromString("--heap-growing-percent=30");

interface ExportFlags {
  readonly identity?: string[];
  readonly subject?: string[];
  readonly again?: boolean;
  readonly withheld?: boolean;
  readonly schedule?: boolean;
}

interface BackfillFlags extends Period {
  readonly status?: string[];
  readonly plan?: boolean;
  readonly workers?: string;
  readonly putPrice?: number;
}

interface RetrieveFlags extends Partial<Request> {
  readonly identity: string[];
  readonly email: string[];
  readonly reference: string[];
  readonly subject: string[];
  readonly allInRange?: { readonly from: Temporal.Instant; readonly to: Temporal.Instant };
  readonly allMatches: boolean;
  readonly list?: string;
  readonly versions: Versions;
  readonly request?: string;
  readonly approval?: string;
  readonly out: string;
}

interface CommonOptions {
  readonly config: string;
  readonly client?: string[];
  readonly json: boolean;
  readonly quiet: boolean;
}

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed
  2    the command line or the config cannot be used; or a second person has not approved
  3    done in part: some records failed, and are tried again on the next run
  4    integrity: the vault, the log or a key does not agree with what was written
  5    another run holds the vault
  130  interrupted; what was done is kept, the next run goes on`;

/** The first signal asks the run to finish what is under way; the second ends it at once, which loses nothing either. */
function onSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      process.stderr.isTTY && process.stderr.write("\nstopping after what is under way; once more to stop at once\n");
      controller.abort(new HoldfastError("interrupted", "interrupted"));
    });
  }
  return controller.signal;
}

function command(name: string, description: string, examples: readonly string[]): Command {
  return new Command(name)
    .description(description)
    .option("-c, --config <file>", "the config file", "config/holdfast.yaml")
    .addOption(
      new Option("--client <id>", "only this client; repeatable").argParser((id: string, ids: string[] = []) => [
        ...ids,
        id,
      ]),
    )
    .option("--json", "print one JSON object on stdout, and nothing else there", false)
    .option("-q, --quiet", "no progress and no summary; warnings and errors only", false)
    .addHelpText("after", `\nExamples:\n${examples.map((example) => `  ${example}`).join("\n")}`);
}

/** Opens what every command has in common, runs it, and turns what it throws into words and an exit code. */
async function run(
  options: CommonOptions,
  work: (session: Session, file: Awaited<ReturnType<typeof loadConfig>>) => Promise<void>,
) {
  const console = createConsole(options);
  try {
    const config = await loadConfig(options.config);
    const clients = selectClients(config, options.client);
    await work({ clients, console, signal: onSignals(), now: systemClock }, config);
  } catch (error) {
    fail(error, console, options.json);
  }
}

/** The result of a command that exports, and its failures if any, as its exit code. */
async function report(
  session: Session,
  command: string,
  work: (onFailure: (failure: ClientFailure) => void) => Promise<Summary[]>,
): Promise<void> {
  const failures: ClientFailure[] = [];
  const summaries = await work((failure) => failures.push(failure));
  session.console.result({
    ...{ command, clients: summaries },
    ...(failures.length > 0
      ? { failures: failures.map(({ client, error }) => ({ client, ...errorFields(error) })) }
      : {}),
  });
  if (failures[0]) throw failures[0].error;
  refuseUnfinished(summaries, session.signal);
}

/** For what an auditor runs, on a machine that has no config. */
async function withoutConfig(
  options: Pick<CommonOptions, "json" | "quiet">,
  work: (console: Console) => Promise<void>,
) {
  const console = createConsole(options);
  try {
    await work(console);
  } catch (error) {
    fail(error, console, options.json);
  }
}

function fail(error: unknown, console: Console, json: boolean): void {
  console.error(error);
  const { code, error: message, mend } = errorFields(error);
  if (json) console.result({ error: { code, message, mend } });
  process.exitCode = exitCode(error);
}

function percent(text: string): number {
  const value = Number(text.replace(/%$/, ""));
  if (!/^\d{1,3}(\.\d{1,4})?%?$/.test(text) || value > 100)
    throw new InvalidArgumentError("Write a share from 0% to 100%.");
  return value;
}

function instant(text: string): Temporal.Instant {
  try {
    return text.includes("T")
      ? Temporal.Instant.from(text)
      : Temporal.PlainDate.from(text).toZonedDateTime("UTC").toInstant();
  } catch {
    throw new InvalidArgumentError("Write a date such as 2026-11-01, or a time such as 2026-11-01T12:00:00Z.");
  }
}

function amount(text: string): number {
  const value = Number(text);
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError("Write an amount such as 0.005.");
  return value;
}

const gather = (value: string, before: string[]): string[] => [...before, value];

function range(text: string): { from: Temporal.Instant; to: Temporal.Instant } {
  const [from = "", to = "", ...more] = text.split("..");
  const parsed = { from: instant(from), to: instant(to) };
  if (more.length > 0 || Temporal.Instant.compare(parsed.from, parsed.to) >= 0) {
    throw new InvalidArgumentError("Write two dates, the earlier first: 2023-01-01..2024-01-01.");
  }
  return parsed;
}

function versions(text: string): Versions {
  if (text === "all" || text === "latest") return { kind: text };
  if (text.startsWith("as-of:")) return { kind: "as-of", at: instant(text.slice("as-of:".length)) };
  throw new InvalidArgumentError("Write all, latest, or as-of:<date>.");
}

function oneOf(words: readonly string[], text: string): string {
  if (words.includes(text)) return text;
  throw new InvalidArgumentError(`Write one of: ${words.join(", ")}.`);
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
  const listed = list === undefined ? [] : await listedPeople(list);
  const of = (kind: string, more: readonly string[]) => [
    ...more,
    ...listed.filter((each) => each.kind === kind).map(({ value }) => value),
  ];
  return retrieve(session, {
    ...{ ...options, case: number, requestedBy, reason, range: allInRange },
    ...{ identities: of("identity", identity), emails: of("email", email) },
    ...{ references: of("reference", reference), subjects: of("subject", subject) },
  });
}

const program = new Command("holdfast")
  .description(
    "Keeps the copies of identity records that the law makes a company keep: pulls them from the\nidentity-verification provider, seals them with age, stores them under Object Lock, and proves it\nwith a tamper-evident log.",
  )
  .version(VERSION)
  .showHelpAfterError("(holdfast --help shows what there is)")
  .addHelpText(
    "after",
    `
First day:
  holdfast init                    make the keys, check the vault, write an empty log
  holdfast export                  export everything there is; later only what is new or changed
  holdfast backfill --plan         what it takes to export everything there is
  holdfast verify                  prove that the vault holds what the log says
${EXIT_CODES}

S3 credentials come from the AWS SDK's own chain (environment, profile, role).`,
  );

program.addCommand(
  command(
    "init",
    "make the lookup key and the log key, check the vault, write vault.json and an empty log; safe to repeat",
    ["holdfast init", "holdfast init --client acme-bank --config /etc/holdfast.yaml"],
  ).action((options: CommonOptions) =>
    run(options, async (session) => {
      const done = await init(session);
      for (const { client, vault, vkey, made, store } of done) {
        session.console.say(
          [
            `${client}: ${vault} is ready${made.length > 0 ? ` (made: ${made.join(", ")})` : " (it was before)"}`,
            `  log key   ${vkey}`,
            "            give this line to your auditor: with it anybody can check the log",
            `  store     create-only writes ${store.ifNoneMatch ? "honoured" : "not honoured"}, compare-and-swap ${store.ifMatch ? "honoured" : "not honoured"}`,
            ...(made.includes(HANDED_OVER)
              ? [
                  "            this is a NEW key: give it to your auditor again, then take previousKey out of the config",
                ]
              : []),
            "  keep      the lookup key and the log's private key: back them up apart from this machine",
          ].join("\n"),
        );
      }
      session.console.result({ command: "init", clients: done });
    }),
  ),
);

program.addCommand(
  command("export", "export new and changed identities of every client", [
    "holdfast export",
    "holdfast export --client acme-bank --identity 5f1c… --identity 77ab…",
    "holdfast export --subject 9c4f…     what verify found missing, while the provider has it",
    "holdfast export --schedule          run as a daemon on the config's cron line",
  ])
    .addOption(
      new Option("--identity <id>", "only this identity, by the provider's id; repeatable").argParser(
        (id: string, ids: string[] = []) => [...ids, id],
      ),
    )
    .addOption(
      new Option("--subject <token>", "store this subject anew, as verify names it; walks the source; repeatable")
        .argParser((token: string, tokens: string[] = []) => [...tokens, token])
        .conflicts("identity"),
    )
    .addOption(
      new Option("--again", "with --identity: store it anew though nothing changed").conflicts(["subject", "withheld"]),
    )
    .addOption(
      new Option("--withheld", "store anew what the provider withheld files of: it may grant them now").conflicts([
        "identity",
        "subject",
      ]),
    )
    .addOption(
      new Option("--schedule", "stay, and export whenever the config's cron line says").conflicts([
        "identity",
        "subject",
        "withheld",
      ]),
    )
    .action((options: CommonOptions & ExportFlags) =>
      run(options, async (session, config) => {
        if (options.schedule) {
          let interrupted = false;
          await runOnSchedule(config.schedule, session, async () => {
            const failures: ClientFailure[] = [];
            const summaries = await exportClients(session, {}, (failure) => failures.push(failure));
            interrupted = summaries.some(({ outcome }) => outcome === "interrupted");
            if (failures[0]) throw failures[0].error;
          });
          if (interrupted) throw new HoldfastError("interrupted", "interrupted; the next run goes on from here");
          return;
        }
        const asked = { ...options, identities: options.identity, subjects: options.subject };
        await report(session, "export", (onFailure) => exportClients(session, asked, onFailure));
      }),
    ),
);

program.addCommand(
  command("backfill", "export everything there is, once: resumable, and giving way to the nightly export", [
    "holdfast backfill --plan            what it will take: identities, requests, time, S3 writes",
    "holdfast backfill --plan --put-price 0.005   and what S3 will ask for a thousand writes at that price",
    "holdfast backfill                   as much as is missing; run it again and it goes on",
    "holdfast backfill --workers redis://queue:6379     plans and logs; `holdfast worker`s do the work",
    "holdfast backfill --from 2023-01-01 --to 2024-01-01 --status approved",
  ])
    .option("--from <date>", "only identities that the provider made on this date or later", instant)
    .option("--to <date>", "only identities that the provider made before this date", instant)
    .addOption(
      new Option("--status <status>", "only identities of this status; repeatable").argParser(
        (status: string, statuses: string[] = []) => [...statuses, oneOf(STATUSES, status)],
      ),
    )
    .addOption(new Option("--plan", "only say what it will take"))
    .option(
      "--workers <redis>",
      "leave the work to `holdfast worker`s that meet at redis://host:6379 (or env:NAME, file:path)",
    )
    .option("--put-price <amount>", "with --plan: what a thousand S3 writes cost, in your currency", amount)
    .action((options: CommonOptions & BackfillFlags) =>
      run(options, async (session) => {
        const { from, to, status, plan, putPrice, workers } = options;
        if (from && to && Temporal.Instant.compare(from, to) >= 0) {
          throw new HoldfastError("usage", "--from is not before --to", { mend: "--to is the first date left out." });
        }
        if (putPrice !== undefined && !plan) {
          throw new HoldfastError("usage", "--put-price is for an estimate", { mend: "Add --plan." });
        }
        const period = { from, to, statuses: status && new Set(status) };
        if (plan) {
          const estimates = await planBackfill(session, period, putPrice);
          session.console.result({ command: "backfill", plan: estimates });
          return;
        }
        const redis = workers === undefined ? undefined : redisAddress(workers, process.cwd());
        await report(session, "backfill", (onFailure) => backfillClients(session, { ...period, redis }, onFailure));
      }),
    ),
);

program.addCommand(
  command("worker", "fetch, seal and store for a backfill that runs elsewhere, until it has ended", [
    "holdfast worker --redis redis://queue:6379",
    "holdfast worker --redis env:REDIS_URL --client acme-bank     when the address holds a password",
  ])
    .requiredOption("--redis <address>", "where `backfill --workers` meets its workers")
    .addHelpText(
      "after",
      "\nIt needs the same config, without the log key: it holds none, and only the coordinator writes the log.",
    )
    .action((options: CommonOptions & { redis: string }) =>
      run(options, async (session) => {
        const { workForClients } = await import("../jobs/worker.ts");
        const clients = await workForClients(session, redisAddress(options.redis, process.cwd()));
        session.console.result({ command: "worker", clients });
        // Not an end: whoever looks after workers starts another.
        if (session.signal.aborted) throw new HoldfastError("interrupted", "stopped; what was under way is done");
      }),
    ),
);

program.addCommand(
  command("retrieve", "make a sealed bag for an auditor: what the vault has of somebody, and the proofs of it", [
    "holdfast retrieve --case 2026-117 --requested-by 'FIU Berlin' --reason 'request of 3 November' \\",
    "    --email someone@example.com --out ./case-2026-117",
    "holdfast retrieve --case 12 --requested-by … --reason … --reference C-10442 --versions latest --out ./case-12",
    "holdfast retrieve --case 13 … --all-in-range 2023-01-01..2023-04-01 --out ./case-13",
    "holdfast verify ./case-12 --vkey 'acme-bank.example/holdfast+…'     what the auditor does first",
    "holdfast open ./case-12 --key auditor.txt --out ./opened            and then",
  ])
    .option("--case <number>", "the case it is for")
    .option("--requested-by <who>", "who asked")
    .option("--reason <text>", "why; it stands in the bag, and in the log as a commitment only")
    .option("--identity <id>", "somebody, by the provider's id; repeatable", gather, [])
    .option("--email <address>", "by e-mail, where lookups.fields has it; repeatable", gather, [])
    .option(
      "--reference <value>",
      "by your own reference, or a document number: any of lookups.fields but the e-mail; repeatable",
      gather,
      [],
    )
    .option("--subject <token>", "by the subject, as the log and verify name it; repeatable", gather, [])
    .option("--all-in-range <from..to>", "all of whom the provider made a version in this time; to is not in it", range)
    .option("--list <file>", "people in a file, one to a line: identity <id>, email <address>, reference …, subject …")
    .option("--all-matches", "take all of several people under one e-mail or reference", false)
    .option("--versions <which>", "all, latest, or as-of:<date>", versions, { kind: "all" } as const)
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
    ),
);

program.addCommand(
  command("verify", "check the log against its signed checkpoint, and every object against the log", [
    "holdfast verify",
    "holdfast verify --read-data 5%      also read and hash one object in twenty",
    "holdfast verify --read-data 100 --key officer.txt   and see that all of it opens",
    "holdfast verify --json | jq '.clients[].problems'",
    "holdfast verify ./case-12 --vkey 'acme-bank.example/holdfast+…'   a bag, with nothing else at hand",
  ])
    .argument("[bag]", "the folder of a bag that retrieve made; left out, the vaults of the config are verified")
    .option("--read-data <percent>", "share of the objects to read back and hash, picked at random", percent)
    .option(
      "--since <date>",
      "leave out objects stored before, such as 2026-11-01; the log is always checked whole",
      instant,
    )
    .addOption(
      new Option("--key <file>", "age identity file: what is read is also decrypted; reads all unless told otherwise"),
    )
    .option("--vkey <key>", "the log's public key that you trust, as init printed it")
    .option("--orphans", "list the objects that no log entry mentions", false)
    .action(
      (bag: string | undefined, options: CommonOptions & Omit<VerifyOptions, "readData"> & { readData?: number }) => {
        if (bag !== undefined) {
          return withoutConfig(options, async (console) =>
            console.result({ command: "verify", ...(await verifyBag(bag, options.vkey, console)) }),
          );
        }
        return run(options, async (session) => {
          const readData = options.readData ?? (options.key === undefined ? 0 : 100);
          const reports = await verify(session, { ...options, readData });
          session.console.result({ command: "verify", clients: reports });
          refuseProblems(reports);
        });
      },
    ),
);

program.addCommand(
  command("rebuild", "make the local catalog anew from the log in the vault", ["holdfast rebuild"]).action(
    (options: CommonOptions) =>
      run(options, async (session) => {
        session.console.result({ command: "rebuild", clients: await rebuild(session) });
      }),
  ),
);

program.addCommand(
  new Command("retention").description("how long copies are kept").addCommand(
    command("extend", "extend the locks that end soon of what must be kept; the nightly export does it too", [
      "holdfast retention extend",
      "holdfast retention extend --client acme-bank --json",
    ]).action((options: CommonOptions) =>
      run(options, async (session) => {
        const clients = await extendAll(session);
        session.console.result({ command: "retention extend", clients });
        refuseDue(clients);
        session.signal.throwIfAborted();
      }),
    ),
  ),
);

program.addCommand(
  new Command("open")
    .description("decrypt a bag, or one sealed record or file, for the holder of a private key")
    .argument("<sealed>", "the folder of a bag, or the path of a sealed .age file")
    .requiredOption("--key <file>", "age identity file, as age-keygen writes it")
    .option(
      "--out <path>",
      "write here, a folder for a bag; appears only when all of it is authenticated. Default for a file: stdout",
    )
    .option("--vkey <key>", "of a bag: the log's public key that you trust")
    .addHelpText(
      "after",
      "\nExamples:\n  holdfast open record.age --key officer.txt | jq .identity\n  holdfast open file.age --key officer.txt --out passport.png\n\nThe age command does the same: age -d -i officer.txt record.age",
    )
    .action((sealed: string, { key, out, vkey }: { key: string; out?: string; vkey?: string }) =>
      withoutConfig({ json: false, quiet: false }, async (console) => {
        const isBag = statSync(sealed, { throwIfNoEntry: false })?.isDirectory();
        if (isBag) await openWholeBag(sealed, { key, out, vkey }, console);
        else await openSealed(sealed, key, out);
      }),
    ),
);

program.addCommand(
  new Command("reseal")
    .description("hand a bag to somebody who is no recipient: other headers, the payloads untouched")
    .argument("<bag>", "the folder of a bag")
    .requiredOption("--key <file>", "age identity file of somebody who can open it")
    .option("--to <recipient>", "whom it is for (age1…); they alone can open the new bag; repeatable", gather, [])
    .requiredOption("--out <folder>", "the new bag; must not be there yet")
    .option("--vkey <key>", "the log's public key that you trust")
    .option("--json", "print one JSON object on stdout, and nothing else there", false)
    .option("-q, --quiet", "no progress and no summary; warnings and errors only", false)
    .addHelpText(
      "after",
      "\nExamples:\n  holdfast reseal ./case-12 --key officer.txt --to age1…auditor --out ./case-12-for-auditor\n\nThe bag is checked first. What it was is kept in it, so that the new one proves the same as the old one.",
    )
    .action((bag: string, options: ResealOptions & Pick<CommonOptions, "json" | "quiet">) =>
      withoutConfig(options, async (console) => {
        console.result({ command: "reseal", ...(await reseal(bag, options, console)) });
      }),
    ),
);

program.exitOverride();
for (const each of program.commands) {
  each.exitOverride().showHelpAfterError(`(holdfast ${each.name()} --help shows what there is)`);
  for (const inner of each.commands)
    inner.exitOverride().showHelpAfterError(`(holdfast ${each.name()} ${inner.name()} --help shows what there is)`);
}
try {
  await program.parseAsync();
} catch (error) {
  // Commander has said what is wrong, or has shown the help that was asked for.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
