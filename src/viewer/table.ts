import { verdictIn } from "./dossier/result.ts";
import { element, foreign, shownValue } from "./element.ts";
import type { Group } from "./fields.ts";
import { label } from "./label.ts";
import type { Row } from "./rows.ts";
import { badge } from "./status.ts";

/** The provider's word, marked as such wherever it is among the page's own. */
export function fromProvider(): HTMLElement {
  return element("span", { class: "from" }, "from the provider");
}

/** Rows below the headings of their groups. `versions`: what the columns are of, and the earlier one if they are compared. */
export function tableOf(name: string, rows: readonly Row[], [newer, older]: readonly string[]): HTMLElement {
  const isCompared = older !== undefined;
  const isTree = rows.some(({ depth }) => depth > 0);
  const bodies = [...Map.groupBy(rows, ({ group }) => group.id).values()].map((members) =>
    element(
      "tbody",
      {},
      members[0]!.group.section !== "copy" && headingRow(members[0]!.group, isCompared ? 4 : 2),
      members.map((row) => rowOf(row, isCompared)),
    ),
  );
  return element(
    "div",
    { class: "table", tabindex: "0", role: "region", "aria-label": name },
    element(
      "table",
      { class: ["data", ...(isCompared ? ["compared"] : []), ...(isTree ? ["tree"] : [])].join(" "), role: "table" },
      element("caption", { class: "unseen" }, name),
      element(
        "thead",
        {},
        element(
          "tr",
          { role: "row" },
          element(
            "th",
            { scope: "col", role: "columnheader" },
            rows[0]?.group.section === "check" ? "Check" : "Data point",
          ),
          isCompared && element("th", { scope: "col", role: "columnheader" }, older),
          element("th", { scope: "col", role: "columnheader" }, newer),
          isCompared && element("th", { scope: "col", role: "columnheader" }, "Change"),
        ),
      ),
      bodies,
    ),
  );
}

function rowOf({ group, label: words, depth, is, was, change, absent }: Row, isCompared: boolean): HTMLElement {
  const shown = (value: string | undefined) => (value === undefined ? none(absent) : valueView(value, group));
  return element(
    "tr",
    { class: change === null ? undefined : "changed", role: "row" },
    element(
      "th",
      { scope: "row", role: "rowheader", class: depth > 0 ? `in-${Math.min(depth, 4)}` : undefined },
      element("bdi", {}, words),
    ),
    isCompared && element("td", { class: "was", role: "cell" }, shown(was)),
    element("td", { class: "is", role: "cell" }, shown(is)),
    isCompared && element("td", { class: "change", role: "cell" }, change && element("span", { class: "tag" }, change)),
  );
}

function valueView(value: string, { section }: Group): HTMLElement {
  const verdict = section === "check" ? verdictIn(value) : undefined;
  return verdict === undefined ? shownValue(value) : badge(verdict, label(value));
}

function headingRow({ heading, word }: Group, columns: number): HTMLElement {
  return element(
    "tr",
    { class: "group", role: "row" },
    element(
      "th",
      { colspan: String(columns), scope: "rowgroup", role: "rowheader" },
      heading,
      word !== undefined && [": ", foreign(label(word), 80)],
      " ",
      fromProvider(),
    ),
  );
}

function none(why = "none"): HTMLElement {
  return element("span", { class: "none" }, why);
}
