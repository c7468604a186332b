import type { Ready } from "../../config/folder-section.ts";
import type { SourceCheck } from "../source.ts";
import { type FoundDrops, isTaken, waitingIn } from "./drops.ts";

/** Which drops are whole, for `doctor`. Without their names. */
export function dropChecks({ drops, files }: FoundDrops, ready: Ready): SourceCheck[] {
  const { count: waiting, stalled } = waitingIn(drops);
  const whole = drops.filter(isTaken).length;
  const faulty = drops.length - whole - waiting;
  const dropsText = drops.length === 1 ? "1 drop" : `${drops.length} drops`;
  const checks: SourceCheck[] = [];
  if (drops.length === 0)
    checks.push({
      outcome: "warning",
      message: "no drop is there yet",
      hint: "Put each drop into a folder of its own, or check the source's url and entries.",
    });
  if (whole > 0 && files.length === 0)
    checks.push({
      outcome: "warning",
      message: "no file with entries is in any whole drop",
      hint: "Check the source's entries: by default .json, .jsonl, .ndjson and .csv files at a drop's top are read.",
    });
  if (whole > 0)
    checks.push({ outcome: "ok", message: `${whole} of ${dropsText} ${whole === 1 ? "is" : "are"} whole` });
  if (faulty > 0)
    checks.push({
      outcome: "warning",
      message: `${faulty} of ${dropsText} cannot be taken`,
      hint: "Run `holdfast folder check`: it says which, by number, and why.",
    });
  if (waiting > 0)
    checks.push({
      outcome: "warning",
      message: `${waiting} of ${dropsText} ${waiting === 1 ? "is" : "are"} not taken yet: ${waitText(ready)}${stalledText(stalled)}`,
      hint: "Wait until the drop is complete. If it is, check `ready` of this source in the config.",
    });
  return checks;
}

const stalledText = (stalled: number): string => (stalled > 0 ? `; ${stalled} for more than three days` : "");

export function waitText(ready: Ready): string {
  return ready.kind === "marker"
    ? `the file ${ready.name} is not at the top`
    : `something in them changed less than ${ready.time.toLocaleString("en", { style: "long" })} ago`;
}
