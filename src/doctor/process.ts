import { readFileSync } from "node:fs";
import { FILTER } from "../core/no-core-dump.ts";
import { type Finding, findings } from "./finding.ts";

const { ok, warning } = findings("process");

/** What this process may do that it need not, and what it would leave behind if it crashed. */
export function checkProcess(): Finding[] {
  const root = process.geteuid?.() === 0;
  return [
    root
      ? warning("runs as root", "Run Holdfast as a user of its own: whatever takes it over has that user's rights.")
      : ok("runs without root's rights"),
    checkDumps(),
  ];
}

function checkDumps(): Finding {
  const limit = /^Max core file size +(\S+)/m.exec(text("/proc/self/limits"))?.[1];
  if (limit === "0") return ok("core dumps are off");
  if (/^0+$/.test(text(FILTER).trim())) return ok("core dumps are on, and leave this process's memory out");
  const hint = "Turn them off: ulimit -c 0, LimitCORE=0 (systemd), --ulimit core=0 (Docker).";
  return warning("a core dump of this process would hold keys and records", hint);
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
