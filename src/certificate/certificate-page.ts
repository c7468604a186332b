import type { RecordPurged } from "../audit/entry.ts";
import { bytes, number } from "../observe/format.ts";
import { figure, type Html, html, page } from "../page/html.ts";
import { paper, STYLE } from "../page/style.ts";
import { clockInWords } from "../report/policy-text.ts";
import { parseKey } from "../vault/layout.ts";
import { CERTIFICATE, type CertificateV3, DESTROYED, numberOf } from "./certificate.ts";

/** Objects that a page shows: a browser and a printer can take so many. Their purge is shown whole. */
export const SHOWN = 5_000;

export interface CertificatePageOptions {
  readonly certificate: CertificateV3;
  /** SHA-256 of its JSON, lower-case hex. */
  readonly digest: string;
  /** The first of what was destroyed. */
  readonly shown: readonly RecordPurged[];
  /** Public keys of the second persons who approved it, where the config asks for one. */
  readonly approvers: readonly string[];
  /** Days of the first and of the last purge. */
  readonly days: readonly [first: string, last: string];
}

/** The certificate for people, to print, sign and file. It stays short enough to open, however much was destroyed. */
export function certificatePage({
  certificate,
  digest,
  shown,
  approvers,
  days: [first, last],
}: CertificatePageOptions): string {
  const { client, company, origin, runs, made, policy, legalBasis, totals } = certificate;
  const name = company?.name ?? client;
  const certificateNumber = numberOf(certificate);
  const objects = shown.reduce((sum, each) => sum + each.objects.length, 0);
  const isWhole = objects === totals.records + totals.files;
  return page({
    title: `Certificate of destruction, ${name}, ${first}`,
    style: `${STYLE}\n${paper(`${name} · Certificate of destruction ${certificateNumber}`)}`,
    body: html`<main>
<p class="eyebrow">${name}${company?.contact === undefined ? undefined : html` <span class="soft">· ${company.contact}</span>`}</p>
<h1>Certificate of destruction</h1>
<p class="soft">No. ${certificateNumber}</p>
<p class="lead">${first === last ? `On ${first}` : `Between ${first} and ${last}`}, ${name} destroyed the copies of identity records listed ${isWhole ? "below" : `in ${DESTROYED}`}. Their retention period had ended, and no legal hold applied. Every version of each object was deleted from the vault.</p>
<div class="figures">
${figure(number(totals.subjects), totals.subjects === 1 ? "verification" : "verifications")}
${figure(number(totals.records), totals.records === 1 ? "record" : "records")}
${figure(number(totals.files), totals.files === 1 ? "document file" : "document files")}
${figure(bytes(totals.bytes), "encrypted")}
${figure(number(totals.versions), totals.versions < totals.records + totals.files ? "versions deleted by this run" : "versions deleted")}
</div>
<section class="together">
<h2>Reason and legal basis</h2>
<dl class="facts">
<dt>Reason</dt><dd>end of the retention period</dd>
<dt>Legal basis of the copies</dt><dd>${legalBasis.length > 0 ? legalBasis.join("; ") : "not named in the config"}</dd>
${CLASSES.map(([name, words]) => (policy[name] === undefined ? undefined : html`<dt>${words}</dt><dd>${clockInWords(policy[name])}</dd>`))}
<dt>Certificate made</dt><dd>${made.slice(0, 19).replace("T", " ")} UTC</dd>
${approvers.map((key) => html`<dt>Approved with the key</dt><dd><code>${key}</code></dd>`)}
<dt>Audit log</dt><dd>${origin}</dd>
<dt>${runs.length === 1 ? "Run" : "Runs"}</dt><dd>${runs.join(", ")}</dd>
</dl>
</section>
<section class="together">
<h2>Signatures</h2>
<div class="signatures">
${["Carried out by", "Approved by"].map((who) => html`<section><h3>${who}</h3><div>Name and position</div><div>Place and date</div><div>Signature</div></section>`)}
</div>
</section>
<section class="together">
<h2>How to check this certificate</h2>
<p>The audit log can only grow: no one can remove or change an entry without it showing. This folder proves that the log has an entry for each deletion, and the log's key signed all of it:</p>
<pre>holdfast verify &lt;this folder&gt; --vkey '${certificate.vkey}'</pre>
<p class="soft">Get this key from ${name} through a separate channel and compare. A key that came with the folder proves nothing on its own. SHA-256 of ${CERTIFICATE}:</p>
<p><code>${digest}</code></p>
</section>
<h2>What was destroyed</h2>
<p class="soft">A token stands for a verification: a code that tells nothing about the person without the lookup key of ${name}. SHA-256 is the fingerprint of the encrypted object, as the audit log has it since it was stored. ${DESTROYED} in this folder has everything as a table.</p>
${isWhole ? undefined : html`<p><strong>This page shows the first ${number(objects)} of ${number(totals.records + totals.files)} objects. All of them are in ${DESTROYED}.</strong></p>`}
${shown.map(person)}
</main>`,
  });
}

const CLASSES = [
  ["identifying", "Identifying data"],
  ["verification", "Verification results"],
  ["files", "Document files"],
] as const;

function person({ subject, time, ended, whole, objects }: RecordPurged): Html {
  return html`<section class="person">
<h3><code>${subject}</code></h3>
<p class="soft">${ended === undefined ? undefined : `Relationship ended ${ended}. `}Destroyed ${time.slice(0, 19).replace("T", " ")} UTC. ${whole ? "Nothing is left." : "What must be kept longer is kept."}</p>
<table class="cards objects">
<thead><tr><th>Object</th><th>Keep until</th><th class="number">Bytes</th><th class="number">Versions</th><th>SHA-256</th></tr></thead>
<tbody>
${objects.map(
  ({
    key,
    due,
    size,
    versions,
    sha256,
  }) => html`<tr><td data-of="Object">${nameOf(key)}</td><td data-of="Keep until" class="day">${due.slice(0, 10)}</td><td data-of="Bytes" class="number">${number(size)}</td><td data-of="Versions" class="number">${number(versions)}</td><td data-of="SHA-256"><code>${sha256}</code></td></tr>
`,
)}
</tbody></table>
</section>
`;
}

function nameOf(key: string): string {
  const name = parseKey(key);
  return name?.kind === "record" ? `Record ${name.version}` : "File";
}
