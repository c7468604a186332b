import { leftBehindText } from "../bag/os-leftovers.ts";
import type { CheckedBag } from "./bag.ts";
import { type Child, element, foreign } from "./element.ts";
import type { Check, Problem, Verdict } from "./finding.ts";
import { instant, plural } from "./format.ts";

const WORD = { good: "Confirmed", unsure: "Consistent", unchecked: "Not checked", bad: "Failed" };

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
  unchecked,
  ignored,
  vkey,
  trusted,
  otherKey,
}: CheckedBag): HTMLElement {
  const [wrong, missed] = [problems, unchecked].map((all) => new Set(all.map(({ path }) => path)).size) as [
    number,
    number,
  ];
  const client = retrieval === null ? "whoever made it" : foreign(retrieval.client);
  const ownKey: Child[] = [
    "Whoever forges a bag can put a forged key in it. Ask ",
    client,
    " for the log's public key by another route, and enter it above.",
  ];
  const [title, words] = {
    good: [
      "Everything checks out",
      "The bag is complete and unaltered, and all of it stands in the audit log whose key you entered.",
    ],
    unsure: ["All of it is consistent, but the key came with the bag", ownKey],
    unchecked: [
      `Everything that could be checked here is as it was made; ${missed === 0 ? "something" : plural(missed, "file")} ${missed > 1 ? "were" : "was"} not checked`,
      [
        "That says nothing for it and nothing against it. It is named below: open the bag again from a disk that can be read, or check it on the command line with holdfast verify. What was not checked is not opened. ",
        ...(trusted ? [] : ["The key came with the bag. ", ...ownKey]),
      ],
    ],
    bad: [
      "This bag is not as it was made",
      [
        `${plural(wrong, "file is", "files are")} named below. Do not rely on this bag: keep it as it is, and ask `,
        client,
        " for it again. What is not proven is not opened.",
      ],
    ],
  }[verdict] as [string, Child | Child[]];
  // All that fails then, fails for this one reason.
  if (otherKey) {
    return element(
      "section",
      { class: "verdict bad", "aria-labelledby": "verdict" },
      headOf(
        verdict,
        "This bag was not signed with the key that you entered",
        "Either the key is not the client's, or the bag is not. Ask the client for the log's public key again. While the two differ, nothing in this bag is proven, and nothing is shown.",
      ),
      element("p", { class: "aside" }, "You entered: ", element("code", {}, vkey)),
    );
  }
  return element(
    "section",
    { class: `verdict ${verdict}`, "aria-labelledby": "verdict" },
    headOf(verdict, title, words),
    fileList("problems", "What is wrong", problems),
    fileList("missed", "What was not checked here", unchecked),
    ignored.length > 0 && element("p", { class: "aside" }, `Passed over: ${leftBehindText(ignored)}.`),
    element(
      "details",
      { open: verdict === "bad" || verdict === "unchecked" },
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

function headOf(verdict: Verdict, title: string, words: Child | Child[]): HTMLElement {
  return element(
    "div",
    { class: "verdict-head" },
    element("span", { class: `mark large ${verdict}`, "aria-hidden": "true" }),
    element("div", {}, element("h2", { id: "verdict", tabindex: "-1" }, title), element("p", {}, words)),
  );
}

function fileList(name: string, title: string, found: readonly Problem[]): HTMLElement | null {
  if (found.length === 0) return null;
  const files = [...Map.groupBy(found, ({ path }) => path)];
  return element(
    "div",
    { class: name },
    element("h3", {}, title),
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
      facts.map(([name, value]) =>
        element("div", {}, element("dt", {}, name), element("dd", {}, element("bdi", {}, value))),
      ),
    ),
  );
}
