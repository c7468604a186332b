import { RECORDS } from "../vault/layout.ts";
import { type Child, element, sentence } from "./element.ts";
import { day, instant, plural } from "./format.ts";
import type { Json } from "./json.ts";
import type { ShownEntry } from "./log-entry.ts";
import type { Retrieval } from "./retrieval.ts";
import { verdictOf } from "./sealed-record.ts";
import { badge } from "./status.ts";

/** What happened to a person's records, as the log tells it, oldest first. */
export function custodyView(trail: readonly ShownEntry[], retrieval: Retrieval, trusted: boolean): HTMLElement {
  return element(
    "ol",
    { class: "custody" },
    trail.map((entry) => {
      const { title, words } = told(entry, retrieval);
      const verdict = verdictOf(entry, trusted ? "good" : "unsure");
      return element(
        "li",
        { class: retrieval.lines.includes(entry.index) ? "now" : undefined },
        element("time", { datetime: entry.time }, instant(entry.time)),
        element("strong", {}, title),
        words.map((line) => element("p", {}, line)),
        element(
          "p",
          { class: "line" },
          `Line ${entry.index} of the log, run ${entry.run} `,
          badge(verdict, PROVEN[verdict]),
        ),
      );
    }),
  );
}

const PROVEN = { good: "Proven", unsure: "Consistent", unchecked: "Not checked", bad: "Not proven" };

function told(entry: ShownEntry, retrieval: Retrieval): { title: string; words: (string | Child[])[] } {
  const { type, json, index } = entry;
  try {
    switch (type) {
      case "record.stored": {
        const more = json.has("moreFiles") ? json.member("moreFiles").count() : 0;
        const files = json.member("files").items(5_000).length + more;
        const withheld = json.member("withheld").count();
        return {
          title: "Stored, sealed and locked",
          words: [
            `Version ${json.member("version").text()}, ${plural(files, "file")}${withheld > 0 ? `, ${withheld} withheld by the provider` : ""}.`,
            `Locked until ${day(json.member("lockedUntil").text())}${json.has("lockMode") ? ` (${json.member("lockMode").text()} mode)` : ""}.`,
          ],
        };
      }
      case "record.files": {
        const files = plural(json.member("files").items(5_000).length, "file");
        const version = json.member("version").text();
        return { title: "Files stored, sealed and locked", words: [`${files} of version ${version}, which follows.`] };
      }
      case "record.gone": {
        const reason = json.member("reason").text();
        const why: Record<string, string> = {
          deleted: "The provider no longer has it.",
          redacted: "The provider removed what identifies the person. That version was not kept.",
          unlisted: "The provider no longer lists it.",
        };
        const kept = json.has("kept") ? [`Version ${json.member("kept").text()} stays in the vault.`] : [];
        return { title: "Gone at the provider", words: [why[reason] ?? reason, ...kept] };
      }
      case "lock.extended": {
        const objects = plural(json.member("objects").items(5_000).length, "object");
        const until = day(json.member("lockedUntil").text());
        return {
          title: "Lock extended",
          words: [`${objects}, until ${until} (${json.member("lockMode").text()} mode).`],
        };
      }
      case "relationship.ended":
        return {
          title: "The business relationship ended",
          words: [`On ${date(json.member("ended").text(10))}. Retention periods begin on that day.`],
        };
      case "relationship.reopened":
        return {
          title: "The business relationship was reopened",
          words: ["It did not end, or began again: the records stay in the vault."],
        };
      case "hold.placed": {
        const objects = plural(json.member("objects").items(5_000).length, "object is", "objects are");
        return {
          title: "Legal hold placed",
          words: [`${caseOf(json)}. ${objects} kept until the hold is released, even past the retention period.`],
        };
      }
      case "hold.released":
        return {
          title: "Legal hold released",
          words: [`${caseOf(json)}. What no other case holds may be destroyed after its retention period.`],
        };
      case "purge.begun": {
        const keys = plural(json.member("keys").items(5_000).length, "object");
        return { title: "Destruction begun", words: [`${keys}, after the retention period.`] };
      }
      case "record.purged": {
        const objects = json.member("objects").items(5_000);
        const records = objects.filter((each) => each.member("key").text(500).startsWith(RECORDS)).length;
        const gone = [
          records && plural(records, "record"),
          objects.length - records && plural(objects.length - records, "file"),
        ];
        const due = objects
          .map((each) => each.member("due").text(40))
          .sort()
          .at(-1);
        return {
          title: "Destroyed after the retention period",
          words: [
            `${gone.filter(Boolean).join(" and ")}, every copy in the vault${due ? `; had to be kept until ${day(due)}` : ""}.`,
            json.member("whole").value === true
              ? "Nothing was left of this person."
              : "Other records or files of this person stayed.",
          ],
        };
      }
      case "retrieval.refused": {
        const why: Record<string, string> = {
          missing: "No one had approved it yet.",
          "bad-signature": "The signature was for a different request.",
          "not-listed": "The key that signed it may not approve.",
          expired: "The request was too old, or a bag was already made for it.",
        };
        const reason = json.member("reason").text();
        return {
          title: reason === "missing" ? "Retrieval requested" : "Retrieval refused",
          words: [`${why[reason] ?? reason} Nothing was handed out.`],
        };
      }
      case "record.failed":
        return {
          title: "Could not be stored",
          words: [`At the ${json.member("stage").text()}: ${json.member("code").text()}. Tried again by a later run.`],
        };
      case "retrieval.prepared": {
        const holds = `${plural(json.member("records").count(), "record")} and ${plural(json.member("files").count(), "file")} were handed out, sealed.`;
        const approved = json.has("approvedBy")
          ? [`Approved by a second person, with the key ${json.member("approvedBy").text()}.`]
          : [];
        if (!retrieval.lines.includes(index)) return { title: "Retrieved before", words: [holds, ...approved] };
        return {
          title: "Retrieved into this bag",
          words: [
            sentence`Case ${retrieval.case}, requested by ${retrieval.requestedBy}: ${retrieval.reason}`,
            holds,
            ...approved,
          ],
        };
      }
    }
  } catch {
    // A line that lacks what it should have is told by its type, below.
  }
  const title = Object.hasOwn(TITLES, type) ? TITLES[type] : undefined;
  if (title !== undefined) return { title, words: ["Parts of this line are missing."] };
  return { title: "An entry that this page does not know", words: [sentence`The log calls it ${type}.`] };
}

/** Of lines that have nothing more to tell, or lack it. */
const TITLES: Readonly<Record<string, string>> = {
  "record.stored": "Stored",
  "record.files": "Files stored",
  "record.gone": "Gone at the provider",
  "lock.extended": "Lock extended",
  "retrieval.prepared": "Retrieved",
  "retrieval.refused": "Retrieval requested and refused",
  "relationship.ended": "The business relationship ended",
  "relationship.reopened": "The business relationship was reopened",
  "hold.placed": "Legal hold placed",
  "hold.released": "Legal hold released",
  "purge.begun": "Destruction begun",
  "record.purged": "Destroyed after the retention period",
};

/** The log has a token for the case, not its number: the person who placed the hold knows which it is. */
function caseOf(json: Json): string {
  return `Case token ${json.member("case").text(32)}`;
}

/** `2026-10-31` to `31 Oct 2026`. */
function date(text: string): string {
  return day(`${text}T00:00:00Z`);
}
