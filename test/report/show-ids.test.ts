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
