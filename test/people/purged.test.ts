import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { exportClients } from "../../jobs/export.ts";
import { systemClock } from "../../src/core/clock.ts";
import { onTerminal, type Seen, withoutTerminal } from "../cli/terminal.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

/** The first of three people was purged; their locks had ended by the real clock. */
let sandbox: Sandbox;
let place: Workplace;
let id: string;
let run: string;
const TODAY = Temporal.Now.plainDateISO("UTC");
const certificate = (): string => `holdfast retention certificate --client acme-bank --run ${run} --out <folder>`;
const destroyed = (what: string): string =>
  `all that the vault had of ${what} was destroyed on ${TODAY}, by the purge ${run}`;

before(async () => {
  sandbox = await startSandbox({ identities: 3, files: false });
  place = await makeWorkplace(sandbox, { client: { retention: { keep: "P100D", from: "relationship-end" } } });
  await exportClients({ ...(await session(place)), now: () => systemClock().subtract({ hours: 24 * 100 }) }, {});
  id = sandbox.ids()[0]!;
  const before = await place.here("erasure", ["assess", "--identity", id]);
  assert.equal(before.code, 0);
  const lastDay = TODAY.subtract({ days: 120 }).toString();
  const ended = await place.here("relationship", [
    ...["end", "--identity", id, "--date", lastDay, "--before-verification"],
  ]);
  assert.equal(ended.code, 0, ended.stderr);
  const purged = await place.here("retention", ["purge", "--confirm", "--out", place.path("destroyed"), "--json"]);
  assert.equal(purged.code, 0, purged.stderr);
  run = (await place.entries("record.purged"))[0]!.run;
});
after(async () => {
  await place[Symbol.asyncDispose]();
  await sandbox.close();
});

const see = (...words: string[]): Promise<Seen> => {
  const two = ["erasure", "hold", "relationship"].includes(words[0]!) ? 2 : 1;
  return onTerminal([...words.slice(0, two), "--config", place.file, ...words.slice(two)], place.folder);
};

describe("a purged person", { skip: withoutTerminal }, () => {
  test("erasure assess by id or token: code 0, the day, the run, and the command for the certificate", async () => {
    for (const name of [
      ["--identity", id],
      ["--subject", await place.subject(id)],
    ]) {
      const { code, text } = await see("erasure", "assess", ...name);
      assert.equal(code, 0, text);
      assert.ok(text.includes(`Held: nothing. All of it was destroyed on ${TODAY}, by the purge ${run}.`), text);
      assert.ok(text.includes(`Certificate: run \`${certificate()}\``), text);
    }
    const made = await place.here("retention", ["certificate", "--run", run, "--out", place.path("again")]);
    assert.equal(made.code, 0, made.stderr);
  });

  test("erasure assess by e-mail or reference: what can no longer be known is said", async () => {
    const { owner, metadata } = sandbox.identity(0);
    for (const [flag, value, what] of [
      ["--email", owner!.email!, "e-mail"],
      ["--reference", String(metadata!.customer_id), "reference"],
    ] as const) {
      const { code, text } = await see("erasure", "assess", flag, value);
      assert.equal(code, 2, text);
      const said = `the vault has no one with that ${what}; a person who was purged cannot be found by it any more`;
      assert.ok(text.includes(said), text);
      assert.match(text, /For a purged person use --identity/);
      assert.match(text, /stored before a field was added to lookups\.fields .*export --identity <id> --again/);
      assert.ok(!text.includes(value));
    }
  });

  test("hold, relationship and retrieve say what became of it, and not that it was never exported", async () => {
    const words = ["--case", "AZ 17/26", "--reason", "inquiry", "--identity", id];
    for (const command of [
      ["hold", "place", ...words],
      ["relationship", "end", "--identity", id, "--date", TODAY.toString()],
      ["retrieve", ...words, "--requested-by", "FIU", "--out", place.path("bag")],
    ]) {
      const { code, text } = await see(...command);
      assert.equal(code, 2, text);
      assert.ok(text.includes(destroyed("that identity")), text);
      assert.ok(text.includes(certificate()), text);
    }
  });

  test("a table of endings says it of its line, and of a value that finds no one names line and column only", async () => {
    const reference = String(sandbox.identity(0).metadata!.customer_id);
    await writeFile(place.path("ids.csv"), `identity,date\n${id},${TODAY}\n`);
    const byId = await see("relationship", "end", "--csv", place.path("ids.csv"));
    assert.equal(byId.code, 3);
    assert.ok(byId.text.includes(`! line 2, column identity, was left out: ${destroyed("that identity")}`), byId.text);
    assert.match(byId.text, /^1 line of the table was left out$/m);
    assert.doesNotMatch(byId.text, /never exported|--before-verification/);

    await writeFile(place.path("refs.csv"), `reference,date\n${reference},${TODAY}\nC-unknown,${TODAY}\n`);
    const byReference = await see("relationship", "end", "--csv", place.path("refs.csv"));
    assert.match(
      byReference.text,
      /! line 3, column reference, was left out: no match for that reference in the vault; a person who was purged cannot be found by it any more/m,
    );
    assert.match(byReference.text, /^2 lines of the table were left out$/m);
    assert.ok(!byReference.text.includes(reference) && !byReference.text.includes("C-unknown"), byReference.text);
  });

  test("export --subject says that the retention period is over, and not that the provider lacks the person", async () => {
    const subject = await place.subject(id);
    const { code, text } = await see("export", "--subject", subject);
    assert.equal(code, 0, text);
    assert.match(text, /not exported again: this subject is past the retention date/i);
    assert.doesNotMatch(text, /lists no one/);
  });

  test("reopened by identity, and not exported since: it is still said what became of it", async () => {
    const { code, text } = await see("relationship", "reopen", "--identity", id);
    assert.equal(code, 0, text);
    assert.match(text, /1 relationship reopened/);
    const assessed = await see("erasure", "assess", "--identity", id);
    assert.equal(assessed.code, 0, assessed.text);
    assert.ok(assessed.text.includes(`was destroyed on ${TODAY}, by the purge ${run}`), assessed.text);
  });
});

describe("what an officer reads", { skip: withoutTerminal }, () => {
  test("the assessment of a person who is kept is in plain words", async () => {
    await place.configure({ retention: { keep: "P5Y", from: "relationship-end" } });
    const { code, text } = await see("erasure", "assess", "--identity", sandbox.ids()[1]!);
    assert.equal(code, 0, text);
    assert.match(text, /^ {2}Identity data: 5 years after the relationship ends$/m);
    assert.match(text, /^ {2}Relationship end: not recorded$/m);
    assert.match(text, /^ {2}Keep until: not known yet$/m);
    assert.match(text, /^ {2}Answer: the law requires these records while the relationship lasts/m);
    assert.doesNotMatch(text, /P\d|relationship-end|told/);
  });

  test("an end on a day to come is warned of, with the day to which it locks", async () => {
    const day = TODAY.add({ months: 5 });
    const { code, text } = await see("relationship", "end", "--identity", sandbox.ids()[2]!, "--date", day.toString());
    assert.equal(code, 0, text);
    const until = day.add({ years: 5 }).add({ days: 1 });
    assert.ok(
      text.includes(`! 1 relationship ends in the future, on ${day}. What is kept is locked until ${until} now`),
      text,
    );
    assert.match(text, /the end of 1 relationship was recorded/);
    const past = await see("relationship", "end", "--identity", sandbox.ids()[1]!, "--date", TODAY.toString());
    assert.equal(past.code, 0, past.text);
    assert.doesNotMatch(past.text, /in the future/);
  });

  test("verify --key says how many objects it opened", async () => {
    const { text } = await see("verify", "--key", place.officer.file);
    assert.match(text, /^ {2}content {3}2 objects read and hashed; [\d.]+ kB; 2 opened with the key$/m);
    const without = await see("verify", "--read-data", "100");
    assert.match(without.text, /2 objects read and hashed; [\d.]+ kB$/m);
  });
});
