import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Signer } from "../audit/note.ts";
import { AuditWriter } from "../audit/writer.ts";
import { type Catalog, openCatalog } from "../catalog/catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import type { SecretRef } from "../config/secret.ts";
import { type Clock, steady } from "../core/clock.ts";
import { closing } from "../io/closing.ts";
import type { Tokens } from "../record/tokens.ts";
import { firstMode } from "../retention/first-lock.ts";
import type { VaultDescription } from "../vault/description.ts";
import { Lease } from "../vault/lease.ts";
import type { Conditional, Vault } from "../vault/vault.ts";
import { openClientVault, openSigner, openTokens, type Session } from "./client.ts";
import { warnUnreadable } from "./open-reading.ts";
import { checkTime, type Destroys } from "./right-time.ts";
import { stampHead } from "./stamp-head.ts";

export interface LogOptions {
  readonly job: string;
  /** See `Lease`: somebody else waits for the vault. */
  readonly onWanted?: (() => void) | undefined;
  readonly destroys?: Destroys;
}

/** A client's vault, held by this process, with its log and catalog. */
export interface Held {
  readonly vault: Vault;
  readonly description: VaultDescription;
  readonly conditional: Conditional;
  readonly signer: Signer;
  readonly tokens: Tokens;
  readonly writer: AuditWriter;
  readonly catalog: Catalog;
  readonly now: Clock;
  /** Throws `busy` once this process no longer surely holds the vault. */
  readonly holds: () => void;
  /** Attempts at the vault that had to be made again so far. */
  readonly retries: () => number;
  /** Has the log's head stamped by the client's time-stamping authority; done at the end anyhow. Never throws. */
  readonly stamp: () => Promise<Uint8Array | undefined>;
}

/** Opens what it takes to write a client's log, its lease first, and closes all of it after `work`. */
export async function withLog<T>(
  config: ClientConfig,
  session: Session,
  { job, onWanted, destroys }: LogOptions,
  work: (held: Held) => Promise<T>,
): Promise<T> {
  const { console, signal } = session;
  const now = steady(session.now);
  return closing(async (opened) => {
    const { vault, description, verifiers, retries } = await openClientVault(config, session);
    opened.defer(() => vault.close());
    const signer = await openSigner(config, description);
    const tokens = await openTokens(config, description);
    warnOf(session, config, [config.log.key, config.lookups.key]);
    const conditional = description.store ?? { ifNoneMatch: false, ifMatch: false };
    await checkTime(config, session, vault, description, destroys);
    const lease = await Lease.acquire(vault, { job, now, onWanted, signal });
    opened.defer(() => lease.release());
    const holds = (): void => lease.check();
    const hadCatalog = existsSync(join(config.state, "catalog.sqlite"));
    const writer = await AuditWriter.open({
      ...{ vault, signer, now, state: config.state, conditional, holds, former: verifiers.slice(1) },
      lock: { mode: firstMode(config), initial: config.retention.initialLock },
    });
    opened.defer(() => writer.close());
    const rebuilding = console.progress("catalog");
    const catalog = await openCatalog(join(config.state, "catalog.sqlite"), writer.log, writer.head, rebuilding.update);
    rebuilding.end();
    opened.defer(() => catalog.close());
    warnUnreadable(session, config, catalog);
    if (!writer.continued) {
      console.log.warn("this machine has not seen this log before: compare its checkpoint with your auditor's", {
        client: config.id,
        count: writer.size,
      });
    }
    if (!hadCatalog && writer.size > 0)
      console.log.info("catalog made from the log", { client: config.id, count: writer.size });
    let stamped: { readonly size: number; readonly answer: Promise<Uint8Array | undefined> } | undefined;
    const stamp = () => {
      // An authority that could not be had a moment ago is not waited for again.
      if (stamped?.size !== writer.head.size) {
        stamped = { size: writer.head.size, answer: stampHead(config, session, { vault, writer, now }) };
      }
      return stamped.answer;
    };
    const held = { vault, description, conditional, signer, tokens, writer, catalog, now, holds, retries, stamp };
    const done = await work(held);
    await stamp();
    return done;
  });
}

/** Says what is unwise about these secrets' files. */
export function warnOf({ console }: Session, { id }: ClientConfig, secrets: readonly SecretRef[]): void {
  for (const warning of secrets.flatMap((secret) => secret.warnings())) console.log.warn(warning, { client: id });
}
