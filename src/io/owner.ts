import type { Stats } from "node:fs";

/** Whether a file belongs to this user or to root. True on systems without file owners (Windows). */
export const isOurs = ({ uid }: Stats): boolean =>
  uid === 0 || process.geteuid === undefined || uid === process.geteuid();
