import { join } from "node:path";
import { AuditLog, type Head } from "../audit/log.ts";
import { Catalog, fillCatalog } from "../catalog/catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import { closing } from "../io/closing.ts";
import { makePrivateFolder } from "../io/private-folder.ts";
import { type OpenVault, openClientVault, type Session } from "./client.ts";

/** A client's vault and what its log says, for whoever changes nothing. */
export interface Reading extends OpenVault {
  readonly log: AuditLog;
  /** Its signature is checked with the key that vault.json names. */
  readonly head: Head;
  readonly catalog: Catalog;
}

/**
 * Opens what it takes to look at a client's vault, without its lease: beside an export too. The catalog is this
 * machine's where that is as far as the log; else one is made for the while.
 */
export async function withReading<T>(
  config: ClientConfig,
  session: Session,
  work: (reading: Reading) => Promise<T>,
): Promise<T> {
  return closing(async (opened) => {
    const described = await openClientVault(config, session);
    opened.defer(() => described.vault.close());
    const log = new AuditLog(described.vault, described.description.log.origin, described.verifiers);
    const head = await log.head();
    const catalog = await readable(config, session, log, head);
    opened.defer(() => catalog.close());
    warnUnreadable(session, config, catalog);
    return work({ ...described, log, head, catalog });
  });
}

/** Says that a part of the log could not be read. Everything else is known. */
export function warnUnreadable({ console }: Session, { id }: ClientConfig, catalog: Catalog): void {
  const { count, first } = catalog.unreadable();
  if (count === 0) return;
  console.log.warn(
    `the audit log has entries that cannot be read, and they were passed over; the first is entry ${first}. Run verify: it says what is wrong with each`,
    { client: id, count },
  );
}

async function readable(config: ClientConfig, { console }: Session, log: AuditLog, head: Head): Promise<Catalog> {
  const own = Catalog.peek(join(config.state, "catalog.sqlite"), log.origin);
  if (own && own.size === head.size && (await own.follows(log, head))) return own;
  own?.close();
  makePrivateFolder(config.state);
  const made = Catalog.temporary(join(config.state, `reading-${process.pid}.sqlite`), log.origin);
  const progress = console.progress(`${config.id}: log entries`);
  try {
    await fillCatalog(made, log, head, progress.update);
    return made;
  } catch (error) {
    made.close();
    throw error;
  } finally {
    progress.end();
  }
}
