import { readFileSync, readlinkSync } from "node:fs";

/**
 * Names a process so that another one can tell whether it is still running: the machine's boot ID, the PID namespace (a
 * container has its own), the PID, and the start time, because PIDs are reused. Linux only. Elsewhere it is undefined,
 * and no process counts as dead.
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

/** The second field is the program's name in parentheses and may contain spaces. The start time is field 22. */
function started(pid: string): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)!.split(" ")[19];
}

/** Whether the process with this name is certainly gone. False if that is unknown. */
export function isDead(name: string | undefined): boolean {
  const here = processName();
  if (name === undefined || here === undefined) return false;
  const [boot, space, pid = "", since] = name.split("/");
  const [ownBoot, ownSpace] = here.split("/");
  if (boot !== ownBoot || space !== ownSpace || !/^\d+$/.test(pid)) return false;
  try {
    return started(pid) !== since;
  } catch (error) {
    // If this process may not look (Node's --permission), the other may be alive.
    return ["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "");
  }
}
