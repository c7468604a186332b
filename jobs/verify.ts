import { checkAgainstLastSeen } from "../src/audit/last-seen.ts";
import { AuditLog } from "../src/audit/log.ts";
import { HoldfastError, hasCode } from "../src/error.ts";
import { type Problem, type VerifyReport, verifyVault } from "../src/evidence/verify.ts";
import { bytes, number, plural } from "../src/observe/figures.ts";
import { openClientVault, openSigner, type Session } from "./client.ts";

export interface ClientReport extends VerifyReport {
  readonly client: string;
  readonly checkpoint: { readonly origin: string; readonly size: number; readonly root: string };
  /** The first of them; `problems` counts all. */
  readonly found: readonly Problem[];
}

/** Problems that are listed; beyond them only the number grows. */
const LISTED = 1000;

/** Log against checkpoint, vault against log. Needs no private key. */
export async function verify(session: Session, { readData }: { readData: number }): Promise<ClientReport[]> {
  const reports: ClientReport[] = [];
  for (const config of session.clients) {
    const { console, signal, now } = session;
    const { vault, description, verifier } = await openClientVault(config, session);
    const progress = console.progress(`${config.id}: verify`);
    try {
      // Where the log key is at hand the vault's description must name it; elsewhere that description is trusted.
      if (isPresent(config.log.key)) openSigner(config, description);
      const log = new AuditLog(vault, description.log.origin, [verifier]);
      const head = await log.head();
      await checkAgainstLastSeen(config.state, [verifier], log, head);
      const found: Problem[] = [];
      const report = await verifyVault({
        ...{ vault, log, head, now, signal, readData, concurrency: config.vault.concurrency },
        onProgress: (done, total, problems) =>
          progress.update(done, total, problems > 0 ? plural(problems, "problem") : ""),
        onProblem: (problem) => {
          if (found.length < LISTED) found.push(problem);
          console.log.error(problem.what, { client: config.id, key: problem.key });
        },
      });
      progress.end();
      const checkpoint = { origin: head.origin, size: head.size, root: Buffer.from(head.root).toString("base64") };
      console.say(reportText(config.id, report, head.origin));
      reports.push({ client: config.id, checkpoint, ...report, found });
    } finally {
      progress.end();
      await vault.close();
    }
  }
  return reports;
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
  const { entries, records, files, read, readBytes, problems } = report;
  return [
    `${client}: ${problems === 0 ? "all is well" : plural(problems, "problem")}  (log ${origin})`,
    `  log       ${number(entries)} entries give the root that the checkpoint signs`,
    `  vault     ${number(records)} records and ${number(files)} files checked: there, size, digest, lock; ${bytes(report.bytes)}`,
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
