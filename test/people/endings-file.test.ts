import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { assessErasure } from "../../jobs/erasure.ts";
import { type EndResult, endRelationship } from "../../jobs/relationship.ts";
import { namedPeople } from "../../src/cli/named.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { ask } from "../retention/place.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

const TABLES = join(import.meta.dirname, "tables");
const DAY = "2024-10-31";

/** Every table ends the same relationship on the same day, so it is unchanged from the second time on. */
let sandbox: Sandbox;
let place: Workplace;
let references: string[];
before(async () => {
  sandbox = await startSandbox({ identities: 3, files: false });
  place = await makeWorkplace(sandbox, { client: { retention: { keep: "P5Y", from: "relationship-end" } } });
  await place.export();
  references = [0, 1, 2].map((index) => String(sandbox.identity(index).metadata!.customer_id));
});
after(async () => {
  await place[Symbol.asyncDispose]();
  await sandbox.close();
});

const NAMED = { identity: [], email: [], reference: [], subject: [], allMatches: false };

async function write(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(place.path(name), content);
  return place.path(name);
}

/** Runs the command in this process: a child process for each table would take longer than the rest of the test. */
async function end(table: string | Uint8Array): Promise<EndResult> {
  const csv = await write("closed.csv", table);
  return endRelationship(await session(place), { ...(await namedPeople(NAMED)), csv, beforeVerification: true });
}

async function refused(done: Promise<unknown>): Promise<HoldfastError> {
  const error = await done.then(
    () => assert.fail("was accepted"),
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof HoldfastError && error.code === "usage", String(error));
  return error;
}

/** All people in the table: newly ended and unchanged. */
const told = ({ subjects, unchanged }: Pick<EndResult, "subjects" | "unchanged">): number => subjects + unchanged;
const utf16 = (text: string, big = false): Buffer => {
  const bytes = Buffer.from(`\uFEFF${text}`, "utf16le");
  return big ? bytes.swap16() : bytes;
};
/** Windows-1252, limited to the characters it shares with Latin-1. */
const western = (text: string): Buffer => Buffer.from(text, "latin1");

describe("tables as spreadsheets write them", () => {
  test("LibreOffice's: separators, encodings, quotes, dates; a shortened number is skipped with its line", async () => {
    const files = (await readdir(TABLES)).filter((name) => name.endsWith(".csv"));
    assert.equal(files.length, 4);
    for (const name of files) {
      const done = (await ask(place, 3, "relationship", "end", "--csv", join(TABLES, name))) as unknown as EndResult;
      assert.equal(told(done), 2, name);
      assert.deepEqual(
        done.unusable.map(({ line }) => line),
        [5],
        name,
      );
      assert.match(done.unusable[0]!.why, name === "utf-8.csv" ? /no match/ : /digits are lost/);
    }
    const ended = await place.entries("relationship.ended");
    assert.deepEqual(new Set(ended.map(({ ended: day }) => day)), new Set(["2024-10-31", "2024-09-30"]));
  });

  test("Excel's: sep=, empty cells and rows at the end, separators in cells, line endings", async () => {
    const [, , third] = references as [string, string, string];
    const quoted = `"Bar ""Zum M\u00FCller"""`;
    const good: Readonly<Record<string, string | Uint8Array>> = {
      "sep=": `sep=;\r\nreference;date\r\n${third};${DAY}\r\n`,
      "sep= quoted, with empty cells": `"sep=;";\r\nreference;date\r\n${third};${DAY}\r\n`,
      "sep=|": `SEP=|\r\nreference|date\r\n${third}|${DAY}\r\n`,
      "sep= with a mark": `\uFEFFsep=,\r\nreference,date\r\n${third},${DAY}\r\n`,
      "cells at the end": `reference;date;;;\r\n${third};${DAY};;;\r\n`,
      "cells beyond the first line": `reference;date\r\n${third};${DAY};;;\r\n`,
      "rows at the end": `reference;date\r\n${third};${DAY}\r\n;\r\n;;\r\n ; \r\n\r\n`,
      "rows at the beginning": `\r\n;;\r\nreference;date;\r\n${third};${DAY};\r\n`,
      "commas in cells": `name;balance;reference;date\r\nM\u00FCller, Hans;1,50;${third};${DAY}\r\n`,
      "semicolons in cells": `name,reference,date\r\nMax; Moritz,${third},${DAY}\r\n`,
      "a separator in the first line": `"name, first";reference;date\r\nMax;${third};${DAY}\r\n`,
      "tabs, with empty cells": `note\treference\tdate\t\r\n\t${third}\t${DAY}\t\r\n`,
      "Windows-1252": western(`name;reference;date\r\nM\u00FCller;${third};${DAY}\r\n`),
      "UTF-16LE": utf16(`reference\tdate\r\n${third}\t${DAY}\r\n`),
      "UTF-16BE": utf16(`reference\tdate\r\n${third}\t${DAY}\r\n`, true),
      "UTF-8 with a mark": `\uFEFFreference;date\r\n${third};${DAY}`,
      "CR alone": `reference;date\r${third};${DAY}\r`,
      "LF and CRLF": `reference;date\n${third};${DAY}\r\n\n`,
      quotes: `name;reference;date\r\n${quoted};"${third}";"${DAY}"\r\n`,
      "names of columns with blanks": `Reference\u00A0;\u200BDATE\r\n${third};${DAY}\r\n`,
      "31.10.2024": `reference;date\r\n${third};31.10.2024\r\n`,
      "2024/10/31": `reference;date\r\n${third};2024/10/31\r\n`,
      "2024. 10. 31.": `reference;date\r\n${third};2024. 10. 31.\r\n`,
      midnight: `reference;date\r\n${third};31.10.2024 00:00\r\n`,
      "marks of direction": `reference;date\r\n\u200E${third};\u200E31.\u200E10.\u200E2024\r\n`,
    };
    for (const [what, table] of Object.entries(good)) {
      const done = await end(table);
      assert.equal(told(done), 1, what);
    }
    const subject = await place.subject(sandbox.identity(2).id);
    const days = (await place.entries("relationship.ended")).filter((entry) => entry.subject === subject);
    assert.deepEqual(
      days.map(({ ended }) => ended),
      [DAY],
    );
  });

  test("an ambiguous or invalid row is refused with its line and the reason, and nothing is changed", async () => {
    const [first] = references as [string];
    const before = (await place.entries("relationship.ended")).length;
    for (const [cell, reason] of [
      ["05/06/2024", /ambiguous order/],
      ["31/10/2024", /ambiguous order/],
      ["31-10-2024", /ambiguous order/],
      ["31.10.24", /two-digit year/],
      ["31-Oct-24", /two-digit year/],
      ["45596", /day number/],
      ["45596,5", /day number/],
      ["########", /too narrow/],
      ["31.02.2024", /no such day/],
      ["2024-10-31 17:00", /time of day/],
      ["2024-10-31T00:00:00Z", /time of day/],
      ["October", /not a valid date/],
      ["", /no date\)/],
    ] as const) {
      const error = await refused(end(`reference;date\r\n${first};${DAY}\r\n${first};${cell}\r\n`));
      assert.match(error.message, reason, cell);
      assert.match(error.message, /cannot read 1 line: 3 \(/, cell);
      assert.match(error.hint!, /2026-10-31/);
      assert.ok(cell === "" || !error.message.includes(cell), cell);
    }
    for (const [table, message] of [
      [`name,reference,date\nM\u00FCller, Hans,${first},${DAY}\n`, /2 \(more cells than the first line/],
      [`reference;date\n;${DAY}\n${first};${DAY}\n`, /2 \(no reference\)/],
      [`reference;date\nBar "Sonne" Wien;${DAY}\n`, /line 2 is invalid/],
      [`reference;date\n"${first}";${DAY}\n"C-1;${DAY}\n${first};${DAY}\n`, /after line 2 a quotation mark is not/],
      [`sep=,\nreference;date\n${first};${DAY}\n`, /no valid column names/],
      [`reference;date;Date\n${first};${DAY};${DAY}\n`, /two columns are named date/],
      [`reference;reference;date\n${first};${first};${DAY}\n`, /two columns are named reference/],
      [Buffer.from("504b03041400060008000000", "hex"), /is not text/],
      [utf16(`reference\tdate\n${first}\t${DAY}\n`).subarray(2), /is not text/],
      [Buffer.concat([western("reference;date\n"), Buffer.from([0x81, 0x0a])]), /has an unknown encoding/],
    ] as const) {
      const error = await refused(end(table));
      assert.match(error.message, message, String(table));
      assert.ok(error.hint !== undefined);
    }
    const csv = await write("closed.csv", `reference;date\n${first};05/06/2024\n`);
    await ask(place, 2, "relationship", "end", "--csv", csv);
    assert.equal((await place.entries("relationship.ended")).length, before);
  });

  test("an unknown person is reported with the line and a possible reason, and the other rows are used", async () => {
    const [, , third] = references as [string, string, string];
    const done = await end(
      western(
        `reference;date\r\n${third};${DAY}\r\nM\u00FCller-7;${DAY}\r\nC\u00AD9;${DAY}\r\nC-8;${DAY};\r\n1E+15;${DAY}\r\n`,
      ),
    );
    assert.equal(told(done), 1);
    const rows = done.unusable;
    assert.deepEqual(
      rows.map(({ line }) => line),
      [3, 4, 5, 6],
    );
    assert.match(rows[0]!.why, /no match.*read as Windows-1252/);
    assert.match(rows[1]!.why, /no match.*U\+00AD/);
    assert.match(rows[2]!.why, /no match.*more cells/);
    assert.match(rows[3]!.why, /digits are lost/);
    assert.doesNotMatch(JSON.stringify(rows), /ller-7|C-8/);
  });

  test("a list of people is read in every encoding, and as a table with two columns", async () => {
    const assess = async (content: string | Uint8Array) => {
      const list = await write("people.txt", content);
      return assessErasure(await session(place), await namedPeople({ ...NAMED, list }));
    };
    const [one, two] = references as [string, string];
    const email = sandbox.identity(2).owner!.email!;
    const lists: Readonly<Record<string, string | Uint8Array>> = {
      plain: `# M\u00FCller\nreference ${one}\nreference ${two}\nemail ${email}\n`,
      CR: `# people\rreference ${one}\rreference ${two}\remail ${email}`,
      "Windows-1252": western(`# M\u00FCller\r\nreference ${one}\r\nreference ${two}\r\nemail ${email}\r\n`),
      "UTF-16": utf16(`reference\t${one}\r\nreference\t${two}\r\nemail\t${email}\r\n`),
      "two columns": `reference;${one}\r\nreference;"${two}"\r\nemail;Ann Example <${email}>;\r\n;;\r\n`,
      "sep=": `sep=,\r\n# people,\r\nreference,${one},\r\nreference,${two},\r\nemail,${email},\r\n`,
      "one column, with empty cells": `reference ${one};;\r\nreference ${two};;\r\nemail mailto:${email};;\r\n;;\r\n`,
    };
    for (const [what, list] of Object.entries(lists)) {
      const { people } = await assess(list);
      assert.equal(people.length, 3, what);
    }
    for (const list of [
      `reference;${one};${two}\n`,
      `reference;${one}\nC-1\n`,
      "kind;value\n",
      `reference ${one}\n?\n`,
    ]) {
      const error = await refused(assess(list));
      assert.match(error.message, /, line [12]: no person is named/, list);
    }
  });
});
