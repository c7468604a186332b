import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { ask } from "../retention/place.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { s3Client, withoutCeph } from "../servers/s3.ts";

const PEOPLE = 23;
const CASE = ["--case", "AZ 17/26", "--reason", "inquiry of the prosecutor"];

interface Listed<T> {
  readonly clients: readonly T[];
}

for (const vault of ["directory", "ceph"] as const) {
  describe(`what the log says, as lists: ${vault}`, { skip: vault === "ceph" && withoutCeph }, () => {
    let sandbox: Sandbox;
    let place: Workplace;
    let subjects: string[];
    before(async () => {
      sandbox = await startSandbox({ identities: PEOPLE, files: false });
      place = await makeWorkplace(sandbox, { vault });
      await place.export();
      subjects = await Promise.all(sandbox.ids().map((id) => place.subject(id)));
    });
    after(async () => {
      await place?.[Symbol.asyncDispose]();
      await sandbox?.close();
    });

    /** Lists as text, and holds it to what a list may do: nothing personal in it, nothing written to the vault. */
    async function text(...[name, ...args]: string[]): Promise<string[]> {
      const before = await everything(place);
      const ended = await place.here(name!, args);
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal(await everything(place), before, "a list writes nothing");
      for (const personal of [...sandbox.canaries(), "AZ 17/26", "prosecutor"])
        assert.ok(!ended.stdout.includes(personal), personal);
      for (const line of ended.stdout.split("\n")) assert.ok(line.length <= 80, `longer than 80: ${line}`);
      return ended.stdout.trimEnd().split("\n");
    }

    test("before anything was done, each says so in one line", async () => {
      for (const [words, said] of [
        [["hold", "list"], "acme-bank: no legal hold is in effect"],
        [["relationship", "list"], "acme-bank: no relationship has ended that Holdfast was told of"],
        [["retrieval", "list"], "acme-bank: no retrieval was asked for"],
        [["retention", "purges"], "acme-bank: nothing was purged"],
      ] as const) {
        assert.deepEqual(await text(...words), [said]);
      }
    });

    test("hold list: the cases in effect, the newest first; --case says whom one holds; released, it is gone", async () => {
      const [first, second, third] = subjects as [string, string, string];
      await ask(place, 0, "hold", "place", ...CASE, "--subject", first, "--subject", second);
      await ask(place, 0, "hold", "place", "--case", "B 2", "--reason", "tax", "--subject", third, "--subject", first);
      const [one] = ((await ask(place, 0, "hold", "list")) as unknown as Listed<HoldList>).clients;
      assert.equal(one!.people, 3);
      assert.deepEqual(
        one!.cases.map((held) => new Set(held.subjects)),
        [new Set([first, third]), new Set([first, second])],
      );
      const lines = await text("hold", "list");
      assert.equal(lines[0], "acme-bank: 2 cases with a legal hold in effect, on 3 verifications");
      assert.deepEqual(
        lines.slice(2).map((line) => line.split(/ {2,}/).at(-1)),
        one!.cases.map((held) => held.case),
      );
      // Pasted with a character that cannot be seen, it is found too.
      for (const number of ["AZ 17/26", "AZ 17/26\u200b"]) {
        const [title, , ...rows] = await text("hold", "list", "--case", number);
        assert.match(title!, /^acme-bank: that case holds 2 verifications since \d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
        assert.deepEqual(new Set(rows.map((row) => row.trim())), new Set([first, second]));
      }
      assert.deepEqual(await text("hold", "list", "--case", "C 3"), ["acme-bank: no hold of that case is in effect"]);
      await ask(place, 0, "hold", "release", ...CASE);
      assert.equal(
        (await text("hold", "list"))[0],
        "acme-bank: 1 case with a legal hold in effect, on 2 verifications",
      );
    });

    test("relationship list: 20 rows and the count of the rest; --all and --json have every one; reopened, not", async () => {
      const table = [
        "subject,date",
        ...subjects.map((subject, at) => `${subject},2026-10-${String(at + 1).padStart(2, "0")}`),
      ];
      await writeFile(place.path("ended.csv"), table.join("\n"));
      await ask(place, 0, "relationship", "end", "--before-verification", "--csv", place.path("ended.csv"));
      const lines = await text("relationship", "list");
      assert.equal(lines[0], `acme-bank: ${PEOPLE} relationships ended`);
      assert.equal(lines.length, 23);
      assert.equal(lines.at(-1), "  … and 3 more; --all lists all");
      assert.equal((await text("relationship", "list", "--all")).length, PEOPLE + 2);
      await ask(place, 0, "relationship", "reopen", "--subject", subjects[4]!);
      const [one] = (
        (await ask(place, 0, "relationship", "list")) as unknown as Listed<{
          ended: { subject: string; ended: string; told: string; purged: boolean }[];
        }>
      ).clients;
      assert.deepEqual(
        new Set(one!.ended.map(({ subject, ended, purged }) => `${subject} ${ended} ${purged}`)),
        new Set(table.slice(1).flatMap((row, at) => (at === 4 ? [] : [`${row.replace(",", " ")} false`]))),
      );
    });

    test("retrieval list: what was handed out, by person too; asked and refused where a second person must sign", async () => {
      const words = ["--case", "2026-117", "--requested-by", "Ada Auditor", "--reason", "a suspicion"];
      await ask(
        place,
        0,
        "retrieve",
        ...words,
        "--subject",
        subjects[0]!,
        "--subject",
        subjects[1]!,
        "--out",
        place.path("one"),
      );
      await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", place.path("grace")]);
      const key = (await readFile(place.path("grace.pub"), "utf8")).trim();
      await place.configure({ retrieval: { approvals: [key] } });
      await ask(place, 2, "retrieve", ...words, "--subject", subjects[0]!, "--out", place.path("two"));
      const request = place.path("two.request.json");
      await writeFile(place.path("not-signed"), "nothing");
      const fetched = (approval: string, code: number) =>
        ask(place, code, "retrieve", "--request", request, "--approval", approval, "--out", place.path("two"));
      await fetched(place.path("not-signed"), 2);
      await promisify(execFile)("ssh-keygen", [
        "-q",
        "-Y",
        "sign",
        "-n",
        "holdfast-retrieval",
        "-f",
        place.path("grace"),
        request,
      ]);
      await fetched(`${request}.sig`, 0);

      const [title, heads, ...rows] = await text("retrieval", "list");
      assert.equal(title, "acme-bank: 4 retrievals asked for");
      assert.match(heads!, /^ {2}time \(UTC\) +outcome +tokens +records +files +approved by$/);
      const tail = key.split(" ")[1]!.slice(-8);
      const cells = rows.map((row) => row.trim().split(/ {2,}/).slice(1));
      assert.deepEqual(cells, [
        ["bag", "1", "1", "0", `…${tail}`],
        ["refused: bad-signature", "1", "0", "0"],
        ["asked", "1", "0", "0"],
        ["bag", "2", "2", "0"],
      ]);
      assert.equal((await text("retrieval", "list", "--subject", subjects[1]!)).length, 3);
      const mistyped = await place.here("retrieval", ["list", "--subject", "deadbeef"]);
      assert.equal(mistyped.code, 2, mistyped.stdout);
      assert.match(mistyped.stderr, /32 hexadecimal digits/);
      assert.deepEqual(await text("retrieval", "list", "--subject", subjects[9]!), [
        "acme-bank: no retrieval of this person was asked for",
      ]);
      const [one] = (
        (await ask(place, 0, "retrieval", "list")) as unknown as Listed<{
          retrievals: { outcome: string; request: string | null; subjects: string[] }[];
        }>
      ).clients;
      const asked = createHash("sha256")
        .update(await readFile(request))
        .digest("hex");
      assert.deepEqual(
        one!.retrievals.map((each) => each.request),
        [asked, asked, asked, null],
      );
      assert.deepEqual(one!.retrievals.at(-1)!.subjects, [subjects[0], subjects[1]].sort());
    });

    test("retention purges: what each run destroyed; it stays when a person is stored again", async () => {
      await using short = await makeWorkplace(sandbox, {
        vault,
        client: { retention: { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" } },
      });
      await short.export("--identity", sandbox.ids()[0]!, "--identity", sandbox.ids()[1]!);
      await delay(2_100);
      const purged = await ask(short, 0, "retention", "purge", "--confirm", "--out", short.path("destroyed"));
      await short.export("--identity", sandbox.ids()[0]!, "--again");
      const [one] = (
        (await ask(short, 0, "retention", "purges")) as unknown as Listed<{
          purges: {
            run: string;
            people: number;
            records: number;
            bytes: number;
            versions: number;
            uncertified: boolean;
          }[];
          unfinished: number;
        }>
      ).clients;
      const { run, people, records, bytes, versions, uncertified } = one!.purges[0]!;
      assert.deepEqual(
        [one!.purges.length, one!.unfinished, uncertified, run, people, records, bytes, versions],
        [1, 0, false, purged.run, 2, 2, purged.bytes, purged.versions],
      );
      const ended = await short.here("retention", ["purges"]);
      assert.match(
        ended.stdout,
        new RegExp(`^acme-bank: 1 purge\n.*\n {2}\\S+ \\S+ {2}${run} +2 +2 +0 +\\S+ kB$`, "m"),
      );
    });
  });
}

interface HoldList {
  readonly people: number;
  readonly cases: readonly { readonly case: string; readonly subjects: readonly string[] }[];
}

/** A digest of every name and version in the vault, by what someone else can see of it. */
async function everything(place: Workplace): Promise<string> {
  const { vault } = await place.client();
  if (vault.kind === "directory") {
    const { stdout } = await promisify(execFile)("find", [vault.path, "-type", "f", "-printf", "%P %s %T@\n"]);
    return stdout.split("\n").sort().join("\n");
  }
  const client = s3Client();
  const listed = await client.send(new ListObjectVersionsCommand({ Bucket: vault.bucket, Prefix: vault.prefix }));
  client.destroy();
  return JSON.stringify((listed.Versions ?? []).map(({ Key, VersionId, ETag }) => [Key, VersionId, ETag]));
}
