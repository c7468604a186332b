/** Stripe's ids, `vs_` and 24 letters and digits. As in the sandbox of Persona, an id itself says what it names. */
import { bareId, type Place, placeOfBare } from "../persona/id.ts";

/** Prefixes as Stripe writes them: sessions, reports, files, file links, events, accounts, requests. */
const KINDS = ["vs", "vr", "file", "link", "evt", "acct", "req"] as const;

export type Kind = (typeof KINDS)[number];

/** Keeps the ids apart from Persona's, which has a kind of the same name. */
const keyed = (kind: Kind) => `stripe ${kind}`;

export const stripeId = (seed: number, kind: Kind, index: number, at = 0): string =>
  `${kind}_${bareId(seed, keyed(kind), index, at)}`;

/** Which object of that kind an id names, or undefined if this sandbox never made it. */
export function placeOf(seed: number, kind: Kind, id: string): Place | undefined {
  const [prefix, bare = "", rest] = id.split("_");
  return prefix === kind && rest === undefined ? placeOfBare(seed, keyed(kind), bare) : undefined;
}
