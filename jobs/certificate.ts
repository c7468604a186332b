import type { Console } from "../src/observe/console.ts";
import { people, plural } from "../src/observe/figures.ts";
import { quoted } from "../src/printable.ts";
import type { Certificate } from "../src/report/certificate.ts";
import { checkCertificate, type LedThere } from "../src/report/certificate-check.ts";
import { writeCertificate } from "../src/report/certificate-writer.ts";
import { policyOf } from "../src/retention/policy.ts";
import { openSigner, type Session } from "./client.ts";
import { keyText, sayVerdict, untrusted } from "./key-trust.ts";
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

const VERDICT: Readonly<Record<LedThere, string>> = {
  checked: "all is well",
  "no-policy": "consistent, but the purge was not checked against a policy",
  "not-in-it": "consistent, but what led to the purge was not checked",
};

const LED_THERE: Readonly<Record<LedThere, string>> = {
  checked: "each purge was begun before, due by the rules logged, with no hold open and its locks over",
  "no-policy":
    "each purge was begun before, with no hold open and its locks over; not checked against a policy, because the log told none before it",
  "not-in-it": "not in a certificate of this form, so it was not checked: only verify of the vault shows it",
};

/** Checks one, with no access to the vault. Throws for the first thing that is not as it was made. */
export async function verifyCertificate(folder: string, vkey: string | undefined, console: Console) {
  const checked = await checkCertificate(folder, vkey);
  const { client, run, made, totals, entries, ledThere } = checked;
  const key = { vkey: checked.vkey, keyTrusted: vkey !== undefined };
  const proven = entries.length + ("trail" in checked ? checked.trail.length : 0);
  const text = [
    `${folder}: ${key.keyTrusted ? VERDICT[ledThere] : untrusted("certificate")}`,
    `  certifies the destruction of ${plural(totals.records, "record")} and ${plural(totals.files, "file")} of ${people(totals.subjects)}, by ${quoted(client)} in the run ${quoted(run)}; made ${made}`,
    `  log       ${plural(proven, "entry").replace("entrys", "entries")} proven to be in the log`,
    `  led there ${LED_THERE[ledThere]}`,
    key.keyTrusted
      ? "  key       signed by the log key that you trust"
      : `  key       signed by ${keyText(key.vkey)}, by its own word`,
  ];
  sayVerdict(console, text, { ...key, with: "certificate" });
  return { certificate: folder, client, run, made, totals, ledThere, ...key };
}
