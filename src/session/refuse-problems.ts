import { HoldfastError } from "../core/error.ts";
import { plural } from "../observe/format.ts";
import type { VerifyReport } from "../verify/verify.ts";

/**
 * Throws `incomplete` if there is any problem; `unlocked` if expired locks are the only one; `partial` if the store's listing
 * cannot be trusted. This sets the exit code.
 */
export function refuseProblems(reports: readonly Pick<VerifyReport, "problems" | "unlocked" | "unlisted">[]): void {
  const sum = (of: "problems" | "unlocked" | "unlisted"): number =>
    reports.reduce((total, report) => total + report[of], 0);
  const [problems, unlocked, unlisted] = [sum("problems"), sum("unlocked"), sum("unlisted")];
  if (problems === 0) {
    if (unlocked === 0 && unlisted > 0) {
      throw new HoldfastError(
        "partial",
        `the store's listing is wrong about ${plural(unlisted, "object")} that ${unlisted === 1 ? "is" : "are"} there as logged; what else it leaves out could not be checked`,
        { hint: "Run `holdfast verify` again. If it says the same, ask the operator of the store." },
      );
    }
    if (unlocked === 0) return;
    throw new HoldfastError(
      "unlocked",
      `${plural(unlocked, "object")} must be locked and ${unlocked === 1 ? "is" : "are"} not; nothing was changed`,
      {
        hint: "Run `holdfast retention extend`. Then find out why the nightly export did not extend the locks.",
      },
    );
  }
  throw new HoldfastError("incomplete", `${plural(problems, "problem")}: the vault does not match its log`, {
    hint: "Keep the log and this output. The vault may still have earlier versions of a changed object. Export missing records again while the provider has them.",
  });
}
