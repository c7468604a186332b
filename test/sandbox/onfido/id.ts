/**
 * Onfido's ids are UUIDs. The first word says which applicant an id belongs to and the last one which of its objects it
 * names, each under a keyed permutation; the rest is a checksum. So there is no table of ids.
 */
import { placedId, placeOfId } from "../id.ts";
import { hash } from "../random.ts";

/** Every kind of object with an id of its own. */
export const KINDS = [
  ...["applicant", "check", "report", "document", "live_photo", "live_video", "motion_capture", "id_photo"],
  ...["signing_document", "workflow_run", "watchlist_monitor", "match", "workflow", "evidence", "signed"],
] as const;

export type Kind = (typeof KINDS)[number];

export interface Place {
  readonly kind: Kind;
  /** The index of the applicant. */
  readonly index: number;
  /** Which one of several. */
  readonly at: number;
}

const keyOf = (seed: number, kind: Kind) => hash(seed, 300, ...Buffer.from(kind));

export function onfidoId(seed: number, kind: Kind, index: number, at = 0): string {
  return placedId(keyOf(seed, kind), index, at);
}

/** The place of an id of this kind, or undefined if this sandbox never made it. */
export function placeOf(seed: number, kind: Kind, id: string): Place | undefined {
  const place = placeOfId(keyOf(seed, kind), id);
  return place && { kind, ...place };
}
