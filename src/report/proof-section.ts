import { minute, number, plural } from "../observe/format.ts";
import { type Html, html } from "../page/html.ts";
import type { Report } from "./report.ts";

export function proofSection(report: Report): Html {
  const { vault, checkpoint } = report;
  return html`<section class="together">
<h2>Proof</h2>
<p class="soft">The audit log records every change. Its root hash is a fingerprint of all entries: keep this report, and a later check against it shows whether an entry was altered or removed since.</p>
<dl class="facts">
<dt>Vault</dt><dd><code>${vault}</code></dd>
<dt>Audit log</dt><dd>${checkpoint.origin}, ${plural(checkpoint.size, "entry", "entries")}</dd>
<dt>Root hash</dt><dd><code>${checkpoint.root}</code></dd>
<dt>Last verified</dt><dd>${verifiedWords(report)}</dd>
</dl>
</section>`;
}

/** Of a verification, in days: a month and a day's grace. */
export const LONG_AGO = 32;

export function daysSince(time: string, now: string): number {
  return Math.floor(Temporal.Instant.from(now).since(Temporal.Instant.from(time)).total("days"));
}

function verifiedWords({ verified, made }: Report): Html | string {
  if (verified === null) return html`<span class="unsure">never on this machine</span>`;
  const days = daysSince(verified.time, made);
  const ago = days <= 0 ? "today" : `${plural(days, "day")} ago`;
  const { problems, unlocked = 0, unlisted = 0, locks } = verified;
  const looked =
    locks === undefined || locks.looked === locks.of
      ? ""
      : `, the locks of ${number(locks.looked)} of ${plural(locks.of, "object")} looked at`;
  const found = [
    ...(problems > 0 ? [`${plural(problems, "problem")} found`] : []),
    ...(unlocked > 0 ? [`${plural(unlocked, "object")} not locked`] : []),
    ...(unlisted > 0 ? ["could not check everything: the store's listing was wrong"] : []),
  ];
  return html`<span class="${found.length === 0 ? "good" : "bad"}">${minute(verified.time)} UTC (${ago}): ${found.join(", ") || "no problems"}</span>, ${plural(verified.entries, "entry", "entries")} of the log, ${String(verified.readData)} % of the content read${looked}`;
}
