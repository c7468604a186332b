import { Option } from "commander";
import { isCertificate } from "../src/certificate/certificate-check.ts";
import { amount, instant, percent, vkey } from "../src/cli/arguments.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run, withoutConfig } from "../src/cli/command.ts";
import { HoldfastError } from "../src/core/error.ts";
import type { Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { openKeyFile } from "../src/session/key-file.ts";
import { refuseProblems } from "../src/session/refuse-problems.ts";
import { verifyBag } from "../src/session/verify-bag.ts";
import { verifyCertificate } from "../src/session/verify-certificate.ts";
import { type ClientReport, type VerifyOptions, verifyClient } from "../src/session/verify-client.ts";
import { DAYS } from "../src/verify/lock-turns.ts";
import { type PlannedVerify, planVerification } from "./verify-plan.ts";

export const verifyCommand = command(
  "verify",
  "check the log against its signed checkpoint, and every object against the log",
  [
    "holdfast verify",
    "holdfast verify --read-data 5%      also read and hash one object in twenty",
    "holdfast verify --read-data 100 --key officer.txt   also check that everything decrypts",
    "holdfast verify --all-locks          look at the lock of every object in the bucket, one request each",
    "holdfast verify --plan --list-price 0.005 --get-price 0.0004   the requests it will send, and what they cost",
    "holdfast verify --json | jq '.clients[].problems'",
    "holdfast verify ./case-12 --vkey 'acme-bank.example/holdfast+…'   only a bag, without config or vault",
  ],
)
  .argument("[bag]", "the folder of a bag or of a certificate of destruction; default: the vaults in the config")
  .option("--read-data <percent>", "percentage of objects, picked at random, to read back and hash", percent)
  .option(
    "--since <date>",
    "skip objects stored before this date, such as 2026-11-01; the log is always checked in full",
    instant,
  )
  .addOption(
    new Option(
      "--key <file>",
      "age identity file: also decrypt what is read; reads everything unless --read-data says otherwise",
    ),
  )
  .option("--vkey <key>", "the log's public key that you trust, as printed by init", vkey)
  .option("--tsa-ca <file>", "root certificates (PEM) that you trust for time stamps; default: those in the config")
  .option(
    "--all-locks",
    `look at every object's lock, with a request for each; default: at a sample, and at each within ${DAYS} days`,
    false,
  )
  .addOption(
    new Option(
      "--inventory <path>",
      "take locks from this S3 Inventory: its manifest.json or folder, here or s3://…; asks about what it does not confirm",
    ).conflicts("allLocks"),
  )
  .option("--plan", "only estimate the requests it will send, from this machine's catalog; sends none", false)
  .option("--list-price <amount>", "with --plan: the price of a thousand S3 listings, in your currency", amount)
  .option("--get-price <amount>", "with --plan: the price of a thousand other S3 requests", amount)
  .option("--orphans", "list objects that are not in the log", false)
  .action((bag: string | undefined, options: CommonOptions & Flags) => {
    const { plan, listPrice, getPrice } = options;
    const refuseMisused = (): void => {
      if (!plan && (listPrice !== undefined || getPrice !== undefined))
        throw new HoldfastError("usage", "--list-price and --get-price need --plan", { hint: "Add --plan." });
      if (plan && bag !== undefined)
        throw new HoldfastError("usage", "--plan is about vaults, not bags", { hint: "Leave the folder out." });
    };
    if (bag !== undefined) {
      return withoutConfig(options, async (console) => {
        refuseMisused();
        const checked = (await isCertificate(bag))
          ? await verifyCertificate(bag, options.vkey, console)
          : await verifyBag(bag, options, console);
        console.result({ command: "verify", ...checked });
      });
    }
    return run(options, async (session) => {
      refuseMisused();
      const readData = options.readData ?? (options.key === undefined ? 0 : 100);
      if (plan) {
        const asked = { ...options, readData };
        await tellClients(session, "verify", (onFailure) => planVerification(session, asked, onFailure), {
          name: "plan",
        });
        return;
      }
      await tellClients(session, "verify", (onFailure) => verify(session, { ...options, readData }, onFailure), {
        refuse: refuseProblems,
      });
    });
  });

interface Flags extends Omit<VerifyOptions, "readData">, Omit<PlannedVerify, "readData"> {
  readonly readData?: number;
  readonly plan?: boolean;
}

/** Checks the log against the checkpoint, and the vault against the log, both ways. Needs no private key. */
export async function verify(
  session: Session,
  options: VerifyOptions,
  onFailure?: (failure: ClientFailure) => void,
): Promise<ClientReport[]> {
  const { since } = options;
  if (since && Temporal.Instant.compare(since, session.now()) > 0) {
    throw new HoldfastError("usage", `--since ${since} is in the future: no object would be checked`, {
      hint: "Name a time in the past, or leave --since out to check everything.",
    });
  }
  const opener = options.key === undefined ? undefined : await openKeyFile(options.key);
  return eachClient(session, (config) => verifyClient(config, session, options, opener), onFailure);
}
