import type { RecordPurged } from "../audit/entry.ts";
import { bytes, number } from "../observe/format.ts";
import { figure, type Html, html, page } from "../page/html.ts";
import { STYLE } from "../page/style.ts";
import { clockInWords } from "../report/policy-text.ts";
import { parseKey } from "../vault/layout.ts";
import { CERTIFICATE, type CertificateV3, DESTROYED } from "./certificate.ts";

/** Objects that a page shows: a browser bears it, and a printer. Their purge is shown whole. */
export const SHOWN = 5_000;

export interface PageOptions {
  readonly certificate: CertificateV3;
  /** SHA-256 of its JSON, lower-case hex. */
  readonly digest: string;
  /** The first of what was destroyed. */
  readonly shown: readonly RecordPurged[];
  /** Days of the first and of the last purge. */
  readonly days: readonly [first: string, last: string];
}

/** The certificate for people, to print and to file. However much was destroyed, it stays short enough to be opened. */
export function certificatePage({ certificate, digest, shown, days: [first, last] }: PageOptions): string {
  const { client, origin, runs, made, policy, legalBasis, totals } = certificate;
  const objects = shown.reduce((sum, each) => sum + each.objects.length, 0);
  const isWhole = objects === totals.records + totals.files;
  return page(
    `Certificate of destruction, ${client}, ${first}`,
    STYLE,
    html`<main>
<h1>Certificate of destruction</h1>
<p class="lead">${first === last ? `On ${first}` : `Between ${first} and ${last}`}, ${client} destroyed the copies of identity records named ${isWhole ? "below" : `in ${DESTROYED}`}, because no law asked for them any more. Nothing of them is left in its vault: every version of each was removed.</p>
<div class="figures">
${figure(number(totals.subjects), totals.subjects === 1 ? "person" : "people")}
${figure(number(totals.records), totals.records === 1 ? "sealed record" : "sealed records")}
${figure(number(totals.files), totals.files === 1 ? "sealed file" : "sealed files")}
${figure(bytes(totals.bytes), "as stored")}
${figure(number(totals.versions), totals.versions < totals.records + totals.files ? "versions removed by this run" : "versions removed")}
</div>
<h2>By which rule</h2>
<dl class="facts">
<dt>Rests on</dt><dd>${legalBasis.length > 0 ? legalBasis.join("; ") : "no rule is named in the configuration"}</dd>
${CLASSES.map(([name, words]) => (policy[name] === undefined ? undefined : html`<dt>${words}</dt><dd>${clockInWords(policy[name])}</dd>`))}
<dt>Made</dt><dd>${made}</dd>
<dt>Audit log</dt><dd>${origin}</dd>
<dt>${runs.length === 1 ? "Run" : "Runs"}</dt><dd>${runs.join(", ")}</dd>
</dl>
<h2>What was destroyed</h2>
<p class="soft">People stand here as tokens: keyed digests that name no one to whoever lacks the key. Digests are those of the sealed objects, as the audit log noted them when they were stored. ${DESTROYED} in this folder has all of it as a table.</p>
${isWhole ? undefined : html`<p><strong>This page shows the first ${number(objects)} of ${number(totals.records + totals.files)} objects. All of them are in ${DESTROYED}.</strong></p>`}
${shown.map(person)}
<h2>How to check it</h2>
<p>The audit log is append-only, and its owner cannot take a line out of it. This folder has the proof that each of these lines is in it, and is signed with the log's key:</p>
<pre>holdfast verify &lt;this folder&gt; --vkey '${certificate.vkey}'</pre>
<p class="soft">Ask ${client} for that key on another way than with this folder, and compare: the same word in the same place proves nothing. SHA-256 of ${CERTIFICATE}:</p>
<p><code>${digest}</code></p>
</main>`,
  );
}

const CLASSES = [
  ["identifying", "Identifying data"],
  ["verification", "Verification results"],
  ["files", "Document files"],
] as const;

function person({ subject, time, ended, whole, objects }: RecordPurged): Html {
  return html`<section>
<h3><code>${subject}</code></h3>
<p class="soft">${ended === undefined ? undefined : `Relationship ended ${ended}. `}Destroyed ${time.slice(0, 19).replace("T", " ")} UTC. ${whole ? "Nothing is left." : "What must be kept longer is kept."}</p>
<div class="scroll"><table>
<thead><tr><th>Object</th><th>Had to be kept until</th><th class="number">Bytes</th><th class="number">Versions</th><th>SHA-256 of the sealed object</th></tr></thead>
<tbody>
${objects.map(
  ({
    key,
    due,
    size,
    versions,
    sha256,
  }) => html`<tr><td>${nameOf(key)}</td><td class="day">${due.slice(0, 10)}</td><td class="number">${number(size)}</td><td class="number">${number(versions)}</td><td><code>${sha256}</code></td></tr>
`,
)}
</tbody></table></div>
</section>
`;
}

function nameOf(key: string): string {
  const name = parseKey(key);
  return name?.kind === "record" ? `record ${name.version}` : "file";
}
