import { Option } from "commander";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run, withSource } from "../src/cli/command.ts";
import { hostHere } from "../src/cli/host.ts";
import type { ClientConfig } from "../src/config/config.ts";
import type { ActiveSourceConfig } from "../src/config/source-config.ts";
import { askedSources, placeOf } from "../src/config/sources.ts";
import { HoldfastError } from "../src/core/error.ts";
import { quoted } from "../src/core/printable.ts";
import { firstFew } from "../src/observe/first-few.ts";
import { bytes, number, plural, verifications } from "../src/observe/format.ts";
import type { Line } from "../src/observe/line.ts";
import { type Coverage, type Lacking, type SubjectCount, withheldText } from "../src/report/coverage.ts";
import { type UnderWay, underWayText } from "../src/report/under-way.ts";
import type { Session } from "../src/session/client.ts";
import { coverageNow } from "../src/session/coverage.ts";
import { type ClientFailure, eachClient, throwFailure } from "../src/session/each-client.ts";
import { eachSource, noneAsked } from "../src/session/each-source.ts";
import { waitingText } from "../src/session/export-summary.ts";
import { openReading } from "../src/session/open-reading.ts";
import { underWay } from "../src/session/under-way.ts";

export const reconcileCommand = withSource(
  command("reconcile", "compare the source with the vault, and list what either one lacks", [
    "holdfast reconcile",
    "holdfast reconcile --show-ids       on a terminal: list who is missing or lacks files, by the provider's id",
    "holdfast reconcile --json | jq '.clients[].missing.subjects[]'",
  ]),
)
  .addOption(
    new Option(
      "--show-ids",
      "also show the provider's ids of people who are missing, changed, failed, or lack withheld files; only on a terminal, never in a log or in JSON",
    ).conflicts("json"),
  )
  .addHelpText(
    "after",
    `
Requests only the provider's list, and changes nothing. It shows people by subject, the token in the log; export
--subject <token> exports one. Exits with code 3 if the vault lacks something (a record that the source has, or a file
that the provider withheld), and if a source has no list, so that it could not check that.`,
  )
  .action((options: CommonOptions & { showIds?: boolean }) =>
    run(options, async (session) => {
      const { showIds = false } = options;
      if (showIds) refuseFile(hostHere().stdout);
      await tellClients(session, "reconcile", (onFailure) => reconcile(session, onFailure, showIds), {
        refuse: refuseMissing,
      });
    }),
  );

/** The provider's ids are personal data. A redirection must not put them into a file or a log by accident. */
function refuseFile({ isTTY }: { readonly isTTY?: boolean }): void {
  if (isTTY) return;
  throw new HoldfastError("usage", "--show-ids shows people's ids at the provider, but stdout is not a terminal", {
    hint: "Run it on a terminal, without a pipe or redirection: the ids are personal data and must not end up in a file or a log. Elsewhere, use the tokens with `holdfast export --subject`.",
  });
}

/** What only the source's list tells is null where it has no list. */
export interface Reconciled extends Omit<Coverage, "source" | "missing" | "changed" | "past"> {
  readonly client: string;
  /** The source that was asked, by its name in the config. */
  readonly source: { readonly name: string; readonly listed: number | null; readonly unreadable: number | null };
  readonly missing: SubjectCount | null;
  readonly changed: SubjectCount | null;
  readonly past: SubjectCount | null;
  /** Whether a run is writing to the vault at the same time, so that the figures are out of date. */
  readonly underWay: UnderWay;
  /** Drops of a folder that are not taken yet, so that no one in them is listed; of these, how many for three days. */
  readonly waiting: number;
  readonly stalled: number;
  /** Why the source's list could not be compared with the vault: it has none. Null if it was. */
  readonly notCompared: string | null;
}

/** Shows at most this many ids of each kind. */
const MOST_IDS = 10_000;

/**
 * Compares the source with the vault, both ways. Fetches only the list, changes nothing, and can run during an export.
 * @param showIds whether stdout, a terminal, shows the provider's ids of who is lacking something
 */
export async function reconcile(
  session: Session,
  onFailure?: (failure: ClientFailure) => void,
  showIds = false,
): Promise<Reconciled[]> {
  const all = await eachClient(
    session,
    async (config) => {
      if (askedSources(config).length === 0) session.console.say(`${config.id}: nothing to do, ${noneAsked(config)}`);
      const { results, failures } = await eachSource(config, session, (source) =>
        reconcileSource(config, source, session, showIds),
      );
      for (const failure of failures) (onFailure ?? throwFailure)(failure);
      return results;
    },
    onFailure,
  );
  return all.flat();
}

async function reconcileSource(
  config: ClientConfig,
  source: ActiveSourceConfig,
  session: Session,
  showIds: boolean,
): Promise<Reconciled> {
  const place = placeOf(config, source.name);
  await using reading = await openReading(config, session);
  const ids = new Map<Lacking, string[]>();
  const before = await underWay(reading.vault, session);
  const { coverage, notAsked, waiting } = await coverageNow(config, [source], session, reading, (subject, id, kind) => {
    const of = ids.getOrInsert(kind, []);
    if (showIds && of.length < MOST_IDS) of.push(`  ${subject}  ${quoted(id)}`);
  });
  for (const { error } of notAsked) if (error) throw error;
  // A run that started in the meantime also makes the figures out of date.
  const now = before.state === "running" ? before : await underWay(reading.vault, session);
  const { missing, changed, past } = coverage;
  const why = notAsked[0]?.why ?? null;
  const reconciled: Reconciled = {
    client: config.id,
    ...coverage,
    ...(why === null ? { missing, changed, past } : { missing: null, changed: null, past: null }),
    waiting: waiting?.count ?? 0,
    stalled: waiting?.stalled ?? 0,
    source: { name: source.name, ...((why === null && coverage.source) || { listed: null, unreadable: null }) },
    notCompared: why,
    underWay: now,
  };
  session.console.say(coverageText(reconciled, place, config.sources.length > 1));
  if (showIds) session.console.result(undefined, idsText(place, ids, coverage));
  return reconciled;
}

/** Throws `partial` if the vault lacks something it should have. This sets the exit code. */
function refuseMissing(all: readonly Reconciled[]): void {
  // People whose last attempt failed are among these, or are gone at the source.
  const lacking = all.reduce((sum, of) => sum + lackingRecords(of), 0);
  if (lacking > 0) {
    const isRunning = all.some(({ underWay }) => underWay.state === "running");
    throw new HoldfastError("partial", `${number(lacking)} at the source are not in the vault as they are now`, {
      hint: isRunning
        ? "A run is active: run `holdfast reconcile` again when it has finished."
        : "Run `holdfast backfill` to take them now. The nightly export takes them when it next reads the whole list: each night, or once a week where the source names changes. The log lists failures by subject and code.",
    });
  }
  const files = all.reduce((sum, { withheld }) => sum + withheld.files, 0);
  if (files === 0) {
    refuseNotCompared(all);
    return;
  }
  const count = all.reduce((sum, { withheld }) => sum + withheld.count, 0);
  throw new HoldfastError("partial", withheldText({ files, count }), {
    hint: "Ask the provider to grant them, then run `holdfast export --withheld`.",
  });
}

function refuseNotCompared(all: readonly Reconciled[]): void {
  const [why] = all.flatMap(({ notCompared }) => notCompared ?? []);
  if (why === undefined) return;
  throw new HoldfastError("partial", `could not check whether the vault has everyone: ${why}`, {
    hint: "`holdfast backfill --ids` compares a list of ids from elsewhere. Without one, each person whom the vault has is asked about within the source's resync.",
  });
}

function lackingRecords({ missing, changed, source }: Reconciled): number {
  return (missing?.count ?? 0) + (changed?.count ?? 0) + (source.unreadable ?? 0);
}

function headline(of: Reconciled): string {
  if (of.notCompared !== null) return `could not compare the source with the vault: ${of.notCompared}`;
  if (lackingRecords(of) > 0) return "the vault does not have all that the source has";
  const left = of.past?.count ?? 0;
  const past = left === 0 ? "" : `, except ${verifications(left)} past the retention date`;
  const isWhole = of.withheld.count === 0;
  return isWhole ? `the vault has all that the source has${past}` : `all records${past}; ${withheldText(of.withheld)}`;
}

function coverageText(of: Reconciled, place: string, hasSeveral: boolean): Line[] {
  const { source, vault, missing, changed, failed, withheld, gone, past, purged } = of;
  const codes = Object.entries(failed.codes).map(([code, count]) => `${code} ${number(count)}`);
  const running = underWayText(of.underWay);
  const never = of.underWay.state === "running" ? "not in the log yet" : "never exported";
  return [
    {
      text: `${place}: ${headline(of)}`,
      tone: lackingRecords(of) === 0 && of.withheld.count === 0 && of.notCompared === null ? "good" : "warning",
    },
    ...(running ? [`  now       ${running}`] : []),
    ...(source.listed !== null
      ? [
          `  source    ${plural(source.listed, "identity", "identities")}${source.unreadable ? `, and ${number(source.unreadable)} that cannot be read` : ""}`,
        ]
      : []),
    `  vault     ${plural(vault.subjects, "identity", "identities")} in ${plural(vault.versions, "version")}, ${plural(vault.files, "file")}, ${bytes(vault.bytes)}${hasSeveral ? ", of all sources" : ""}`,
    ...(missing ? rows("missing", `at the source, ${never}`, missing) : []),
    ...(changed ? rows("changed", "at the source, otherwise than exported last", changed) : []),
    ...rows("failed", `when last tried${codes.length > 0 ? `: ${codes.join(", ")}` : ""}`, failed),
    ...rows(
      "withheld",
      `${withheld.count === 1 ? "person lacks" : "people lack"} ${plural(withheld.files, "file")} that the provider withheld; export --withheld asks again`,
      withheld,
    ),
    ...rows("gone", "kept, and not at the source any more", gone),
    ...(of.waiting > 0 ? [`  waiting   ${waitingText(of)}`] : []),
    ...(past && past.count > 0 ? [`  past      ${number(past.count)} at the source, past the retention date`] : []),
    ...(purged > 0 ? [`  purged    ${number(purged)} at the end of their retention`] : []),
  ];
}

const HEADINGS = {
  missing: "missing",
  changed: "changed at the source",
  failed: "failed when last tried",
  withheld: "with withheld files",
} as const;

function idsText(place: string, ids: ReadonlyMap<Lacking, readonly string[]>, coverage: Coverage): string[] {
  const lines = (Object.keys(HEADINGS) as Lacking[]).flatMap((kind) => {
    const of = ids.get(kind) ?? [];
    if (of.length === 0) return [];
    // People who are not at the source any more have no id there.
    const more = of.length < MOST_IDS ? 0 : coverage[kind].count - of.length;
    return [
      `${place}: ${HEADINGS[kind]}, by subject and by the provider's id`,
      ...of,
      ...(more > 0 ? [`  … and up to ${number(more)} more`] : []),
    ];
  });
  return lines.length > 0 ? lines : [`${place}: no ids to show`];
}

function rows(name: string, what: string, { count, subjects }: SubjectCount): string[] {
  if (count === 0) return [];
  const { first, more } = firstFew(subjects, `--json names ${number(subjects.length)}`, count);
  const named = [...first, ...(more ? [more] : [])].map((line) => `            ${line}`);
  return [`  ${name.padEnd(10)}${number(count)} ${what}`, ...named];
}
