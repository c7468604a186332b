import { Option } from "commander";
import { verifyCertificate } from "../../jobs/certificate.ts";
import { refuseProblems, type VerifyOptions, verify } from "../../jobs/verify.ts";
import { verifyBag } from "../../jobs/verify-bag.ts";
import { isCertificate } from "../certificate/certificate-check.ts";
import { instant, percent, vkey } from "./arguments.ts";
import { tellClients } from "./clients.ts";
import { type CommonOptions, command, run, withoutConfig } from "./command.ts";

export const verifyCommand = command(
  "verify",
  "check the log against its signed checkpoint, and every object against the log",
  [
    "holdfast verify",
    "holdfast verify --read-data 5%      also read and hash one object in twenty",
    "holdfast verify --read-data 100 --key officer.txt   and see that all of it opens",
    "holdfast verify --json | jq '.clients[].problems'",
    "holdfast verify ./case-12 --vkey 'acme-bank.example/holdfast+…'   a bag, with nothing else at hand",
  ],
)
  .argument(
    "[bag]",
    "the folder of a bag, or of a certificate of destruction; left out, the vaults of the config are verified",
  )
  .option("--read-data <percent>", "share of the objects to read back and hash, picked at random", percent)
  .option(
    "--since <date>",
    "leave out objects stored before, such as 2026-11-01; the log is always checked whole",
    instant,
  )
  .addOption(
    new Option("--key <file>", "age identity file: what is read is also decrypted; reads all unless told otherwise"),
  )
  .option("--vkey <key>", "the log's public key that you trust, as init printed it", vkey)
  .option("--tsa-ca <file>", "root certificates, PEM, that time stamps must lead to; default: those of the config")
  .option("--orphans", "list the objects that no log entry mentions", false)
  .action(
    (bag: string | undefined, options: CommonOptions & Omit<VerifyOptions, "readData"> & { readData?: number }) => {
      if (bag !== undefined) {
        return withoutConfig(options, async (console) => {
          const checked = (await isCertificate(bag))
            ? await verifyCertificate(bag, options.vkey, console)
            : await verifyBag(bag, options, console);
          console.result({ command: "verify", ...checked });
        });
      }
      return run(options, async (session) => {
        const readData = options.readData ?? (options.key === undefined ? 0 : 100);
        await tellClients(session, "verify", (onFailure) => verify(session, { ...options, readData }, onFailure), {
          refuse: refuseProblems,
        });
      });
    },
  );
