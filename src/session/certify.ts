import { join } from "node:path";
import { decodeEntry } from "../audit/entry.ts";
import { Journal } from "../audit/journal.ts";
import type { Certificate } from "../certificate/certificate.ts";
import { writeCertificate } from "../certificate/certificate-writer.ts";
import { noteCertified } from "../certificate/uncertified.ts";
import type { ClientConfig } from "../config/config.ts";
import { HoldfastError } from "../core/error.ts";
import { verifications } from "../observe/format.ts";
import { policyOf } from "../retention/policy.ts";
import { openSigner, type Session } from "./client.ts";
import { openReading } from "./open-reading.ts";

export interface Certified {
  readonly certificate: string;
  readonly runs: readonly string[];
  readonly totals: Certificate["totals"];
}

/** Returns undefined if only stopped runs are named and these destroyed nothing. */
export async function certifyAll(
  config: ClientConfig,
  session: Session,
  of: { readonly runs: readonly string[]; readonly stopped: readonly string[] },
  out: string,
): Promise<Certified | undefined> {
  const { console, signal } = session;
  await using reading = await openReading(config, session);
  const { log, head, description, catalog } = reading;
  await refuseWaiting(config, [...of.runs, ...of.stopped], head.size);
  using progress = console.progress(`${config.id}: certificate`);
  const certificate = await writeCertificate({
    folder: out,
    client: config.id,
    ...(config.company && { company: config.company }),
    ...of,
    legalBasis: config.legalBasis,
    policy: policyOf(config.retention, config.vault.lock),
    log: { log, head },
    signer: await openSigner(config, description),
    now: session.now(),
    signal,
    onEntries: (done) => progress.update(done),
  });
  progress.end();
  if (certificate === undefined) return undefined;
  const { totals } = certificate;
  noteCertified(config.state, certificate.runs);
  console.say(
    `${config.id}: ${out} certifies what was destroyed of ${verifications(totals.subjects)}; open certificate.html, or run \`holdfast verify\` on the folder`,
  );
  const begun = catalog.purges.unfinished().length;
  if (begun > 0) {
    console.log.warn("a purge stopped before it finished with one person, who is not in this certificate", {
      client: config.id,
      count: begun,
      hint: "Run `holdfast retention purge --confirm --out <folder>`: it finishes the purge and certifies it.",
    });
  }
  return { certificate: out, runs: certificate.runs, totals };
}

/** Only this machine knows what a killed purge destroyed last, until the next run writes the log. */
async function refuseWaiting({ state }: ClientConfig, runs: readonly string[], size: number): Promise<void> {
  for (const { index, bytes } of await new Journal(join(state, "journal")).inspect()) {
    const entry = index < size ? null : decodeEntry(bytes);
    if (entry?.type !== "record.purged" || !runs.includes(entry.run)) continue;
    throw new HoldfastError("state", `the purge ${entry.run} was killed, and the log does not have all of it yet`, {
      hint: "Run `holdfast retention purge --confirm --out <folder>`: it continues from there, and its certificate covers this run too.",
    });
  }
}
