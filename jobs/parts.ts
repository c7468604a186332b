import { existsSync } from "node:fs";
import { join } from "node:path";
import { AuditWriter } from "../src/audit/writer.ts";
import { openCatalog } from "../src/catalog/catalog.ts";
import { steady } from "../src/clock.ts";
import type { ClientConfig } from "../src/config/config.ts";
import type { Parts } from "../src/export/context.ts";
import { recipientsChanged } from "../src/export/recipients.ts";
import { errorFields } from "../src/observe/log.ts";
import { defaultRetry } from "../src/retry.ts";
import { Sealer } from "../src/seal/seal.ts";
import type { Priority } from "../src/source/claim.ts";
import { type HttpOptions, ownStarts } from "../src/source/passbase/http.ts";
import { PassbaseSource } from "../src/source/passbase/passbase.ts";
import type { Source } from "../src/source/source.ts";
import type { Starts } from "../src/source/starts.ts";
import { Lease } from "../src/vault/lease.ts";
import { openClientVault, openSigner, openTokens, type Session } from "./client.ts";

export interface PartsOptions {
  readonly job: string;
  /** At the source, beside other jobs of this machine. */
  readonly priority: Priority;
  readonly again?: boolean;
  /** See `Lease`: somebody else waits for the vault. */
  readonly onWanted?: () => void;
}

/** A client's parts, opened by the one process that holds the vault. */
export interface Opened {
  readonly parts: Parts;
  /** Of the source's requests. */
  readonly starts: Starts;
  /** Attempts at source or vault that had to be made again so far. */
  readonly retries: () => number;
}

/** Opens what it takes to export one client, its lease first, and closes all of it when `work` has come to its end. */
export async function withParts<T>(
  config: ClientConfig,
  session: Session,
  { job, priority, again = false, onWanted }: PartsOptions,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  const { console, signal } = session;
  const now = steady(session.now);
  const { vault, description, verifiers, retries } = await openClientVault(config, session);
  const closing: (() => unknown)[] = [() => vault.close()];
  try {
    const signer = openSigner(config, description);
    const tokens = openTokens(config, description);
    const { source, starts, retries: sourceRetries } = openSource(config, session, priority);
    closing.push(() => source.close());
    for (const warning of [config.log.key, config.lookups.key, config.source.apiKey].flatMap((ref) => ref.warnings())) {
      console.log.warn(warning, { client: config.id });
    }
    const conditional = description.store ?? { ifNoneMatch: false, ifMatch: false };
    const lease = await Lease.acquire(vault, { job, now, onWanted, signal });
    closing.push(() => lease.release());
    const hadCatalog = existsSync(join(config.state, "catalog.sqlite"));
    const writer = await AuditWriter.open({
      ...{ vault, signer, now, state: config.state, conditional },
      ...{ holds: () => lease.check(), former: verifiers.slice(1) },
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
    const parts: Parts = {
      ...{ config, source, tokens, vault, conditional, description, writer, catalog, now, signal, log: console.log },
      ...{ sealer: new Sealer(config.recipients), holds: () => lease.check(), again, mayTakeUp },
      lookFirst: mayTakeUp && !(catalog.clean && writer.continued),
    };
    return await work({ parts, starts, retries: () => retries() + sourceRetries() });
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

/** The client's source, its limits shared with all that this machine asks of it. */
export function openSource(
  config: ClientConfig,
  session: Session,
  priority: Priority,
): { source: Source; starts: Starts; retries: () => number } {
  const { rate } = config.source;
  const share = {
    path: join(config.state, "limits.sqlite"),
    priority,
    onTrouble: (error: unknown) =>
      session.console.log.warn("limits are not shared", { client: config.id, ...errorFields(error) }),
  };
  const starts = ownStarts({ rate, share, signal: session.signal });
  return { ...openSourceWith(starts, config, session), starts };
}

/** The client's source, where somebody grants the starts of its requests. */
export function openSourceWith(
  starts: Starts,
  { source }: ClientConfig,
  { signal, patience }: Session,
): { source: Source; retries: () => number } {
  const { retry = defaultRetry, ...bounds } = patience ?? {};
  let retries = 0;
  const options: HttpOptions = {
    ...{ ...source, apiKey: source.apiKey.resolve(), ...bounds, retry, signal, starts },
    renewKey: () => source.apiKey.resolve(),
    onRetry: () => {
      retries += 1;
    },
  };
  return { source: new PassbaseSource(options), retries: () => retries };
}
