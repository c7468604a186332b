import type { Stats } from "node:fs";

/** Whether a file belongs to this user, or to root. Where files have no owners (Windows) it does. */
export const isOurs = ({ uid }: Stats): boolean =>
  uid === 0 || process.geteuid === undefined || uid === process.geteuid();
