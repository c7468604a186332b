import type { SealedRecord } from "../record/record.ts";
import { dossierOf } from "./dossier/dossier.ts";
import { resultsOf } from "./dossier/result.ts";
import { type Child, element, foreign } from "./element.ts";
import { cut, instant, plural } from "./format.ts";
import { isObject } from "./json.ts";
import { label } from "./label.ts";
import { badge } from "./status.ts";
import { fromProvider } from "./table.ts";

export const OUTCOMES = { good: "Verified", bad: "Not verified", unsure: "Undecided" } as const;

export function verdictOn(verified: unknown): keyof typeof OUTCOMES {
  return verified === true ? "good" : verified === false ? "bad" : "unsure";
}

/** The outcome at a glance. A minimal record has nothing but it. */
export function outcomeView({ identity, ...record }: SealedRecord): HTMLElement {
  const said: Readonly<Record<string, unknown>> = isObject(identity) ? identity : {};
  const verdict = verdictOn(said.verified);
  const status = typeof said.status === "string" ? label(cut(said.status, 80)) : null;
  const clean = isObject(said.watchlist) ? said.watchlist.clean : undefined;
  const matches = reportMatches(said.watchlist);
  const results = resultsOf(dossierOf(record).checks);
  return element(
    "p",
    { class: "outcome" },
    element("span", {}, fromProvider()),
    element("span", {}, "Identity ", badge(verdict, OUTCOMES[verdict])),
    status !== null && element("span", {}, "Provider's verdict ", element("strong", {}, foreign(status))),
    typeof said.updated === "string" &&
      element("span", {}, "As of ", element("strong", {}, instant(cut(said.updated, 40)))),
    results.length > 0 &&
      element(
        "span",
        {},
        "Checks ",
        results.flatMap(({ word, verdict, count }) => [badge(verdict, `${count} ${label(word).toLowerCase()}`), " "]),
      ),
    typeof clean === "boolean" &&
      element("span", {}, "Watchlist ", badge(clean ? "good" : "bad", clean ? "No match" : "Match")),
    matches !== null &&
      element("span", {}, "Reports ", badge(matches ? "bad" : "good", matches ? "Match" : "No match")),
    typeof said.score === "number" &&
      element("span", {}, "Confidence ", element("strong", {}, `${Math.round(said.score * 100)} %`)),
  );
}

/** Whether one of a list of reports has a match; null where that is not known of all of them. */
function reportMatches(watchlist: unknown): boolean | null {
  if (!Array.isArray(watchlist)) return null;
  const matches = watchlist.map((report: unknown) => (isObject(report) ? report["has-match"] : undefined));
  if (matches.includes(true)) return true;
  return matches.length > 0 && matches.every((match) => match === false) ? false : null;
}

const MAX_GAPS = 50;

/** What the record lacks, and why: its absence says nothing about the person. */
export function gapsView({ gaps, notAsked, withheld }: SealedRecord): HTMLElement[] {
  const said = [
    namesText("Incomplete: Holdfast was not allowed to read", gaps),
    namesText("The config of that time left out, so Holdfast did not ask for", notAsked),
    withheldText(withheld.length),
  ];
  return said.flatMap((text) => (text === null ? [] : [element("p", { class: "waiting" }, text)]));
}

/** Untrusted names of requests and fields after these words. */
function namesText(said: string, names: unknown): Child[] | null {
  const words = (Array.isArray(names) ? names : []).filter((name) => typeof name === "string").slice(0, MAX_GAPS);
  if (words.length === 0) return null;
  const list = words.flatMap((name, at) => [at === 0 ? " " : ", ", foreign(name, 80)]);
  return [said, ...list, "."];
}

function withheldText(count: number): Child[] | null {
  if (count === 0) return null;
  return [
    `${plural(count, "file")} of the provider ${count === 1 ? "is" : "are"} not in the vault. The reasons are below the pictures.`,
  ];
}
