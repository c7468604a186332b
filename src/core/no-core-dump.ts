import { writeFileSync } from "node:fs";

/** Which memory the kernel writes into a core dump of this process (core(5)), one bit per type. */
export const FILTER = "/proc/self/coredump_filter";

/**
 * Keeps this process's memory, with keys and records, out of core dumps, and its environment out of Node's crash
 * reports. Without native code a process cannot limit dumps, but on Linux it can choose their content. Registers
 * remain: a few hundred bytes of recently copied data. If this fails, `doctor` reports it.
 */
export function keepMemoryOutOfDumps(): void {
  process.report.excludeEnv = true;
  try {
    writeFileSync(FILTER, "0");
  } catch {
    // Not Linux, or a sandbox forbids it.
  }
}
