import { existsSync } from "node:fs";
import { AuditWriter } from "../audit/writer.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { catalogFile, openCatalog } from "../catalog/open-catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import type { SecretRef } from "../config/secret.ts";
import { steady } from "../core/clock.ts";
import type { HeldVault } from "../held/held-vault.ts";
import { closedBy } from "../io/closing.ts";
import { toSecond } from "../retention/due.ts";
import { firstMode } from "../retention/first-lock.ts";
import { Lease } from "../vault/lease.ts";
import { openClientVault, openSigner, openTokens, type Session } from "./client.ts";
import { warnUnreadable } from "./open-reading.ts";
import { checkTime, type Destroys } from "./right-time.ts";
import { stampHead } from "./stamp-head.ts";

export interface LogOptions {
  readonly job: string;
  /** See `Lease`: another process waits for the vault. */
  readonly onWanted?: (() => void) | undefined;
  readonly destroys?: Destroys;
}

/** Opens a client's log for writing. Takes the lease first. */
export async function openLog(
  config: ClientConfig,
  session: Session,
  { job, onWanted, destroys }: LogOptions,
): Promise<HeldVault & AsyncDisposable> {
  const { console, signal } = session;
  const now = steady(session.now);
  await using opened = new AsyncDisposableStack();
  const { vault, description, verifiers, retries } = opened.use(await openClientVault(config, session));
  const signer = await openSigner(config, description);
  const tokens = await openTokens(config, description);
  warnOf(session, config, [config.log.key, config.lookups.key]);
  const conditional = description.store ?? { ifNoneMatch: false, ifMatch: false };
  await checkTime(config, session, vault, description, destroys);
  const lease = await Lease.acquire(vault, { job, now, onWanted, signal });
  opened.defer(() => lease.release());
  const holds = (): void => lease.check();
  const path = catalogFile(config.state);
  // Only for the messages below. If the file cannot be read, opening it reports why.
  const hadCatalog = existsSync(path);
  let pieces: Catalog["pieces"] | undefined;
  const writer = await AuditWriter.open({
    vault,
    signer,
    former: verifiers.slice(1),
    state: config.state,
    conditional,
    lock: { mode: firstMode(config), initial: config.retention.initialLock },
    now,
    holds,
    // Then no one needs to ask the store for it tonight.
    onLocked: (key, versionId, until) => pieces?.note(key, versionId, until.toString(), toSecond(now())),
  });
  opened.defer(() => writer.close());
  using rebuilding = console.progress("catalog");
  const catalog = await openCatalog(path, writer.signed, rebuilding.update);
  pieces = catalog.pieces;
  opened.defer(() => {
    // The writer closes after this, and may be in the middle of a batch.
    pieces = undefined;
    catalog.close();
  });
  rebuilding.end();
  warnUnreadable(session, config, catalog);
  if (!writer.continued) {
    console.log.warn("first use of this log on this machine: compare its checkpoint with your auditor's", {
      client: config.id,
      count: writer.size,
    });
  }
  if (!hadCatalog && writer.size > 0)
    console.log.info("catalog rebuilt from the log", { client: config.id, count: writer.size });
  let stamped: { readonly size: number; readonly answer: Promise<Uint8Array | undefined> } | undefined;
  const stamp = () => {
    // Do not wait again for an authority that was unreachable a moment ago.
    if (stamped?.size !== writer.head.size) {
      stamped = { size: writer.head.size, answer: stampHead(config, session, { vault, writer, now }) };
    }
    return stamped.answer;
  };
  const held: HeldVault = {
    config,
    vault,
    description,
    conditional,
    signer,
    tokens,
    writer,
    catalog,
    now,
    signal,
    holds,
    retries,
    stamp,
  };
  return closedBy(held, opened.move());
}

/** Warns about insecure files of these secrets. */
export function warnOf({ console }: Session, { id }: ClientConfig, secrets: readonly SecretRef[]): void {
  for (const warning of secrets.flatMap((secret) => secret.warnings())) console.log.warn(warning, { client: id });
}
