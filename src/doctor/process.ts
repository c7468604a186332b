import { readFileSync } from "node:fs";
import { FILTER } from "../core/no-core-dump.ts";
import { type Finding, findings } from "./finding.ts";

const { ok, warning } = findings("process");

/** Checks rights that this process does not need, and what a crash would leave behind. */
export function checkProcess(): Finding[] {
  const root = process.geteuid?.() === 0;
  return [
    root
      ? warning("runs as root", "Run Holdfast as its own user: an attacker who takes it over gets that user's rights.")
      : ok("does not run as root"),
    checkDumps(),
  ];
}

function checkDumps(): Finding {
  const limit = /^Max core file size +(\S+)/m.exec(text("/proc/self/limits"))?.[1];
  if (limit === "0") return ok("core dumps are off");
  if (/^0+$/.test(text(FILTER).trim())) return ok("core dumps are on but exclude this process's memory");
  const hint = "Turn them off: ulimit -c 0, LimitCORE=0 (systemd), --ulimit core=0 (Docker).";
  return warning("a core dump of this process would contain keys and records", hint);
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
