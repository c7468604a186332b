import type { DataClass, RetentionStart } from "./config.ts";

/** What starts a clock, in words that follow "from". */
export const STARTS: Readonly<Record<RetentionStart, string>> = {
  created: "when the provider made the version",
  exported: "when the copy was made",
  "relationship-end": "the end of the business relationship",
  "account-closed": "the closing of the account",
};

export const START_NAMES = Object.keys(STARTS) as [RetentionStart, ...RetentionStart[]];

/** What a law requires, as terms a client can use. Not legal advice: the person responsible must agree. */
export interface Preset {
  /** The rule, as written into records if the client names none of its own. */
  readonly citation: string;
  readonly keep: string;
  readonly from: RetentionStart;
  /** Classes of data with a clock of their own. */
  readonly classes?: Partial<Record<DataClass, { readonly keep: string; readonly from: RetentionStart }>>;
}

const PRESETS = {
  /** Five years from the end of the relationship; until July 2027 Directive (EU) 2015/849 Art. 40 says the same. */
  "eu-amlr": { citation: "Regulation (EU) 2024/1624 Art. 77", keep: "P5Y", from: "relationship-end" },
  "uk-mlr": { citation: "MLR 2017 reg. 40", keep: "P5Y", from: "relationship-end" },
  /**
   * Two clocks: identifying information five years from the closing of the account, (ii)(A); descriptions of documents,
   * methods and results five years from when the record was made, (ii)(B).
   */
  "us-cip": {
    citation: "31 CFR 1020.220(a)(3)",
    keep: "P5Y",
    from: "account-closed",
    classes: {
      verification: { keep: "P5Y", from: "exported" },
      files: { keep: "P5Y", from: "exported" },
    },
  },
  /** Six years from the closing of the account, (e)(5), on media that cannot be rewritten, (f)(2). */
  "sec-17a-4": { citation: "17 CFR 240.17a-4(e)(5), (f)(2)", keep: "P6Y", from: "account-closed" },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof PRESETS;

export const PRESET_NAMES = Object.keys(PRESETS) as [PresetName, ...PresetName[]];

export function presetOf(name: unknown): Preset | undefined {
  return typeof name === "string" && Object.hasOwn(PRESETS, name) ? PRESETS[name as PresetName] : undefined;
}

/** `MLR 2017 reg. 40: 5 years from the end of the business relationship`; one more line for each further clock. */
export function presetInWords({ citation, keep, from, classes = {} }: Preset): string[] {
  const clock = (each: Pick<Preset, "keep" | "from">) =>
    `${each.keep.replace(/^P(\d+)Y$/, "$1 years")} from ${STARTS[each.from]}`;
  const others = Map.groupBy(Object.entries(classes), ([, own]) => clock(own));
  const split = [...others].map(([time, of]) => `${of.map(([name]) => name).join(" and ")} ${time}`);
  return [`${citation}: ${clock({ keep, from })}`, ...split];
}
