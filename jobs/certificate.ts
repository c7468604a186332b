import { join } from "node:path";
import { decodeEntry } from "../src/audit/entry.ts";
import { Journal } from "../src/audit/journal.ts";
import type { Certificate } from "../src/certificate/certificate.ts";
import { checkCertificate, type LedThere } from "../src/certificate/certificate-check.ts";
import { noPurge, writeCertificate } from "../src/certificate/certificate-writer.ts";
import { noteCertified, uncertified } from "../src/certificate/uncertified.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { HoldfastError } from "../src/core/error.ts";
import { quoted } from "../src/core/printable.ts";
import type { Console } from "../src/observe/console.ts";
import { people, plural } from "../src/observe/format.ts";
import { onlyClient } from "../src/people/people.ts";
import { policyOf } from "../src/retention/policy.ts";
import { openSigner, type Session } from "../src/session/client.ts";
import { keyText, sayVerdict, untrusted } from "../src/session/key-trust.ts";
import { withReading } from "../src/session/open-reading.ts";

export interface Certified {
  readonly certificate: string;
  readonly runs: readonly string[];
  readonly totals: Certificate["totals"];
}

/** Certifies what purges destroyed, after the purge itself. */
export async function certify(session: Session, runs: readonly string[], out: string): Promise<Certified> {
  const config = onlyClient(session, "a certificate");
  const waiting = new Set(uncertified(config.state));
  const [stopped, ended] = [runs.filter((run) => waiting.has(run)), runs.filter((run) => !waiting.has(run))];
  const certified = await certifyAll(config, session, { runs: ended, stopped }, out);
  if (certified === undefined) throw noPurge(stopped.join(", "));
  return certified;
}

/** Undefined where no run is named but stopped ones, and these destroyed nothing. */
export async function certifyAll(
  config: ClientConfig,
  session: Session,
  of: { readonly runs: readonly string[]; readonly stopped: readonly string[] },
  out: string,
): Promise<Certified | undefined> {
  const { console, signal } = session;
  return withReading(config, session, async ({ log, head, description, catalog }) => {
    await refuseWaiting(config, [...of.runs, ...of.stopped], head.size);
    const progress = console.progress(`${config.id}: certificate`);
    const certificate = await writeCertificate({
      ...{ folder: out, client: config.id, ...of, legalBasis: config.legalBasis, now: session.now(), signal },
      ...{
        policy: policyOf(config.retention, config.vault.lock),
        log: { log, head },
        signer: await openSigner(config, description),
        onEntries: (done) => progress.update(done),
      },
    }).finally(() => progress.end());
    if (certificate === undefined) return undefined;
    const { totals } = certificate;
    noteCertified(config.state, certificate.runs);
    console.say(
      `${config.id}: ${out} certifies what was destroyed of ${people(totals.subjects)}; open certificate.html, or verify it`,
    );
    const begun = catalog.life.unfinished().length;
    if (begun > 0) {
      console.log.warn("a purge was stopped in the middle of somebody, who is not in this certificate", {
        ...{ client: config.id, count: begun },
        mend: "Run retention purge --confirm --out <folder>: it goes on with them, and certifies it.",
      });
    }
    return { certificate: out, runs: certificate.runs, totals };
  });
}

/** What a killed purge destroyed last is known on this machine alone until something writes the log again. */
async function refuseWaiting({ state }: ClientConfig, runs: readonly string[], size: number): Promise<void> {
  for (const { index, bytes } of await new Journal(join(state, "journal")).inspect()) {
    const entry = index < size ? null : decodeEntry(bytes);
    if (entry?.type !== "record.purged" || !runs.includes(entry.run)) continue;
    throw new HoldfastError("state", `the purge ${entry.run} was killed, and the log does not have all of it yet`, {
      mend: "Run retention purge --confirm --out <folder>: it goes on from there, and its certificate covers this run too.",
    });
  }
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
  const checked = await checkCertificate(folder, { vkey });
  const { client, runs, made, totals, proven, ledThere } = checked;
  const key = { vkey: checked.vkey, keyTrusted: vkey !== undefined };
  const names = `${runs.length === 1 ? "run" : "runs"} ${runs.map((run) => quoted(run)).join(", ")}`;
  const text = [
    `${folder}: ${key.keyTrusted ? VERDICT[ledThere] : untrusted("certificate")}`,
    `  certifies the destruction of ${plural(totals.records, "record")} and ${plural(totals.files, "file")} of ${people(totals.subjects)}, by ${quoted(client)} in the ${names}; made ${made}`,
    `  log       ${plural(proven, "entry").replace("entrys", "entries")} proven to be in the log`,
    `  led there ${LED_THERE[ledThere]}`,
    key.keyTrusted
      ? "  key       signed by the log key that you trust"
      : `  key       signed by ${keyText(key.vkey)}, by its own word`,
  ];
  sayVerdict(console, text, { ...key, with: "certificate" });
  return { certificate: folder, client, runs, made, totals, ledThere, ...key };
}
