/** Objects as the API sends them, in the words of Stripe's own types: the compiler holds the sandbox to them. */
import type Stripe from "stripe";

export type Session = Stripe.Identity.VerificationSession;
export type Report = Stripe.Identity.VerificationReport;
export type FileObject = Stripe.File;
export type FileLink = Stripe.FileLink;

export const VERSION = "2026-10-28.endive";

/** What Stripe writes in place of every string it redacted. */
export const REDACTED = "[redacted]";

export interface Day {
  readonly day: number;
  readonly month: number;
  readonly year: number;
}

export function day(iso: string, redacted: boolean): Day {
  if (redacted) return { day: 1, month: 1, year: 1 };
  const [year, month, date] = iso.split("-").map(Number);
  return { day: date!, month: month!, year: year! };
}
