import type { Entries, Page } from "../source/source.ts";
import type { PlanParts, Selection } from "./plan.ts";

/** The entries of a page that must be parsed. */
export interface Rest extends Entries {
  /** How many others there were. Everyone of them is in the vault, and unchanged. */
  readonly same: number;
  /** When the provider last changed one of those, RFC 3339 UTC. */
  readonly updated: string | undefined;
}

/**
 * Leaves out the entries of a page that are, byte for byte, the same as when they said what the vault has. They need not be
 * parsed, and parsing is most of the cost of a night without changes. Entries of people whom the run asks about for another
 * reason stay.
 */
export function withoutSame(page: Page, selection: Selection, parts: PlanParts): Rest {
  const { source, sourceConfig, tokens, catalog } = parts;
  const { unparsed } = page;
  if (!unparsed || selection.kind !== "changed") return { ...entriesOf(page), same: 0, updated: undefined };
  const { isTurn, isGiven } = selection;
  const asked: { place: number; subject: string; entry: string }[] = [];
  for (const [place, { id, bytes }] of unparsed.entries.entries()) {
    if (id === undefined || bytes === undefined) continue;
    // A wrong id finds another person, of whom no such entry was noted.
    const subject = tokens.subject(source.kind, id);
    if (!isTurn?.(subject) && !isGiven?.(subject)) asked.push({ place, subject, entry: tokens.entry(bytes) });
  }
  const { at, updated } = catalog.walk.noteSame(asked, sourceConfig.name);
  const same = new Set(at.map((each) => asked[each]!.place));
  return { ...unparsed.except(same), same: same.size, updated };
}

function entriesOf({ identities, unread, unreadable }: Page): Entries {
  return { identities, unread, unreadable };
}
