import assert from "node:assert/strict";
import { test } from "node:test";
import { onTerminal, withoutTerminal } from "../cli/terminal.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("reconcile --show-ids: a terminal shows who is missing by the provider's id, and no one else", {
  skip: withoutTerminal,
}, async () => {
  await using sandbox = await startSandbox({ identities: 4, files: false });
  await using place = await makeWorkplace(sandbox);
  const [kept, ...missing] = sandbox.ids();
  await place.export("--identity", kept!);
  const args = ["reconcile", "--config", place.file];

  const plain = await onTerminal(args, place.folder);
  for (const id of sandbox.ids()) assert.ok(!plain.text.includes(id));

  const { code, text, lines } = await onTerminal([...args, "--show-ids"], place.folder);
  assert.equal(code, 3, text);
  assert.ok(!text.includes(kept!));
  for (const id of missing) assert.ok(lines.includes(`  ${await place.subject(id)}  ${id}`), text);

  const logged = await onTerminal([...args, "--show-ids", "--log-format", "json"], place.folder);
  for (const line of logged.lines.filter((each) => each.startsWith("{")))
    for (const id of missing) assert.ok(!line.includes(id), line);
});

test("reconcile --show-ids also shows whose files are withheld and who changed, each under its heading; or that there is no id to show", {
  skip: withoutTerminal,
}, async () => {
  await using sandbox = await startSandbox({ identities: 3, plainImages: true, withhold: 100 });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const changed = sandbox.ids()[sandbox.change(1)[0]!];
  const args = ["reconcile", "--show-ids", "--config", place.file];
  const { lines, text } = await onTerminal(args, place.folder);
  const under = (heading: RegExp): string[] => {
    const from = lines.findIndex((line) => heading.test(line));
    assert.ok(from >= 0, text);
    const end = lines.findIndex((line, at) => at > from && !line.startsWith("  "));
    return lines.slice(from + 1, end < 0 ? undefined : end).map((line) => line.trim().split(/ +/)[1]!);
  };
  assert.ok(under(/^acme-bank: changed at the source, by/).includes(changed!), text);
  assert.deepEqual(
    under(/^acme-bank: with withheld files, by/)
      .filter(Boolean)
      .toSorted(),
    sandbox.ids().toSorted(),
  );

  sandbox.setFaults({ withhold: 0 });
  await place.export("--withheld");
  const after = await onTerminal(args, place.folder);
  assert.ok(after.lines.includes("acme-bank: no ids to show"), after.text);
});

test("reconcile --show-ids is refused where stdout is no terminal, and with --json", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox);
  const asked = sandbox.requests.total;
  for (const args of [["--show-ids"], ["--show-ids", "--json"]]) {
    const ended = await place.holdfast("reconcile", args);
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, /--show-ids|terminal/);
    for (const id of sandbox.ids()) assert.ok(!(ended.stdout + ended.stderr).includes(id));
  }
  assert.equal(sandbox.requests.total, asked);
});
