import type { CheckedBag } from "./bag.ts";
import { element } from "./element.ts";
import type { Check, Verdict } from "./finding.ts";
import { instant, plural } from "./words.ts";

const WORD = { good: "Confirmed", unsure: "Consistent", bad: "Failed" };

/** Never by colour alone: a mark and a word say it too. */
export function badge(verdict: Verdict, word: string = WORD[verdict]): HTMLElement {
  return element("span", { class: `badge ${verdict}` }, word);
}

export function checkList(checks: readonly Check[]): HTMLElement {
  return element(
    "ul",
    { class: "checks" },
    checks.map(({ title, verdict, words, badge: word }) =>
      element(
        "li",
        {},
        element("span", { class: `mark ${verdict}`, "aria-hidden": "true" }),
        element("div", {}, element("strong", {}, title), " ", badge(verdict, word), element("p", {}, words)),
      ),
    ),
  );
}

/** Files that are named; whoever wants all asks the command line. */
const MOST_NAMED = 200;

/** What the bag is, whether it checks, and what in it does not. */
export function statusView({
  retrieval,
  verdict,
  checks,
  problems,
  leftBehind,
  vkey,
  trusted,
}: CheckedBag): HTMLElement {
  const files = [...Map.groupBy(problems, ({ path }) => path)];
  const client = retrieval?.client ?? "whoever made it";
  const [title, words] = {
    good: [
      "Everything checks out",
      "The bag is complete and unaltered, and all of it stands in the audit log whose key you entered.",
    ],
    unsure: [
      "All of it is consistent, but the key came with the bag",
      `Whoever forges a bag can put a forged key in it. Ask ${client} for the log's public key by another route, and enter it above.`,
    ],
    bad: [
      "This bag is not as it was made",
      `${plural(files.length, "file is", "files are")} named below. Do not rely on this bag: keep it as it is, and ask ${client} for it again. What is not proven is not opened.`,
    ],
  }[verdict] as [string, string];
  return element(
    "section",
    { class: `verdict ${verdict}`, "aria-labelledby": "verdict" },
    element(
      "div",
      { class: "verdict-head" },
      element("span", { class: `mark large ${verdict}`, "aria-hidden": "true" }),
      element("div", {}, element("h2", { id: "verdict", tabindex: "-1" }, title), element("p", {}, words)),
    ),
    problems.length > 0 &&
      element(
        "div",
        { class: "problems" },
        element("h3", {}, "What is wrong"),
        element(
          "ul",
          {},
          files.slice(0, MOST_NAMED).map(([path, whys]) =>
            element(
              "li",
              {},
              element("code", {}, path),
              element(
                "div",
                {},
                whys.map(({ words: why }) => element("p", {}, why)),
              ),
            ),
          ),
        ),
        files.length > MOST_NAMED && element("p", {}, `And ${files.length - MOST_NAMED} more.`),
      ),
    leftBehind.length > 0 &&
      element(
        "p",
        { class: "aside" },
        `Passed over: ${plural(leftBehind.length, "file")} that a file manager left in the folder (${leftBehind.slice(0, 3).join(", ")}).`,
      ),
    element(
      "details",
      { open: verdict === "bad" },
      element("summary", {}, "What was checked"),
      checkList(checks),
      vkey !== null &&
        element(
          "p",
          { class: "aside" },
          trusted ? "Checked with the key that you entered: " : "Checked with the key in the bag: ",
          element("code", {}, vkey),
        ),
    ),
  );
}

export function requestView({ retrieval }: CheckedBag): HTMLElement | null {
  if (retrieval === null) return null;
  const facts: [string, string][] = [
    ["Client", retrieval.client],
    ["Case", retrieval.case],
    ["Requested by", retrieval.requestedBy],
    ["Reason", retrieval.reason],
    ["Prepared", instant(retrieval.prepared)],
    ["Holds", plural(retrieval.subjects.length, "person", "people")],
  ];
  return element(
    "section",
    { class: "request", "aria-label": "What this bag was made for" },
    element(
      "dl",
      { class: "facts" },
      facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))),
    ),
  );
}
