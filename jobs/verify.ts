import { join } from "node:path";
import { Journal } from "../src/audit/journal.ts";
import { checkAgainstLastSeen, forked } from "../src/audit/last-seen.ts";
import { AuditLog, type Head, sameLeaf } from "../src/audit/log.ts";
import { Catalog } from "../src/catalog/catalog.ts";
import { HoldfastError, hasCode } from "../src/error.ts";
import type { Problem } from "../src/evidence/problem.ts";
import type { Orphan } from "../src/evidence/strays.ts";
import { type VerifyReport, verifyVault } from "../src/evidence/verify.ts";
import { bytes, number, plural } from "../src/observe/figures.ts";
import { openClientVault, openSigner, type Session } from "./client.ts";
import { openKeyFile } from "./open.ts";

export interface VerifyOptions {
  /** Percent of the objects to read. */
  readonly readData: number;
  readonly since?: Temporal.Instant;
  /** An age identity file: what is read is also decrypted. */
  readonly key?: string;
  /** The log's public key as the auditor knows it; else the vault's word is taken. */
  readonly vkey?: string;
  /** List the objects that no entry mentions. */
  readonly orphans?: boolean;
}

export interface ClientReport extends VerifyReport {
  readonly client: string;
  readonly checkpoint: { readonly origin: string; readonly size: number; readonly root: string };
  /** The first of them; `problems` counts all. */
  readonly found: readonly Problem[];
  readonly orphaned?: readonly Orphan[];
}

/** Problems and orphans that are listed; beyond them only the number grows. */
const LISTED = 1000;

/** Log against checkpoint, vault against log, both ways. Needs no private key. */
export async function verify(session: Session, options: VerifyOptions): Promise<ClientReport[]> {
  const opener = options.key === undefined ? undefined : await openKeyFile(options.key);
  const reports: ClientReport[] = [];
  for (const config of session.clients) {
    const { console, signal, now } = session;
    const { vault, description, verifiers } = await openClientVault(config, session);
    const progress = console.progress(`${config.id}: verify`);
    const closing: (() => unknown)[] = [() => vault.close(), () => progress.end()];
    try {
      // Where the log key is at hand the vault's description must name it; elsewhere that description is trusted.
      if (isPresent(config.log.key)) openSigner(config, description);
      if (options.vkey !== undefined && options.vkey !== description.log.vkey) {
        throw new HoldfastError(
          "unverified",
          `${vault.url} names another log key than the one given: ${description.log.vkey}`,
          {
            mend: "If the key was changed, the log holds key.changed, signed by the old one. If not, this is not the log you trust.",
          },
        );
      }
      const log = new AuditLog(vault, description.log.origin, verifiers);
      const head = await log.head();
      await checkAgainstLastSeen(config.state, log, head);
      await checkJournal(config.state, log, head);
      const index = Catalog.temporary(join(config.state, `verify-${process.pid}.sqlite`), log.origin);
      closing.push(() => index.close());
      const found: Problem[] = [];
      const orphaned: Orphan[] = [];
      const report = await verifyVault({
        ...{
          vault,
          log,
          head,
          verifiers,
          index,
          now,
          signal,
          opener,
          readData: options.readData,
          since: options.since,
        },
        concurrency: config.vault.concurrency,
        onProgress: (done, total, problems) =>
          progress.update(done, total, problems > 0 ? plural(problems, "problem") : ""),
        onProblem: (problem) => {
          if (found.length < LISTED) found.push(problem);
          console.log.error(problem.what, { client: config.id, key: problem.key });
        },
        onOrphan: (orphan) => {
          if (!options.orphans) return;
          if (orphaned.length < LISTED) orphaned.push(orphan);
          console.log.warn("no log entry mentions this", { client: config.id, key: orphan.key });
        },
      });
      progress.end();
      const checkpoint = { origin: head.origin, size: head.size, root: Buffer.from(head.root).toString("base64") };
      console.say(reportText(config.id, report, head.origin));
      reports.push({ client: config.id, checkpoint, ...report, found, ...(options.orphans ? { orphaned } : {}) });
    } finally {
      for (const close of closing.reverse()) await close();
    }
  }
  return reports;
}

/** What this machine has journaled and the log holds already must be the same; damage is `malformed`. */
async function checkJournal(state: string, log: AuditLog, head: Head): Promise<void> {
  for (const { index, bytes: entry } of await new Journal(join(state, "journal")).inspect()) {
    if (index >= head.size) break;
    if (!sameLeaf(entry, await log.leaf(index, head.size))) {
      throw forked(`entry ${index} of the log is not the one journaled here`);
    }
  }
}

/** Throws `incomplete` where any problem was found: the command's exit code. */
export function refuseProblems(reports: readonly ClientReport[]): void {
  const problems = reports.reduce((sum, report) => sum + report.problems, 0);
  if (problems === 0) return;
  throw new HoldfastError("incomplete", `${plural(problems, "problem")}: the vault is not as its log says`, {
    mend: "Keep the log and this output. Earlier versions of a changed object may still be in the vault; what is missing can be exported again while the provider has it.",
  });
}

function reportText(client: string, report: VerifyReport, origin: string): string {
  const { entries, checkpoints, records, files, read, readBytes, orphans, problems } = report;
  return [
    `${client}: ${problems === 0 ? "all is well" : plural(problems, "problem")}  (log ${origin})`,
    `  log       ${plural(entries, "entry").replace("entrys", "entries")} hashed against the signed checkpoint, ${plural(checkpoints, "checkpoint")} of one history`,
    `  vault     ${number(records)} records and ${number(files)} files checked: there, size, digest, lock; ${bytes(report.bytes)}`,
    ...(orphans > 0 ? [`  orphans   ${plural(orphans, "version")} that no entry mentions; --orphans lists them`] : []),
    ...(read > 0 ? [`  content   ${number(read)} objects read and hashed; ${bytes(readBytes)}`] : []),
  ].join("\n");
}

function isPresent(key: { resolve(): unknown }): boolean {
  try {
    key.resolve();
    return true;
  } catch (error) {
    if (hasCode(error, "config")) return false;
    throw error;
  }
}
