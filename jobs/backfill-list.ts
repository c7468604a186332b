import { IdList } from "../src/backfill/id-list.ts";
import type { Outcomes } from "../src/backfill/outcomes.ts";
import { askedSources } from "../src/config/sources.ts";
import { HoldfastError } from "../src/core/error.ts";
import { number, plural } from "../src/observe/format.ts";
import type { Session } from "../src/session/client.ts";
import type { ExportSummary } from "../src/session/export-summary.ts";

export interface IdListFlags {
  readonly ids?: string;
  readonly references?: string;
  readonly report?: string;
}

/** The list of ids that the command line names, if it names one. */
export async function idListOf(
  session: Session,
  { ids, references, report }: IdListFlags,
): Promise<IdList | undefined> {
  const path = ids ?? references;
  if (path === undefined) {
    if (report === undefined) return undefined;
    throw new HoldfastError("usage", "--report needs --ids or --references", { hint: "Add one of them." });
  }
  const asked = session.clients.flatMap((client) => askedSources(client));
  if (asked.length > 1)
    throw new HoldfastError("usage", "a list of ids is of one source, but the config asks several", {
      hint: `Add --source ${asked.map(({ name }) => name).join(" or --source ")}${session.clients.length > 1 ? ", and --client <id>" : ""}.`,
    });
  return IdList.open(path, ids === undefined ? "references" : "ids", process.stdin, session.signal);
}

/** Throws `partial` if nothing failed but lines that are no ids: no later run takes them. This sets the exit code. */
export function refuseMalformed(summaries: readonly ExportSummary[], outcomes: Outcomes): void {
  const { malformed, malformedCount, notFound } = outcomes;
  const failed = summaries.reduce((sum, of) => sum + of.failed, 0);
  if (malformedCount === 0 || failed > malformedCount) return;
  if (summaries.some(({ outcome }) => outcome === "interrupted")) return;
  const more = malformedCount > malformed.length ? ", …" : "";
  const also = notFound.length > 0 ? `. Neither the provider nor the vault has lines ${notFound.join(", ")}` : "";
  throw new HoldfastError(
    "partial",
    `${plural(malformedCount, "line is no id", "lines are no ids")}: ${malformed.join(", ")}${more}${also}`,
    {
      hint: "Correct these lines and run again with the whole list: who is in the vault already is not stored again.",
    },
  );
}

/** Throws `partial` if the provider does not have everyone of the list. This sets the exit code. */
export function refuseNotFound(summaries: readonly ExportSummary[], { notFound }: Outcomes, report?: string): void {
  const count = summaries.reduce((sum, of) => sum + of.notFound, 0);
  if (count === 0) return;
  const lines = `${notFound.length === 1 ? "line" : "lines"} ${notFound.join(", ")}${count > notFound.length ? ", …" : ""}`;
  throw new HoldfastError("partial", `neither the provider nor the vault has ${number(count)} of the list: ${lines}`, {
    hint:
      report === undefined
        ? "Check the ids, and that the key is of the project that they are from. --report <file> says it for each line."
        : `Check the ids, and that the key is of the project that they are from. ${report} has each line.`,
  });
}
