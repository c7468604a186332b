import assert from "node:assert/strict";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Workplace } from "../export/workplace.ts";
import { withoutCeph } from "../servers/s3.ts";
import {
  type Changes,
  indexIn,
  type Line,
  linesOf,
  type Manifests,
  type Task,
  writeReport,
} from "./batch-operations.ts";
import { FAST, makeScene, type Scene } from "./scene.ts";

let scene: Scene;
let place: Workplace;
let folder: string;
let lines: Line[];
let tasks: Task[];
before(async () => {
  if (withoutCeph) return;
  scene = await makeScene(2);
  place = scene.place;
  folder = place.path("bulk");
  assert.equal((await place.here("retention", ["extend", "--manifest", folder])).code, 0);
  lines = await linesOf(folder, (await indexIn(folder)).manifests[0]!);
  tasks = lines.map((line) => ({ line }));
  await place.configure({ vault: FAST });
});
after(async () => {
  await scene?.[Symbol.asyncDispose]();
});

let reports = 0;
async function report(changes?: Changes, of = tasks): Promise<string> {
  reports += 1;
  return writeReport(place.path(`report-${reports}`), of, changes);
}

async function refused(why: RegExp, completed: string, manifests = folder): Promise<void> {
  const ended = await place.here("retention", ["extend", "--manifest", manifests, "--completed", completed, "--json"]);
  assert.equal(ended.code, 2, ended.stderr + ended.stdout);
  const { error } = ended.json as { error: { message: string; hint: string } };
  assert.match(error.message, why);
  assert.ok(error.hint.length > 10);
  assert.deepEqual(await place.entries("lock.extended"), []);
}

/** A copy of the manifests' folder, with one file changed. */
async function changed(file: (names: { csv: string }) => string, change: (text: string) => string): Promise<string> {
  reports += 1;
  const copy = place.path(`bulk-${reports}`);
  await cp(folder, copy, { recursive: true });
  const path = join(copy, file({ csv: (await indexIn(folder)).manifests[0]!.file }));
  await writeFile(path, change(await readFile(path, "utf8")));
  return copy;
}

describe("completion reports that are refused as a whole, and nothing is logged", { skip: withoutCeph }, () => {
  const row = (line: Line, ...rest: string[]): string => [...line, ...rest].join(",");
  const made: Readonly<Record<string, readonly [() => Changes, RegExp]>> = {
    "a file that was changed": [
      () => ({ damage: (text) => text.replace("Successful", "successful") }),
      /does not match the MD5 in its manifest/,
    ],
    "a file that was cut off": [() => ({ damage: (text) => text.slice(0, -40) }), /cannot be read|MD5/],
    "a file that was cut off after a row": [
      () => ({ damage: (text) => text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1) }),
      /does not match the MD5 in its manifest/,
    ],
    "a row of another bucket": [
      () => ({ more: [row(lines[0]!.with(0, "another") as unknown as Line, "succeeded", "200", "", "Successful")] }),
      /is of another bucket/,
    ],
    "an object of another client in the bucket": [
      () => ({
        more: [
          row(lines[0]!.with(1, `other/${"a".repeat(8)}`) as unknown as Line, "succeeded", "200", "", "Successful"),
        ],
      }),
      /names an object that is not in the vault/,
    ],
    "another version of an object": [
      () => ({ more: [row(lines[0]!.with(2, "v1") as unknown as Line, "succeeded", "200", "", "Successful")] }),
      /1 of its rows name an object or version that is in no manifest/,
    ],
    "an object that no manifest has": [
      () => ({
        more: [
          row(
            lines[0]!.with(1, lines[0]![1].replace(/[0-9a-f]{12}\.age$/, "000000000000.age")) as unknown as Line,
            ...["succeeded", "200", "", "Successful"],
          ),
        ],
      }),
      /1 of its rows name an object or version that is in no manifest/,
    ],
    "the same object twice": [
      () => ({ more: [row(lines[0]!, "succeeded", "200", "", "Successful")] }),
      /names 1 objects more than once/,
    ],
    "a row of too few columns": [() => ({ more: [row(lines[0]!, "succeeded")] }), /cannot be read/],
    "a row without end": [() => ({ more: [row(lines[0]!, "succeeded", "x".repeat(200_000))] }), /cannot be read/],
    "a manifest without the columns": [
      () => ({ manifest: { ReportSchema: "Bucket, Key, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage" } }),
      /it lacks VersionId/,
    ],
    "a manifest of another kind": [() => ({ manifest: { Format: "CSV" } }), /not one that S3 Batch Operations writes/],
    "files outside of its folder": [
      () => ({
        manifest: { Results: [{ TaskExecutionStatus: "succeeded", Key: "../..", MD5Checksum: "0".repeat(32) }] },
      }),
      /not one that S3 Batch Operations writes/,
    ],
    "a file that is not there": [
      () => ({
        manifest: {
          Results: [{ TaskExecutionStatus: "succeeded", Key: "results/none.csv", MD5Checksum: "0".repeat(32) }],
        },
      }),
      /there is no none\.csv/,
    ],
  };
  for (const [what, [changes, why]] of Object.entries(made)) {
    test(`refuses ${what}`, async () => refused(why, await report(changes())));
  }

  test("refuses manifests that were changed, and an index of another vault", async () => {
    const good = await report();
    const without = (text: string): string => text.slice(text.indexOf("\n") + 1);
    await refused(/governance-until-.* is not as it was written/, good, await changed(({ csv }) => csv, without));
    await refused(
      /governance-until-.* is not as it was written/,
      good,
      await changed(
        () => "index.json",
        (text) => text.replace(/"objects": \d+/, '"objects": 1'),
      ),
    );
    await refused(
      /is of client acme-bank and the vault s3:\/\/other/,
      good,
      await changed(
        () => "index.json",
        (text) => text.replace(/"vault": ".*"/, '"vault": "s3://other"'),
      ),
    );
    await refused(
      /is not what `retention extend --manifest` writes/,
      good,
      await changed(
        () => "index.json",
        (text) => text.replace(/"file": "/, '"file": "../'),
      ),
    );
    for (const date of ["2029-13-45T99:00:00Z", "2029-02-30T00:00:00Z", `2029-01-01T00:00:00.${"1".repeat(30)}Z`])
      await refused(
        /is not what `retention extend --manifest` writes/,
        good,
        await changed(
          () => "index.json",
          (text) => text.replace(/"lockedUntil": "[^"]+/, `"lockedUntil": "${date}`),
        ),
      );
    await refused(
      /they name an object twice/,
      good,
      await changed(
        () => "index.json",
        (text) => {
          const { manifests, ...index } = JSON.parse(text) as Manifests;
          return JSON.stringify({ ...index, manifests: [...manifests, ...manifests] });
        },
      ),
    );
    await refused(/cannot be read|cannot be used/, good, place.path("nothing"));
    await refused(/there is no .*manifest\.json/, place.path("nothing"));
  });

  test("a later date in the index is not believed: the store has no such lock, and nothing is logged", async () => {
    const later = await changed(
      () => "index.json",
      (text) => text.replaceAll(/"lockedUntil": "2\d{3}/g, '"lockedUntil": "2999'),
    );
    const ended = await place.here("retention", [
      "extend",
      "--manifest",
      later,
      "--completed",
      await report(),
      "--json",
    ]);
    assert.equal(ended.code, 3, ended.stderr);
    assert.equal((ended.json as { wrong: number }).wrong, lines.length);
    assert.deepEqual(await place.entries("lock.extended"), []);
  });

  test("refuses options that do not fit, and never writes over anything", async () => {
    for (const args of [
      ["--completed", "x"],
      ["--put-price", "1"],
      ["--ahead", "P1D"],
      ["--plan", "--manifest", "x"],
      ["--manifest", "x", "--completed", "y", "--ahead", "P1D"],
      ["--plan", "--ahead", "soon"],
    ])
      assert.equal((await place.here("retention", ["extend", ...args])).code, 2, args.join(" "));
    await place.configure({ vault: { lockRate: "12/h" } });
    const before = await readFile(join(folder, "index.json"));
    const again = await place.here("retention", ["extend", "--manifest", folder, "--json"]);
    assert.equal(again.code, 2);
    assert.match(again.stdout, /already exists/);
    assert.doesNotMatch(again.stdout + again.stderr, /--out/, "the option is --manifest");
    assert.deepEqual(await readFile(join(folder, "index.json")), before);
    const long = await place.here("retention", ["extend", "--plan", "--ahead", "PT30M", "--json"]);
    assert.equal(long.code, 2);
    assert.match(long.stdout, /is too long: every lock would be due/);
    await rm(folder, { recursive: true });
  });
});
