import { readFileSync, readlinkSync } from "node:fs";

/**
 * Names a process so that another one can tell whether it still lives: this boot of the machine, the process-number
 * space (a container has its own), the number, and when it started, since numbers are used again. Linux only;
 * undefined elsewhere, and then nobody is called dead.
 */
export function processName(pid: number = process.pid): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const space = readlinkSync("/proc/self/ns/pid");
    // The second field is the program's name in parentheses and may hold spaces; the start time is the 22nd.
    const started = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)!.split(" ")[19];
    return `${boot}/${space}/${pid}/${started}`;
  } catch {
    return undefined;
  }
}

/** Whether a process so named is surely gone: false where that cannot be told. */
export function isDead(name: string | undefined): boolean {
  const here = processName();
  if (name === undefined || here === undefined) return false;
  const [boot, space, pid] = name.split("/");
  const [ownBoot, ownSpace] = here.split("/");
  return boot === ownBoot && space === ownSpace && processName(Number(pid)) !== name;
}
