import { element } from "./element.ts";
import type { LogEntry } from "./log-entry.ts";
import type { Retrieval } from "./retrieval.ts";
import { badge } from "./status.ts";
import { day, instant, plural } from "./words.ts";

/** What happened to a person's records, as the log tells it, oldest first. */
export function custodyView(trail: readonly LogEntry[], retrieval: Retrieval, trusted: boolean): HTMLElement {
  return element(
    "ol",
    { class: "custody" },
    trail.map((entry) => {
      const { title, words } = told(entry, retrieval);
      const proven = entry.unproven === null;
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
          badge(proven ? (trusted ? "good" : "unsure") : "bad", proven ? "Proven" : "Not proven"),
        ),
      );
    }),
  );
}

function told(entry: LogEntry, retrieval: Retrieval): { title: string; words: string[] } {
  const { type, json, index } = entry;
  try {
    switch (type) {
      case "record.stored": {
        const files = json.member("files").items(5_000).length;
        const withheld = json.member("withheld").count();
        return {
          title: "Stored, sealed and locked",
          words: [
            `Version ${json.member("version").text()}, ${plural(files, "file")}${withheld > 0 ? `, ${withheld} withheld by the provider` : ""}.`,
            `Locked until ${day(json.member("lockedUntil").text())}${json.has("lockMode") ? ` (${json.member("lockMode").text()} mode)` : ""}.`,
          ],
        };
      }
      case "record.gone": {
        const reason = json.member("reason").text();
        const why: Record<string, string> = {
          deleted: "The provider has it no more.",
          redacted: "The provider redacted it: it names nobody any more. The redaction was not kept.",
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
            `Case ${retrieval.case}, requested by ${retrieval.requestedBy}: ${retrieval.reason}`,
            holds,
            ...approved,
          ],
        };
      }
    }
  } catch {
    // A line that lacks what it should have is told by its type, below.
  }
  return { title: TITLES[type] ?? type, words: [] };
}

const TITLES: Readonly<Record<string, string>> = {
  "retrieval.opened": "Opened",
  "retrieval.refused": "Retrieval asked for, and refused: no valid approval of a second person",
  "relationship.ended": "The business relationship ended",
  "hold.placed": "Legal hold placed",
  "hold.released": "Legal hold released",
  "record.purged": "Purged at the end of its retention",
  "recipients.changed": "Sealed to other recipients from here on",
  "key.changed": "The log was handed over to another key",
};
