import assert from "node:assert/strict";
import { test } from "node:test";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("what the end of a relationship says: dates that are replaced, people who stay, and days to come", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox, { client: { retention: { timezone: "UTC" } } });
  await place.export();
  const [first, second, third] = await Promise.all(sandbox.ids().map((id) => place.subject(id)));
  const say = async (code: number, ...words: string[]): Promise<string> => {
    const ended = await place.here(words[0]!, words.slice(1));
    assert.equal(ended.code, code, ended.stderr);
    // The messages are JSON lines here.
    return (ended.stdout + ended.stderr).replaceAll('"', "\n");
  };
  const end = (subject: string, date: string) =>
    say(0, "relationship", "end", "--subject", subject, "--date", date, "--before-verification");

  assert.ok(!(await end(first!, "2000-02-01")).includes("replaced"));
  assert.match(await end(first!, "2000-01-31"), /^ {2}replaced {4}1 date: 2000-02-01 → 2000-01-31$/m);

  // Their lock lasts; another is under a hold as well.
  assert.match(
    await end(first!, "2000-01-30"),
    /^ {2}stay {8}1 verification past the date, until a lock of the store ends$/m,
  );
  const held = ["--case", "A 1", "--reason", "inquiry"];
  await say(0, "hold", "place", ...held, "--subject", second!);
  const said = await end(second!, "2000-01-31");
  assert.match(said, /^ {2}stay {8}1 verification past the date, under a legal hold$/m);
  assert.ok(!said.includes("need not be kept"), said);
  assert.match(
    await say(0, "hold", "release", ...held, "--subject", third!),
    /this case holds no one of the people named; nothing was released/i,
  );

  const ahead = Temporal.Now.plainDateISO("UTC").add({ days: 30 }).toString();
  await end(third!, ahead);
  const listed = await say(0, "relationship", "list");
  assert.match(listed, /^acme-bank: 2 relationships ended, 1 to end$/m);
  assert.match(listed, new RegExp(`^ *${ahead} .* ${third} +ends$`, "m"));
});
