import { type Child, element } from "./element.ts";
import { fieldsOf, type Group } from "./fields.ts";
import { instant, plural } from "./format.ts";
import type { OpenedVersion } from "./opened.ts";
import { lackingIn, rowsOf } from "./rows.ts";
import { tableOf } from "./table.ts";

/** When the provider made a version, as its name tells. */
export function versionName({ sealed: { version } }: Pick<OpenedVersion, "sealed">): string {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/.exec(version) ?? [];
  return y === undefined ? version.slice(0, 60) : instant(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
}

/** The same; numbered where several have it, since not every provider has a time for each change. */
export function versionAmong(
  version: Pick<OpenedVersion, "sealed">,
  versions: readonly Pick<OpenedVersion, "sealed">[],
): string {
  const name = versionName(version);
  const same = versions.filter((other) => versionName(other) === name);
  return same.length < 2 ? name : `${name} (${same.indexOf(version) + 1} of ${same.length})`;
}

/** The checks and the data of a version; with an earlier one beside it, and what differs marked in word and colour. */
export function comparisonViews(
  newer: OpenedVersion,
  older: OpenedVersion | null,
  versions: readonly OpenedVersion[],
): HTMLElement[] {
  if (newer.record === null)
    return [
      section(
        "data",
        "Data points",
        element("p", { class: newer.unchecked ? "waiting" : "not-opened" }, newer.problem),
      ),
    ];
  const now = fieldsOf(newer.record);
  const before = older?.record ? fieldsOf(older.record) : null;
  const rows = rowsOf(now, before, {
    now: lackingIn({ ...newer.record }),
    before: lackingIn({ ...older?.record }),
  });
  const of = (which: Group["section"]) => rows.filter(({ group }) => group.section === which);
  const names = [newer, ...(older && before ? [older] : [])].map(
    (each) => `Version of ${versionAmong(each, versions)}`,
  );
  const changes = rows.filter(({ change }) => change !== null).length;
  const checks = of("check");
  return [
    ...(checks.length > 0
      ? [
          section(
            "checks",
            "Checks",
            element("div", { class: "provided" }, tableOf("What the provider checked", checks, names)),
          ),
        ]
      : []),
    section(
      "data",
      "Data points",
      older && before === null && element("p", { class: "not-opened" }, `The earlier version: ${older.problem}`),
      before &&
        element(
          "p",
          { class: "aside", role: "status" },
          changes === 0
            ? "Nothing differs between the two."
            : `${plural(changes, "value")} changed; marked on this page.`,
        ),
      element("div", { class: "provided" }, tableOf("Data points of the record, from the provider", of("data"), names)),
      // Each copy is fetched at its own time: no news about the person, so no change.
      element(
        "div",
        { class: "own" },
        element("h4", {}, "This copy", element("span", { class: "by" }, "written by Holdfast, not by the provider")),
        tableOf("What Holdfast wrote of this copy", of("copy"), names),
      ),
    ),
  ];
}

function section(id: string, title: string, ...content: readonly Child[]): HTMLElement {
  return element("section", { "aria-labelledby": id }, element("h3", { id }, title), ...content);
}
