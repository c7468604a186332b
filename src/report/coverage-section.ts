import { number } from "../observe/format.ts";
import { type Html, html } from "../page/html.ts";
import type { Report } from "./report.ts";

/** What the provider has against what the vault has. */
export function coverageSection({ coverage, notAsked, sources, isOfSome, webhooks }: Report): Html {
  const { source, missing, changed, failed, withheld, gone, past, purged, vault } = coverage;
  // Without the provider's list, no one was compared.
  const ofList = (count: number): number => (source === null ? Number.NaN : count);
  const rows: readonly (readonly [string, number, string])[] = [
    ["At the provider", source?.listed ?? Number.NaN, ""],
    [isOfSome || sources.length > 1 ? "In the vault, of all sources" : "In the vault", vault.subjects, ""],
    ["At the provider, not in the vault", ofList(missing.count), missing.count > 0 ? "bad" : ""],
    ["Changed at the provider since the last export", ofList(changed.count), changed.count > 0 ? "unsure" : ""],
    ...(webhooks?.length === 0 ? [] : [["Named by webhooks, and not asked about yet", waiting(webhooks), ""] as const]),
    ["Last export failed", failed.count, failed.count > 0 ? "bad" : ""],
    ["Files missing: the provider withheld them", withheld.count, withheld.count > 0 ? "unsure" : ""],
    ["In the vault, no longer at the provider", gone.count, ""],
    ["At the provider, past their retention period", ofList(past.count), ""],
    ["Destroyed after their retention period", purged, ""],
  ];
  return html`<section class="together">
<h2>Provider and vault compared</h2>
${notAsked === null ? undefined : html`<p class="${areRetired(sources) ? "soft" : "unsure"}">The provider was not asked (${notAsked}). ${source === null ? "What only its list shows is not known; the other figures are those of the log." : "The figures at the provider are those of the other sources."}</p>`}
<table><thead><tr><th>Verifications</th><th class="number">Number</th></tr></thead><tbody>
${rows.map(([words, count, colour]) => html`<tr><td>${words}</td><td class="number ${colour}">${Number.isNaN(count) ? "not known" : number(count)}</td></tr>`)}
</tbody></table>
</section>
`;
}

/** Not a number if that could not be read. */
const waiting = (webhooks: Report["webhooks"]): number =>
  webhooks?.reduce((sum, { people }) => sum + people, 0) ?? Number.NaN;

/** Then it is no alarm that no source was asked. */
export function areRetired(sources: Report["sources"]): boolean {
  return sources.every(({ retired }) => retired);
}
