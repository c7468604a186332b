import type { ClientConfig } from "../config/config.ts";
import { type Coverage, coverageOf, type Lacking } from "../report/coverage.ts";
import { openTokens, type Session } from "./client.ts";
import type { Reading } from "./open-reading.ts";
import { openSource } from "./open-source.ts";

/**
 * Compares the source with the vault of an open client.
 * @param onLacking receives the provider id of each identity that the vault lacks something of, which is personal: only for a terminal
 */
export async function coverageNow(
  config: ClientConfig,
  session: Session,
  { catalog, description }: Pick<Reading, "catalog" | "description">,
  onLacking: (subject: string, id: string, kind: Lacking) => void = () => {},
): Promise<Coverage> {
  const tokens = await openTokens(config, description);
  await using opened = await openSource(config, session, "low");
  const { source } = opened;
  const about = catalog.totals.counts().subjects;
  using progress = session.console.progress(`${config.id}: listed`);
  // The identities of one page.
  let ids = new Map<string, string>();
  async function* pages() {
    let walked = 0;
    for await (const { identities, unread, unreadable } of source.pages()) {
      session.signal.throwIfAborted();
      ids = new Map([...identities.map(({ id }) => id), ...unread].map((id) => [tokens.subject(source.kind, id), id]));
      yield {
        unreadable,
        unread: unread.map((id) => tokens.subject(source.kind, id)),
        identities: identities.map(({ id, updated, raw }) => {
          return { subject: tokens.subject(source.kind, id), listed: tokens.listed(updated, raw), updated };
        }),
      };
      walked += identities.length + unread.length;
      progress.update(walked, { about });
    }
  }
  return await coverageOf(catalog, config, pages(), session.now(), (subject, kind) =>
    onLacking(subject, ids.get(subject)!, kind),
  );
}
