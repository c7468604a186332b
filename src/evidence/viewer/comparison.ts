import { element } from "./element.ts";
import { type Field, fieldsOf } from "./fields.ts";
import type { OpenedVersion } from "./opened.ts";
import { instant, plural } from "./words.ts";

/** When the provider made a version, as its name tells. */
export function versionName({ sealed: { version } }: Pick<OpenedVersion, "sealed">): string {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/.exec(version) ?? [];
  return y === undefined ? version : instant(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
}

/** The data of a version; with an earlier one beside it, and what differs marked in word and colour. */
export function comparisonView(newer: OpenedVersion, older: OpenedVersion | null): HTMLElement {
  if (newer.record === null) return element("p", { class: "not-opened" }, newer.problem);
  const now = fieldsOf(newer.record);
  const before = older?.record ? fieldsOf(older.record) : null;
  const keys = [...now.keys()];
  for (const key of before?.keys() ?? []) if (!now.has(key)) keys.push(key);
  const groups = Map.groupBy(keys, (key) => (now.get(key) ?? before?.get(key))!.group);
  let changes = 0;
  const bodies = [...groups].map(([group, members]) =>
    element(
      "tbody",
      {},
      element(
        "tr",
        { class: "group", role: "row" },
        element("th", { colspan: before ? "4" : "2", scope: "rowgroup", role: "rowheader" }, group),
      ),
      members.map((key) => {
        const [is, was] = [now.get(key), before?.get(key)];
        const change = before ? changeOf(is, was) : null;
        // Each copy is fetched at its own time: no news about the person.
        const counts = change !== null && group !== "This copy";
        if (counts) changes++;
        return element(
          "tr",
          { class: counts ? "changed" : undefined, role: "row" },
          element("th", { scope: "row", role: "rowheader" }, (is ?? was)!.label),
          before && element("td", { class: "was", role: "cell" }, was?.value ?? none()),
          element("td", { class: "is", role: "cell" }, is?.value ?? none()),
          before &&
            element("td", { class: "change", role: "cell" }, counts && element("span", { class: "tag" }, change)),
        );
      }),
    ),
  );
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
    element(
      "div",
      { class: "table", tabindex: "0", role: "region", "aria-label": "Data points" },
      element(
        "table",
        { class: before ? "data compared" : "data", role: "table" },
        element("caption", { class: "unseen" }, "Data points of the record"),
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
        bodies,
      ),
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
