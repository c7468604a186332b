import { join } from "node:path";
import { Journal } from "../audit/journal.ts";
import { headAfterLastSeen } from "../audit/last-seen.ts";
import { AuditLog, type Head } from "../audit/log.ts";
import { leafHash } from "../audit/merkle.ts";
import { SignedLog } from "../audit/signed-log.ts";
import { Catalog } from "../catalog/catalog.ts";
import { fillCatalog } from "../catalog/fill-catalog.ts";
import { catalogFile } from "../catalog/open-catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import { closedBy } from "../io/closing.ts";
import { makePrivateFolder } from "../io/private-folder.ts";
import { anotherLogKey, ownKey } from "./another-key.ts";
import { type ClientVault, openClientVault, type Session } from "./client.ts";

/** A client's vault and log, opened for reading. */
export interface Reading extends ClientVault {
  readonly log: AuditLog;
  /**
   * Its signature was checked with the key in vault.json. This key is the config's, and the head continues the one that
   * this machine saw last, where this machine has them.
   */
  readonly head: Head;
  readonly catalog: Catalog;
}

/**
 * Opens a client's vault for reading. Needs no lease, so it works during an export. Uses this machine's catalog if it is
 * up to date with the log; otherwise rebuilds a temporary one. Throws like `verify` if the vault was rolled back or shows
 * a log under another key.
 * @param withRun whether the catalog may also have what a run of this machine has done and not written to the log yet
 */
export async function openReading(
  config: ClientConfig,
  session: Session,
  withRun = false,
): Promise<Reading & AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  const client = opened.use(await openClientVault(config, session));
  const log = new AuditLog(client.vault, client.description.log.origin, client.verifiers);
  const own = await ownKey(config);
  if (own !== undefined && own !== client.description.log.vkey)
    throw await anotherLogKey(config, client.description, client.vault.url);
  const head = await headAfterLastSeen(config.state, log);
  const signed = new SignedLog(log, head);
  const catalog = (await ownCatalog(config, log, signed, withRun)) ?? (await temporary(config, session, signed));
  opened.defer(() => catalog.close());
  warnUnreadable(session, config, catalog);
  return closedBy<Reading>({ ...client, log, head, catalog }, opened.move());
}

/** Warns that a part of the log could not be read. The rest is known. */
export function warnUnreadable({ console }: Session, { id }: ClientConfig, catalog: Catalog): void {
  const { count, first } = catalog.unreadable();
  if (count === 0) return;
  console.log.warn(
    `the audit log has unreadable entries, which were skipped; the first is entry ${first}. Run \`holdfast verify\` to see what is wrong with each`,
    { client: id, count },
  );
}

async function temporary(config: ClientConfig, { console }: Session, log: SignedLog): Promise<Catalog> {
  makePrivateFolder(config.state);
  using opened = new DisposableStack();
  const made = Catalog.temporary(join(config.state, `reading-${process.pid}.sqlite`), log.origin);
  opened.defer(() => made.close());
  using progress = console.progress(`${config.id}: log entries`);
  await fillCatalog(made, log, progress.update);
  opened.move();
  return made;
}

/** This machine's catalog, if it is up to date with the log. */
async function ownCatalog(
  config: ClientConfig,
  log: AuditLog,
  signed: SignedLog,
  withRun: boolean,
): Promise<Catalog | undefined> {
  using opened = new DisposableStack();
  const own = Catalog.peek(catalogFile(config.state), log.origin);
  if (own === undefined) return undefined;
  opened.defer(() => own.close());
  const isCurrent =
    own.size === signed.head.size
      ? await own.follows(signed)
      : withRun && (await isOfRun(own, config, log, signed.head));
  if (!isCurrent) return undefined;
  opened.move();
  return own;
}

/** Whether a run of this machine wrote the catalog beyond the log: its last entry is in the journal, or in the log by now. */
async function isOfRun(own: Catalog, config: ClientConfig, log: AuditLog, head: Pick<Head, "size">): Promise<boolean> {
  const end = own.end();
  if (end.size <= head.size) return false;
  const journal = await new Journal(join(config.state, "journal")).inspect().catch(() => []);
  const last = journal.find(({ index }) => index === end.size - 1);
  if (last) return leafHash(last.bytes).equals(end.leaf!);
  return own.follows(new SignedLog(log, await headAfterLastSeen(config.state, log)), end);
}
