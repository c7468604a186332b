import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import type { ClientStatus } from "../../src/session/status.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("a source whose run failed stays in status and report, though another source's run came after it", async () => {
  await using first = await startSandbox({ identities: 2, files: false, seed: 11 });
  await using second = await startSandbox({ identities: 2, files: false, seed: 22 });
  const usual = { kind: "passbase", apiKey: "file:./keys/provider", rate: "10000/s" };
  const other = { ...usual, name: "second", url: second.url };
  await using place = await makeWorkplace(first, {
    client: { source: undefined, sources: [{ ...usual, url: first.url }, other] },
  });
  const page = async (): Promise<string> => {
    assert.equal((await place.here("report", ["--out", place.path("report.html"), "--offline"])).code, 0);
    const text = await readFile(place.path("report.html"), "utf8");
    return text
      .slice(text.indexOf("<main>"))
      .replace(/<[^>]+>/g, "")
      .replace(/\s+/g, " ");
  };
  await place.expect(0, "export");
  const fine = await page();
  assert.doesNotMatch(fine, /The last run of the source/);
  await writeFile(place.path("keys/wrong"), "wrong", { mode: 0o600 });
  await place.configure({ sources: [{ ...usual, url: first.url, apiKey: "file:./keys/wrong" }, other] });
  const ended = await place.holdfast("export", [], { env: { HOLDFAST_LOG_FORMAT: undefined } });
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /info {2}run started \(acme-bank, second\)$/m);
  assert.match(ended.stderr, /error run failed \(acme-bank, passbase\): .*401/m);

  const { stdout } = await place.here("status");
  assert.match(stdout, /^! last run {2}export, failed, just now/m);
  assert.match(stdout, /^! source {4}passbase: export, failed, just now$/m);
  assert.match(stdout, /^ {2}source {4}second \(passbase\): export, done, just now$/m);
  const [of] = await place.expect<ClientStatus>(0, "status");
  assert.deepEqual(
    of!.log!.sources.map(({ name, lastRun }) => [name, lastRun?.outcome]),
    [
      ["passbase", "failed"],
      ["second", "done"],
    ],
  );
  const failed = await page();
  assert.match(failed, /Needs attention:.*The last run of the source passbase, on [\d-]+, failed\./);
  assert.match(failed, /Last export: [^,]*, failed *\./);
  assert.equal((await place.here("report", ["--out", place.path("one.html")])).code, 0);
  const asked = await readFile(place.path("one.html"), "utf8");
  assert.match(asked, /The figures at the provider are those of the other sources\./);
  assert.match(asked, /In the vault, of all sources/);
  assert.equal((await place.here("report", ["--source", "second", "--out", place.path("one.html")])).code, 0);
  const one = await readFile(place.path("one.html"), "utf8");
  assert.match(one, /The comparison with the provider is about second only\./);
  const compared = await place.holdfast("reconcile", ["--source", "second"], {
    env: { HOLDFAST_LOG_FORMAT: undefined },
  });
  assert.match(compared.stderr, /vault {5}4 identities .*, of all sources$/m);
  assert.match(failed, /second: last run succeeded/);

  await place.configure({ sources: [{ kind: "passbase", retired: true }, other] });
  assert.equal((await place.here("report", ["--out", place.path("report.html")])).code, 0);
  const retired = await readFile(place.path("report.html"), "utf8");
  assert.doesNotMatch(retired, /was not asked/);
  assert.doesNotMatch(retired, /The last run of the source passbase/);
  assert.match(retired, /<li>passbase: retired, not asked<\/li>/);
  await place.configure({
    sources: [
      { kind: "passbase", retired: true },
      { ...other, retired: true },
    ],
  });
  assert.equal((await place.here("report", ["--out", place.path("report.html")])).code, 0);
  const none = await readFile(place.path("report.html"), "utf8");
  assert.doesNotMatch(none, /The source was not asked/);
  assert.match(none, /<p class="soft">The provider was not asked \(its sources are retired\)/);
  await place.configure({ sources: [{ kind: "passbase", retired: true }, other] });
  const after = (await place.here("status")).stdout;
  assert.match(after, /^ {2}last run {2}export, done, just now$/m);
  assert.match(after, /^ {2}source {4}passbase: retired, not asked$/m);
});
