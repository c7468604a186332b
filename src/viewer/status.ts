import { leftBehindText } from "../bag/os-leftovers.ts";
import type { CheckedBag } from "./bag.ts";
import { type Child, element, foreign } from "./element.ts";
import type { Check, FileProblem, Verdict } from "./finding.ts";
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

/** Files that are named; the command line names all. */
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
  const client = retrieval === null ? "the maker of the bag" : foreign(retrieval.client);
  const ownKey: Child[] = [
    "A key that came with the bag proves nothing on its own: someone who forges a bag can put a forged key in it. Get the log's public key from ",
    client,
    " through a separate channel, and enter it above.",
  ];
  const [title, words] = {
    good: [
      "Everything checks out",
      "The bag is complete and unchanged, and the audit log whose key you entered records all of it.",
    ],
    unsure: ["All of it is consistent, but the key came with the bag", ownKey],
    unchecked: [
      `Everything that could be checked here is intact; ${missed === 0 ? "something" : plural(missed, "file")} ${missed > 1 ? "were" : "was"} not checked`,
      [
        "This says nothing for or against the bag. See below what is missing: open the bag again from a disk that can be read, or run holdfast verify on it. What was not checked is not opened. ",
        ...(trusted ? [] : ["The key came with the bag. ", ...ownKey]),
      ],
    ],
    bad: [
      "This bag is not intact",
      [
        `See ${plural(wrong, "file")} below. Do not rely on this bag: keep it as it is, and ask `,
        client,
        " for it again. The page opens only what is proven.",
      ],
    ],
  }[verdict] as [string, Child | Child[]];
  // Everything that fails then fails for this one reason.
  if (otherKey) {
    return element(
      "section",
      { class: "verdict bad", "aria-labelledby": "verdict" },
      headOf(
        verdict,
        "This bag was not signed with the key that you entered",
        "Either the key or the bag is not the client's. Ask the client for the log's public key again. While the two differ, nothing in this bag is proven, so nothing is shown.",
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

function fileList(name: string, title: string, found: readonly FileProblem[]): HTMLElement | null {
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
    ["Contains", plural(retrieval.subjects.length, "verification")],
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
