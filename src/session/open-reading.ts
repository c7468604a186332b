import { join } from "node:path";
import { AuditLog, type Head } from "../audit/log.ts";
import { Catalog } from "../catalog/catalog.ts";
import { fillCatalog } from "../catalog/open-catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import { closedBy } from "../io/closing.ts";
import { makePrivateFolder } from "../io/private-folder.ts";
import { type ClientVault, openClientVault, type Session } from "./client.ts";

/** A client's vault and what its log says, for whoever changes nothing. */
export interface Reading extends ClientVault {
  readonly log: AuditLog;
  /** Its signature is checked with the key that vault.json names. */
  readonly head: Head;
  readonly catalog: Catalog;
}

/**
 * Opens what it takes to look at a client's vault, without its lease: beside an export too. The catalog is this
 * machine's where that is as far as the log; else one is made for the while.
 */
export async function openReading(config: ClientConfig, session: Session): Promise<Reading & AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  const client = opened.use(await openClientVault(config, session));
  const log = new AuditLog(client.vault, client.description.log.origin, client.verifiers);
  const head = await log.head();
  const catalog = await readable(config, session, log, head);
  opened.defer(() => catalog.close());
  warnUnreadable(session, config, catalog);
  return closedBy<Reading>({ ...client, log, head, catalog }, opened.move());
}

/** Says that a part of the log could not be read. Everything else is known. */
export function warnUnreadable({ console }: Session, { id }: ClientConfig, catalog: Catalog): void {
  const { count, first } = catalog.unreadable();
  if (count === 0) return;
  console.log.warn(
    `the audit log has entries that cannot be read, and they were passed over; the first is entry ${first}. Run \`holdfast verify\`: it says what is wrong with each`,
    { client: id, count },
  );
}

async function readable(config: ClientConfig, { console }: Session, log: AuditLog, head: Head): Promise<Catalog> {
  const own = await ownCatalog(config, log, head);
  if (own) return own;
  makePrivateFolder(config.state);
  using opened = new DisposableStack();
  const made = Catalog.temporary(join(config.state, `reading-${process.pid}.sqlite`), log.origin);
  opened.defer(() => made.close());
  using progress = console.progress(`${config.id}: log entries`);
  await fillCatalog(made, log, head, progress.update);
  opened.move();
  return made;
}

/** This machine's, where it is as far as the log. */
async function ownCatalog(config: ClientConfig, log: AuditLog, head: Head): Promise<Catalog | undefined> {
  using opened = new DisposableStack();
  const own = Catalog.peek(join(config.state, "catalog.sqlite"), log.origin);
  opened.defer(() => own?.close());
  if (own?.size !== head.size || !(await own.follows(log, head))) return undefined;
  opened.move();
  return own;
}
