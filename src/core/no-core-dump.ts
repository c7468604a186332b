import { writeFileSync } from "node:fs";

/** What the kernel writes into a core dump of this process (core(5)): one bit for each kind of memory. */
export const FILTER = "/proc/self/coredump_filter";

/**
 * Keeps this process's memory, and with it keys and records, out of core dumps, and its environment out of Node's crash
 * reports. A limit on dumps is nothing a process without native code can set; what is in them it can, on Linux. The
 * registers stay: a few hundred bytes of what was copied last. Where it cannot be done `doctor` says so.
 */
export function keepMemoryOutOfDumps(): void {
  process.report.excludeEnv = true;
  try {
    writeFileSync(FILTER, "0");
  } catch {
    // Another system, or a sandbox that forbids it.
  }
}
