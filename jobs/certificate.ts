import type { Console } from "../src/observe/console.ts";
import { people, plural } from "../src/observe/figures.ts";
import { quoted } from "../src/printable.ts";
import type { Certificate } from "../src/report/certificate.ts";
import { checkCertificate } from "../src/report/certificate-check.ts";
import { writeCertificate } from "../src/report/certificate-writer.ts";
import { policyOf } from "../src/retention/policy.ts";
import { openSigner, type Session } from "./client.ts";
import { onlyClient } from "./people.ts";
import { withReading } from "./reading.ts";

export interface Certified {
  readonly certificate: string;
  readonly run: string;
  readonly totals: Certificate["totals"];
}

/** Certifies what a purge destroyed; also an earlier one, or one that was stopped before it came to that. */
export async function certify(session: Session, run: string, out: string): Promise<Certified> {
  const config = onlyClient(session, "a certificate");
  return withReading(config, session, async ({ log, head, description }) => {
    const { totals } = await writeCertificate({
      ...{ folder: out, client: config.id, run, legalBasis: config.legalBasis, now: session.now() },
      ...{
        policy: policyOf(config.retention, config.vault.lock),
        log: { log, head },
        signer: await openSigner(config, description),
      },
    });
    session.console.say(
      `${config.id}: ${out} certifies what was destroyed of ${people(totals.subjects)}; open certificate.html, or verify it`,
    );
    return { certificate: out, run, totals };
  });
}

/** Checks one, with no access to the vault. Throws for the first thing that is not as it was made. */
export async function verifyCertificate(folder: string, vkey: string | undefined, console: Console) {
  const { client, run, made, totals, entries, vkey: own } = await checkCertificate(folder, vkey);
  console.say([
    `${folder}: all is well`,
    `  certifies the destruction of ${plural(totals.records, "record")} and ${plural(totals.files, "file")} of ${people(totals.subjects)}, by ${quoted(client)} in the run ${quoted(run)}; made ${made}`,
    `  log       ${plural(entries.length, "entry").replace("entrys", "entries")} proven to be in the log`,
    vkey === undefined
      ? `  key       signed by ${own}, by its own word: ask for the log's key on another way, and give it with --vkey`
      : "  key       signed by the log key that you trust",
  ]);
  return { certificate: folder, client, run, made, totals, vkey: own };
}
