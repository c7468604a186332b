import { RECORDS } from "../vault/layout.ts";
import { type Child, element, sentence } from "./element.ts";
import { day, instant, plural } from "./format.ts";
import type { Json } from "./json.ts";
import type { LogEntry } from "./log-entry.ts";
import type { Retrieval } from "./retrieval.ts";
import { verdictOf } from "./sealed-record.ts";
import { badge } from "./status.ts";

/** What happened to a person's records, as the log tells it, oldest first. */
export function custodyView(trail: readonly LogEntry[], retrieval: Retrieval, trusted: boolean): HTMLElement {
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

const PROVEN = { good: "Proven", unsure: "Proven", unchecked: "Not checked", bad: "Not proven" };

function told(entry: LogEntry, retrieval: Retrieval): { title: string; words: (string | Child[])[] } {
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
          deleted: "The provider has it no more.",
          redacted: "The provider redacted it: it names no one any more. The redaction was not kept.",
          unlisted: "The provider lists it no more.",
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
          words: [`On ${date(json.member("ended").text(10))}. What the law asks to be kept is kept on from that day.`],
        };
      case "relationship.reopened":
        return {
          title: "The business relationship goes on",
          words: ["It did not end, or began again: what is in the vault is kept on."],
        };
      case "hold.placed": {
        const objects = plural(json.member("objects").items(5_000).length, "object is", "objects are");
        return {
          title: "Legal hold placed",
          words: [`${caseOf(json)}. ${objects} kept until it is released, whatever else is due.`],
        };
      }
      case "hold.released":
        return {
          title: "Legal hold released",
          words: [`${caseOf(json)}. What no other case holds may be destroyed once it is due.`],
        };
      case "purge.begun": {
        const keys = plural(json.member("keys").items(5_000).length, "object");
        return { title: "Destruction begun", words: [`${keys}, at the end of the time that they had to be kept.`] };
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
          title: "Destroyed at the end of retention",
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
          "bad-signature": "The signature was not over that request.",
          "not-listed": "It was signed with a key that may not approve.",
          expired: "The request was too old, or a bag was made of it already.",
        };
        const reason = json.member("reason").text();
        return {
          title: reason === "missing" ? "Retrieval asked for" : "Retrieval refused",
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
  if (title !== undefined) return { title, words: ["The line lacks what such a line has to say."] };
  return { title: "Something that this page does not know", words: [sentence`The log calls it ${type}.`] };
}

/** Of lines that have nothing more to tell, or lack it. */
const TITLES: Readonly<Record<string, string>> = {
  "record.stored": "Stored",
  "record.files": "Files stored",
  "record.gone": "Gone at the provider",
  "lock.extended": "Lock extended",
  "retrieval.prepared": "Retrieved",
  "retrieval.refused": "Retrieval asked for, and refused",
  "relationship.ended": "The business relationship ended",
  "relationship.reopened": "The business relationship goes on",
  "hold.placed": "Legal hold placed",
  "hold.released": "Legal hold released",
  "purge.begun": "Destruction begun",
  "record.purged": "Destroyed at the end of retention",
};

/** The log has a token for the case, not its number: whoever placed the hold knows which it is. */
function caseOf(json: Json): string {
  return `Case (token) ${json.member("case").text(32)}`;
}

/** `2026-10-31` to `31 Oct 2026`. */
function date(text: string): string {
  return day(`${text}T00:00:00Z`);
}
