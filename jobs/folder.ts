import { Command } from "commander";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run, withSource } from "../src/cli/command.ts";
import type { FolderSourceConfig } from "../src/config/source-config.ts";
import { askedSources, placeOf } from "../src/config/sources.ts";
import { HoldfastError } from "../src/core/error.ts";
import { number, plural } from "../src/observe/format.ts";
import type { Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { type BadEntry, checkFolder, type FolderCheck, type WaitingDrop } from "../src/source/folder/check.ts";
import { openStore } from "../src/source/folder/open.ts";

const check = withSource(
  command("check", "say what the config's fields find in a folder of drops, before anything is stored", [
    "holdfast folder check",
    "holdfast folder check --source old-provider --json | jq '.clients[].bad[]'",
  ]),
)
  .addHelpText(
    "after",
    `
Reads every drop of each source of kind folder as an export would, and every file that a manifest names. Stores nothing,
and needs neither \`init\` nor a key. It prints numbers only: drops and files are numbered in the order of their names,
because those may be people's.

Exit code: 0 an export can take everything that is ready; 3 some lines, entries or files cannot be taken.`,
  )
  .action((options: CommonOptions) =>
    run(options, async (session) => {
      await tellClients(session, "folder check", (onFailure) => checkAll(session, onFailure), {
        lines: (all) => all.flatMap(checkText),
        refuse: (all) => {
          const failures = all.reduce((sum, { failures }) => sum + failures, 0);
          if (failures === 0) return;
          throw new HoldfastError(
            "partial",
            `${plural(failures, "line or entry", "lines or entries")} cannot be taken`,
            {
              hint: "Correct them in the drop, or the source's fields in the config.",
            },
          );
        },
      });
    }),
  );

export const folderCommand = new Command("folder").description("drops of files as a source").addCommand(check);

export interface CheckedFolder extends FolderCheck {
  readonly client: string;
  readonly source: string;
  /** Of the client and the source, for people. */
  readonly place: string;
}

async function checkAll(session: Session, onFailure: (failure: ClientFailure) => void): Promise<CheckedFolder[]> {
  const isFolder = (source: { readonly kind: string }): source is FolderSourceConfig => source.kind === "folder";
  if (!session.clients.some((client) => askedSources(client).some(isFolder)))
    throw new HoldfastError("usage", "no source is of kind folder", {
      hint: "Write one in the config: docs/SOURCES.md.",
    });
  const all = await eachClient(
    session,
    async (config) => {
      const found: CheckedFolder[] = [];
      for (const source of askedSources(config).filter(isFolder)) {
        const store = await openStore(source);
        try {
          const checked = await checkFolder(store, source, session);
          found.push({ client: config.id, source: source.name, place: placeOf(config, source.name), ...checked });
        } finally {
          await store.close();
        }
      }
      return found;
    },
    onFailure,
  );
  return all.flat();
}

function checkText({
  place,
  drops,
  waiting,
  entryFiles,
  entries,
  people,
  broken,
  replaced,
  fields,
  files,
  bad,
  failures,
}: CheckedFolder): string[] {
  const notReady = waiting.map(
    (of) =>
      `  drop ${of.drop} is not ready${of.isStalled ? ", and began more than three days ago" : ""}: ${waitText(of)}`,
  );
  if (drops > 0 && drops === waiting.length) return [`${place}: no drop is ready yet, so none was read`, ...notReady];
  const named = Object.entries(fields).map(
    ([name, count]) =>
      `  ${name.padEnd(20)}${number(count)}${count === 0 && entries > 0 ? `  no entry has it: check fields.${name}` : ""}`,
  );
  return [
    `${place}: ${plural(people, "person would be taken", "people would be taken")}, from ${plural(entries, "entry", "entries")} in ${plural(entryFiles, "file")} of ${plural(drops - waiting.length, "drop")}${broken > 0 ? `; ${plural(broken, "person", "people")} cannot be` : ""}`,
    ...notReady,
    ...nothingText(drops, entryFiles, entries),
    ...named,
    ...(replaced.all > 0 ? [`  ${"replaced".padEnd(20)}${replacedText(replaced)}`] : []),
    `  ${"files beside them".padEnd(20)}${number(files.found)} found, ${number(files.missing)} missing, ${number(files.withoutEntry)} without an entry`,
    `  ${"digests".padEnd(20)}${number(files.checked)} checked and right${files.absent > 0 ? `; the manifests name ${plural(files.absent, "file that is", "files that are")} not there` : ""}`,
    ...bad.map(badText),
    ...(failures > bad.length ? [`  and ${number(failures - bad.length)} more`] : []),
  ];
}

/** Where an export would take no one, and what is missing. */
function nothingText(drops: number, entryFiles: number, entries: number): string[] {
  if (drops === 0) return ["  no drop is there: put each into a folder of its own, or check the source's url"];
  if (entryFiles === 0)
    return [
      "  no file with entries is in any drop: check the source's entries; .json, .jsonl, .ndjson and .csv are read",
    ];
  return entries === 0 ? ["  no file has an entry that can be read"] : [];
}

function replacedText({ all, sameFile }: FolderCheck["replaced"]): string {
  const text = `${plural(all, "entry", "entries")} by a later one with the same id`;
  return sameFile === 0 ? text : `${text}, ${number(sameFile)} of them in the same file: the last line counts`;
}

function waitText({ why, changed, takenFrom }: WaitingDrop): string {
  if (why === "marker") return `its marker is missing${changed === null ? "" : `; it last changed at ${changed}`}`;
  return changed === null
    ? "nothing is in it"
    : `it last changed at ${changed}; if nothing else does, it is taken from ${takenFrom} on`;
}

const badText = ({ drop, file, line, why }: BadEntry): string =>
  `  drop ${drop}${file === undefined ? "" : `, file ${file}`}${line === undefined ? "" : `, line ${line}`}: ${why}`;
