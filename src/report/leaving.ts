import type { Catalog } from "../catalog/catalog.ts";
import type { SourceConfig } from "../config/source-config.ts";
import { plural } from "../observe/format.ts";
import { PROVIDERS, type ProviderKind } from "../provider/provider.ts";
import { durationText } from "./policy-text.ts";

/** The identities of a source that Holdfast knows, has not stored in final form, and may soon be unable to read. */
export interface Leaving {
  readonly source: string;
  readonly kind: ProviderKind;
  /** How long the provider lets them be read, ISO 8601. */
  readonly horizon: string;
  /** They leave it within a week, by the time of their last change. */
  readonly soon: number;
  /** They have left it. */
  readonly left: number;
  /** Every attempt failed, so their age is not known. */
  readonly failed: number;
}

const WEEK = Temporal.Duration.from({ days: 7 });

/** Of each source whose provider keeps identities readable for some time only. */
export function leavingOf(
  sources: readonly SourceConfig[],
  { roster }: Pick<Catalog, "roster">,
  now: Temporal.Instant,
): Leaving[] {
  return sources.flatMap(({ name, kind, horizon }) => {
    if (horizon === undefined) return [];
    const before = (time: Temporal.ZonedDateTime) =>
      roster.openBefore(name, time.subtract(horizon).toInstant().toString());
    const today = now.toZonedDateTimeISO("UTC");
    const left = before(today);
    return [
      {
        source: name,
        kind,
        horizon: horizon.toString(),
        left,
        soon: before(today.add(WEEK)) - left,
        failed: roster.neverStored(name),
      },
    ];
  });
}

/** A sentence about each of the numbers that is not zero; empty if all are. */
export function leavingText({ source, kind, horizon, soon, left, failed }: Leaving): string {
  const { name, identity, identities } = PROVIDERS[kind];
  const those = (count: number) => plural(count, identity, identities);
  const what = "that Holdfast knows and has not stored in final form";
  const place = `${name}'s ${durationText(horizon)} (source ${source})`;
  return [
    ...(soon > 0 ? [`${those(soon)} ${what} ${soon === 1 ? "leaves" : "leave"} ${place} this week.`] : []),
    ...(left > 0 ? [`${those(left)} ${what} ${left === 1 ? "has" : "have"} left ${place}.`] : []),
    ...(failed > 0
      ? [`${those(failed)} failed whenever tried, and may be leaving ${place}: the age is not known.`]
      : []),
  ].join(" ");
}
