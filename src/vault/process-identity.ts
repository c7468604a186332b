import { readFileSync, readlinkSync } from "node:fs";

/**
 * Names a process so that another one can tell whether it still lives: this boot of the machine, the process-number
 * space (a container has its own), the number, and when it started, since numbers are used again. Linux only;
 * undefined elsewhere, and then no one is called dead.
 */
export function processName(pid: number = process.pid): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const space = readlinkSync("/proc/self/ns/pid");
    return `${boot}/${space}/${pid}/${started(pid === process.pid ? "self" : String(pid))}`;
  } catch {
    return undefined;
  }
}

/** The second field is the program's name in parentheses and may hold spaces; the start time is the 22nd. */
function started(pid: string): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)!.split(" ")[19];
}

/** Whether a process so named is surely gone: false where that cannot be told. */
export function isDead(name: string | undefined): boolean {
  const here = processName();
  if (name === undefined || here === undefined) return false;
  const [boot, space, pid = "", since] = name.split("/");
  const [ownBoot, ownSpace] = here.split("/");
  if (boot !== ownBoot || space !== ownSpace || !/^\d+$/.test(pid)) return false;
  try {
    return started(pid) !== since;
  } catch (error) {
    // Where it may not be looked at (Node's --permission), it may well be alive.
    return ["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "");
  }
}
