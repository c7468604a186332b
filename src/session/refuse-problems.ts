import { HoldfastError } from "../core/error.ts";
import { plural } from "../observe/format.ts";
import type { Problem } from "../verify/problem.ts";
import type { VerifyReport } from "../verify/verify.ts";

interface Refused extends Pick<VerifyReport, "problems" | "unlocked" | "unlisted"> {
  /** The first of the problems. */
  readonly found: readonly Problem[];
}

/**
 * Throws `incomplete` if there is any problem; `unlocked` if expired locks are the only one; `partial` if the store's listing
 * cannot be trusted. This sets the exit code.
 */
export function refuseProblems(reports: readonly Refused[]): void {
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
    hint: hintsOf(reports.flatMap(({ found }) => found)),
  });
}

function hintsOf(found: readonly Problem[]): string[] {
  const locks = found.filter(({ lockDue }) => lockDue !== undefined).length;
  return [
    ...(locks > 0 ? ["Keep the log and this output.", LOCKS] : []),
    ...(locks < found.length || found.length === 0
      ? [
          `${locks > 0 ? "" : "Keep the log and this output. "}The vault may still have earlier versions of a changed object. Export missing records again while the provider has them.`,
        ]
      : []),
  ];
}

/** `retention extend` goes by the log's locks, so it sees nothing to do. */
const LOCKS =
  "Holdfast sets a lock that was shortened again only when the logged one is due. In S3 set it now: aws s3api put-object-retention --bucket <bucket> --key <prefix>/<key> --version-id <id> --retention Mode=<MODE>,RetainUntilDate=<time>. `holdfast verify --json` names each. Then find out who may shorten locks (docs/OPERATING.md, A lock that was shortened).";
