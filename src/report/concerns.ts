import { plural, verifications } from "../observe/format.ts";
import { type Html, html, prose } from "../page/html.ts";
import { withheldText } from "./coverage.ts";
import { areRetired } from "./coverage-section.ts";
import { OUTCOMES } from "./exports-section.ts";
import { locksEndedText } from "./keeping-section.ts";
import { leavingText } from "./leaving.ts";
import { daysSince, LONG_AGO } from "./proof-section.ts";
import { NIGHTS, type Report, type WaitingWebhooks } from "./report.ts";
import { underWayText } from "./under-way.ts";

/** What someone should look at; `isBad` where something unprotected or damaged is meant. */
interface Concern {
  readonly words: string;
  readonly isBad?: boolean;
}

/** The first thing on the page. */
export function verdict(report: Report): Html {
  const found = concerns(report);
  if (found.length === 0)
    return html`<div class="attention good"><strong class="good">Nothing needs attention.</strong></div>`;
  const colour = found.some(({ isBad }) => isBad) ? "bad" : "unsure";
  return html`<div class="attention ${colour}">
<strong class="${colour}">Needs attention:</strong>
<ul>${found.map(({ words, isBad }) => (isBad ? html`<li class="bad">${prose(words)}</li>` : html`<li>${prose(words)}</li>`))}</ul>
</div>`;
}

/** In the order in which it matters. */
function concerns(report: Report): Concern[] {
  const { coverage, nights, horizon, verified, notAsked, isPolicyLogged, made, underWay, sources, leaving } = report;
  const { webhooks } = report;
  const last = nights.findLast(({ outcome }) => outcome !== "none");
  const quiet = nights.length - 1 - nights.findLastIndex(({ outcome }) => outcome !== "none");
  const { missing, changed, failed, withheld, source } = coverage;
  const purgeable = horizon.past.subjects - horizon.past.held - horizon.past.locked;
  const is = (holds: boolean, words: () => string, isBad = false): Concern[] =>
    holds ? [{ words: words(), isBad }] : [];
  return [
    ...is(horizon.locksEnded > 0, () => locksEndedText(horizon.locksEnded), true),
    ...is(
      (verified?.unlocked ?? 0) > 0,
      () =>
        `At the last verification ${plural(verified!.unlocked!, "object")} that must be locked ${verified!.unlocked === 1 ? "was" : "were"} not. Run \`holdfast retention extend\`.`,
      true,
    ),
    ...is(
      (verified?.problems ?? 0) > 0,
      () => `The last verification found ${plural(verified!.problems, "problem")}.`,
      true,
    ),
    ...is(
      (verified?.unlisted ?? 0) > 0,
      () => "At the last verification the store's listing was wrong, so not everything could be checked.",
    ),
    ...is(last === undefined, () =>
      coverage.vault.subjects + coverage.purged > 0
        ? `No export ran in the last ${NIGHTS} nights.`
        : "Nothing was ever exported.",
    ),
    ...is(
      last !== undefined && last.outcome !== "running" && quiet > 1,
      () => `No export ran for ${plural(quiet, "night")}; the last one was on ${last!.day}.`,
    ),
    ...is(
      last !== undefined && last.outcome !== "done" && last.outcome !== "running" && sources.length === 1,
      () => `The last export, on ${last!.day}, ${OUTCOMES[last!.outcome].words}.`,
    ),
    ...(sources.length > 1 ? sources.flatMap(sourceConcern) : []),
    ...sources.flatMap(({ name, retired, stalled }) => is(!retired && stalled > 0, () => stalledText(name, stalled))),
    ...leaving.flatMap((of) => is(leavingText(of) !== "", () => leavingText(of))),
    ...is(missing.count > 0, () => `${verifications(missing.count)} at the source, and not in the vault.`),
    ...is(changed.count > 0, () => `${verifications(changed.count)} changed at the source since the last export.`),
    ...(webhooks ?? []).flatMap((of) => is(isLate(of, made), () => lateText(of))),
    ...is(
      webhooks === null,
      () =>
        "Could not read whom webhooks named: the inbox on this machine is damaged or unreadable. Run `holdfast doctor`.",
    ),
    ...is(failed.count > 0, () => `${verifications(failed.count)} could not be exported when last tried.`),
    ...is(
      withheld.count > 0,
      () => `${withheldText(withheld)}. Run \`holdfast export --withheld\` once the provider grants them.`,
    ),
    ...is(
      (source?.unreadable ?? 0) > 0,
      () => `${plural(source!.unreadable, "line")} of the source's list cannot be read.`,
    ),
    ...is(
      purgeable > 0,
      () =>
        `${verifications(purgeable)} past the end of the retention period. Run \`holdfast retention purge\`: it lists them.`,
    ),
    ...is(
      verified?.keyTrusted === false,
      () => "The last verification took the log key from the vault itself. Run `holdfast verify` with --vkey.",
    ),
    ...is(verified === null, () => "The vault was never verified on this machine."),
    ...is(
      verified !== null && daysSince(verified.time, made) > LONG_AGO,
      () => `The vault was last verified ${plural(daysSince(verified!.time, made), "day")} ago.`,
    ),
    ...is(!isPolicyLogged, () => "The rules below are those of the config; the log has others, until the next export."),
    ...is(notAsked !== null && !areRetired(sources), () => `The source was not asked: ${notAsked}`),
    ...is(underWay.state === "unknown", () => underWayText(underWay)!),
  ];
}

/** A later run of another source does not make this one's failure good. */
function sourceConcern({ name, retired, outcome, time }: Report["sources"][number]): Concern[] {
  if (retired || outcome === "done" || outcome === "running") return [];
  if (time === null) return [{ words: `No run of the source ${name} is in the log.` }];
  return [{ words: `The last run of the source ${name}, on ${time.slice(0, 10)}, ${OUTCOMES[outcome].words}.` }];
}

function stalledText(source: string, count: number): string {
  return `${plural(count, "drop")} of the source ${source} began more than three days before its last run, and ${count === 1 ? "is" : "are"} not complete: no one in ${count === 1 ? "it" : "them"} is exported. Run \`holdfast folder check\`.`;
}

/** An event that has waited longer than this, in days, is of someone who fails in every run. */
const LONG_WAIT = 3;

const isLate = ({ oldest }: WaitingWebhooks, made: string): boolean =>
  oldest !== null && daysSince(oldest, made) >= LONG_WAIT;

function lateText({ source, people, oldest }: WaitingWebhooks): string {
  return `${verifications(people)} named by webhooks of the source ${source} and not exported since, the first on ${oldest!.slice(0, 10)}. The last run's log names who fails in every run.`;
}
