import { element, foreign, shownValue } from "./element.ts";
import { type Field, fieldsOf, type Group } from "./fields.ts";
import { instant, label, plural } from "./format.ts";
import type { OpenedVersion } from "./opened.ts";

/** When the provider made a version, as its name tells. */
export function versionName({ sealed: { version } }: Pick<OpenedVersion, "sealed">): string {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/.exec(version) ?? [];
  return y === undefined ? version.slice(0, 60) : instant(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
}

/** The provider's word, marked as such wherever it is among the page's own. */
export function fromProvider(): HTMLElement {
  return element("span", { class: "from" }, "from the provider");
}

/** The data of a version; with an earlier one beside it, and what differs marked in word and colour. */
export function comparisonView(newer: OpenedVersion, older: OpenedVersion | null): HTMLElement {
  if (newer.record === null) return element("p", { class: newer.unchecked ? "waiting" : "not-opened" }, newer.problem);
  const now = fieldsOf(newer.record);
  const before = older?.record ? fieldsOf(older.record) : null;
  const keys = [...now.keys()];
  for (const key of before?.keys() ?? []) if (!now.has(key)) keys.push(key);
  const fieldOf = (key: string) => (now.get(key) ?? before?.get(key))!;
  const [theirs, ours] = [
    keys.filter((key) => fieldOf(key).group.from === "provider"),
    keys.filter((key) => fieldOf(key).group.from === "holdfast"),
  ];
  let changes = 0;
  const bodies = (of: readonly string[], counted: boolean) =>
    [...Map.groupBy(of, (key) => fieldOf(key).group.id).values()].map((members) =>
      element(
        "tbody",
        {},
        counted && headingRow(fieldOf(members[0]!).group, before ? 4 : 2),
        members.map((key) => {
          const [is, was] = [now.get(key), before?.get(key)];
          const change = before && counted ? changeOf(is, was) : null;
          if (change !== null) changes++;
          return element(
            "tr",
            { class: change === null ? undefined : "changed", role: "row" },
            element("th", { scope: "row", role: "rowheader" }, element("bdi", {}, (is ?? was)!.label)),
            before && element("td", { class: "was", role: "cell" }, was ? shownValue(was.value) : none()),
            element("td", { class: "is", role: "cell" }, is ? shownValue(is.value) : none()),
            before &&
              element("td", { class: "change", role: "cell" }, change && element("span", { class: "tag" }, change)),
          );
        }),
      ),
    );
  const table = (name: string, what: readonly HTMLElement[]) =>
    element(
      "div",
      { class: "table", tabindex: "0", role: "region", "aria-label": name },
      element(
        "table",
        { class: before ? "data compared" : "data", role: "table" },
        element("caption", { class: "unseen" }, name),
        element(
          "thead",
          {},
          element(
            "tr",
            { role: "row" },
            element("th", { scope: "col", role: "columnheader" }, "Data point"),
            before && element("th", { scope: "col", role: "columnheader" }, `Version of ${versionName(older!)}`),
            element("th", { scope: "col", role: "columnheader" }, `Version of ${versionName(newer)}`),
            before && element("th", { scope: "col", role: "columnheader" }, "Change"),
          ),
        ),
        what,
      ),
    );
  const provided = bodies(theirs, true);
  return element(
    "div",
    {},
    older && before === null && element("p", { class: "not-opened" }, `The earlier version: ${older.problem}`),
    before &&
      element(
        "p",
        { class: "aside", role: "status" },
        changes === 0 ? "Nothing differs between the two." : `${plural(changes, "value")} changed; marked below.`,
      ),
    element("div", { class: "provided" }, table("Data points of the record, from the provider", provided)),
    // Each copy is fetched at its own time: no news about the person, so no change.
    element(
      "div",
      { class: "own" },
      element("h4", {}, "This copy", element("span", { class: "by" }, "written by Holdfast, not by the provider")),
      table("What Holdfast wrote of this copy", bodies(ours, false)),
    ),
  );
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

function changeOf(is: Field | undefined, was: Field | undefined): string | null {
  if (was === undefined) return "added";
  if (is === undefined) return "removed";
  return is.value === was.value ? null : "changed";
}

function none(): HTMLElement {
  return element("span", { class: "none" }, "none");
}
