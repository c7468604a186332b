import { existsSync } from "node:fs";
import { join } from "node:path";
import { AuditWriter } from "../src/audit/writer.ts";
import { openCatalog } from "../src/catalog/catalog.ts";
import { steady } from "../src/clock.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { HoldfastError } from "../src/error.ts";
import type { Selection } from "../src/export/plan.ts";
import { recipientsChanged } from "../src/export/recipients.ts";
import { runExport } from "../src/export/run.ts";
import type { Summary } from "../src/export/summary.ts";
import { bytes, number, plural, seconds } from "../src/observe/figures.ts";
import { errorFields } from "../src/observe/log.ts";
import { defaultRetry } from "../src/retry.ts";
import { Sealer } from "../src/seal/seal.ts";
import { PassbaseSource } from "../src/source/passbase/passbase.ts";
import type { Source } from "../src/source/source.ts";
import { Lease } from "../src/vault/lease.ts";
import { openClientVault, openSigner, openTokens, type Session } from "./client.ts";
import { VERSION } from "./version.ts";

export interface ExportOptions {
  /** Provider ids; undefined exports all that is new or changed. */
  readonly identities?: readonly string[] | undefined;
  /** Store the named identities anew though nothing changed. */
  readonly again?: boolean | undefined;
  /** Subjects to store anew, as verify names them. */
  readonly subjects?: readonly string[] | undefined;
  /** Store anew what the provider withheld files of. */
  readonly withheld?: boolean | undefined;
}

/** What one client's export came to, where it did not come to a summary. */
export interface ClientFailure {
  readonly client: string;
  readonly error: unknown;
}

/** New and changed identities of every client. One client's failure does not keep the others from their export. */
export async function exportClients(
  session: Session,
  options: ExportOptions,
  onFailure: (failure: ClientFailure) => void = ({ error }) => {
    throw error;
  },
): Promise<Summary[]> {
  const { console, clients, signal } = session;
  if ((options.identities || options.subjects) && clients.length > 1) {
    throw new HoldfastError(
      "usage",
      "--identity and --subject name somebody of one client, and the config has several",
      {
        mend: "Add --client <id>.",
      },
    );
  }
  if (options.again && !options.identities) {
    throw new HoldfastError("usage", "--again is for the identities named with --identity", {
      mend: "Add --identity <id>; or name subjects with --subject.",
    });
  }
  for (const subject of options.subjects ?? []) {
    if (/^[0-9a-f]{32}$/.test(subject)) continue;
    throw new HoldfastError("usage", "--subject takes 32 hexadecimal digits", {
      mend: "It is the long part of the key that verify names: records/<2 digits>/<subject>/….",
    });
  }
  const summaries: Summary[] = [];
  for (const config of clients) {
    if (signal.aborted) break;
    try {
      const summary = await exportClient(config, session, options);
      console.say(summaryText(summary));
      summaries.push(summary);
    } catch (error) {
      if (clients.length > 1) console.log.error("client failed", { client: config.id, ...errorFields(error) });
      onFailure({ client: config.id, error });
    }
  }
  return summaries;
}

/** Throws `interrupted` or `partial` where not all was done: the command's exit code. */
export function refuseUnfinished(summaries: readonly Summary[], signal: AbortSignal): void {
  if (signal.aborted) throw new HoldfastError("interrupted", "interrupted; the next run goes on from here");
  const failed = summaries.reduce((sum, summary) => sum + summary.failed, 0);
  if (failed === 0) return;
  throw new HoldfastError("partial", `${failed} record${failed === 1 ? "" : "s"} failed; the others are kept`, {
    mend: "The log says which, by subject and code. The next run tries them again.",
  });
}

async function exportClient(config: ClientConfig, session: Session, options: ExportOptions): Promise<Summary> {
  const { console, signal } = session;
  const now = steady(session.now);
  const { vault, description, verifiers, retries } = await openClientVault(config, session);
  let source: Source | undefined;
  let sourceRetries = 0;
  const closing: (() => unknown)[] = [() => vault.close()];
  try {
    const signer = openSigner(config, description);
    const tokens = openTokens(config, description);
    source = openSource(config, session, () => {
      sourceRetries += 1;
    });
    closing.push(() => source?.close());
    for (const warning of [config.log.key, config.lookups.key, config.source.apiKey].flatMap((ref) => ref.warnings())) {
      console.log.warn(warning, { client: config.id });
    }
    const conditional = description.store ?? { ifNoneMatch: false, ifMatch: false };
    const lease = await Lease.acquire(vault, { job: "export", now });
    closing.push(() => lease.release());
    const hadCatalog = existsSync(join(config.state, "catalog.sqlite"));
    const writer = await AuditWriter.open({
      ...{
        vault,
        signer,
        now,
        state: config.state,
        conditional,
        holds: () => lease.check(),
        former: verifiers.slice(1),
      },
      lock: { mode: config.vault.lock, initial: config.retention.initialLock },
    });
    closing.push(() => writer.close());
    const rebuilding = console.progress("catalog");
    const catalog = await openCatalog(join(config.state, "catalog.sqlite"), writer.log, writer.head, rebuilding.update);
    rebuilding.end();
    closing.push(() => catalog.close());
    if (!writer.continued) {
      console.log.warn("this machine has not seen this log before: compare its checkpoint with your auditor's", {
        client: config.id,
        count: writer.size,
      });
    }
    if (!hadCatalog && writer.size > 0)
      console.log.info("catalog made from the log", { client: config.id, count: writer.size });
    const mayTakeUp = !recipientsChanged({ config, description });
    return await runExport(
      {
        ...{ config, source, tokens, vault, conditional, description, writer, catalog, now, signal, log: console.log },
        sealer: new Sealer(config.recipients),
        holds: () => lease.check(),
        again: (options.again ?? false) || options.subjects !== undefined || (options.withheld ?? false),
        mayTakeUp,
        lookFirst: mayTakeUp && !(catalog.clean && writer.continued),
      },
      {
        job: "export",
        version: VERSION,
        identities: options.identities,
        selection: selectionOf(options),
        progress: console.progress(`${config.id}: identities`),
        retries: () => retries() + sourceRetries,
      },
    );
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

function selectionOf({ subjects, withheld }: ExportOptions): Selection {
  if (subjects) return { kind: "subjects", subjects: new Set(subjects) };
  return { kind: withheld ? "withheld" : "changed" };
}

function openSource(config: ClientConfig, { console, signal, patience }: Session, onRetry: () => void): Source {
  const { id, state, source } = config;
  const { retry = defaultRetry, ...bounds } = patience ?? {};
  return new PassbaseSource({
    ...{ ...source, apiKey: source.apiKey.resolve(), ...bounds, retry, signal, onRetry },
    share: {
      path: join(state, "limits.sqlite"),
      priority: "high",
      onTrouble: (error) => console.log.warn("limits are not shared", { client: id, ...errorFields(error) }),
    },
  });
}

export function summaryText(summary: Summary): string {
  const { client, outcome, examined, unchanged, gone, failed, files, withheld, requests, retries } = summary;
  const heading = { done: "done", partial: "done in part", failed: "failed", interrupted: "interrupted" }[outcome];
  const rows = [
    ["new", number(summary.new)],
    ["changed", number(summary.changed)],
    ["unchanged", number(unchanged)],
    ...(summary.again > 0 ? [["again", `${number(summary.again)} (stored anew, as asked)`]] : []),
    ...(gone > 0 ? [["gone", `${number(gone)} (at the provider; the copies stay)`]] : []),
    ["files", `${number(files)} stored, ${number(withheld)} withheld by the provider`],
    ["failed", failed > 0 ? `${number(failed)} (logged; tried again on the next run)` : "0"],
    ["sealed", bytes(summary.bytes)],
    ["requests", `${number(requests)} to the source, ${plural(retries, "retry").replace("retrys", "retries")}`],
    ["time", seconds(summary.seconds)],
  ];
  return [
    `${client}: ${heading}, ${plural(examined, "identity").replace("identitys", "identities")} examined  (run ${summary.run})`,
    ...rows.map(([name, value]) => `  ${name!.padEnd(10)}${value}`),
  ].join("\n");
}
