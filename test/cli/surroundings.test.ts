import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { CLIENT, makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { commandLine } from "./program.ts";

/** A command line as a shell has it: pipes, devices and redirections. Ended, whatever happens, after two minutes. */
async function shell(line: string, cwd: string, env: NodeJS.ProcessEnv = {}): Promise<{ code: number; said: string }> {
  const program = commandLine([]).map((word) => `'${word}'`);
  const holdfast = `holdfast() { ${program.join(" ")} "$@"; }`;
  return new Promise((resolve) =>
    execFile(
      "bash",
      ["-c", `${holdfast}; ${line}`],
      { cwd, env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env }, timeout: 120_000, killSignal: "SIGKILL" },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? -1) : 0, said: stdout + stderr }),
    ),
  );
}

describe("files that are not regular files", { concurrency: true }, () => {
  test("a config through a pipe: relative paths are refused, absolute ones are good", async () => {
    await using sandbox = await startSandbox({ identities: 2, files: false });
    await using place = await makeWorkplace(sandbox);
    const refused = await shell("holdfast export --config <(cat holdfast.yaml)", place.folder);
    assert.deepEqual([refused.code, /a config read from a pipe/.test(refused.said)], [2, true], refused.said);
    const absolute = (await readFile(place.file, "utf8")).replaceAll(
      /(file:)?\.\//g,
      (_, file) => `${file ?? ""}${place.folder}/`,
    );
    await writeFile(place.path("absolute.yaml"), absolute);
    const done = await shell("holdfast export --config <(cat absolute.yaml)", place.folder);
    assert.equal(done.code, 0, done.said);
    assert.equal((await place.entries("record.stored")).length, 2);
  });

  test("a FIFO that no one writes to, a device without an end, a folder: refused at once", async () => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-odd-"));
    try {
      for (const [config, says] of [
        ["fifo", /is empty/],
        ["/dev/zero", /larger than/],
        [".", /EISDIR/],
        ["/dev/null", /is empty/],
      ] as const) {
        const ended = await shell(`[ -p fifo ] || mkfifo fifo; holdfast export --config ${config}`, folder);
        assert.deepEqual([ended.code, says.test(ended.said)], [2, true], `${config}: ${ended.said}`);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("a certificate of which a file is a FIFO", async () => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-odd-"));
    try {
      const ended = await shell("mkfifo certificate.json; holdfast verify .", folder);
      assert.deepEqual([ended.code, /is not a file/.test(ended.said)], [4, true], ended.said);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("secrets in a FIFO that no one writes to, and in a device without an end", async () => {
    await using sandbox = await startSandbox({ identities: 2, files: false });
    await using place = await makeWorkplace(sandbox);
    await shell("mkfifo keys/fifo", place.folder);
    for (const file of [place.path("keys/fifo"), "/dev/zero"]) {
      await place.configure({ source: { apiKey: `file:${file}` } });
      const ended = await shell("holdfast export --config holdfast.yaml", place.folder);
      assert.deepEqual([ended.code, /source\.apiKey|file:/.test(ended.said)], [2, true], ended.said);
    }
  });
});

test("tables and certificates that are a FIFO or a device without an end are refused, and hold no one up", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  await shell("mkfifo fifo", place.folder);
  for (const [command, code] of [
    ["relationship end --csv", 2],
    ["hold place --case a --reason b --list", 2],
    ["verify --tsa-ca", 2],
  ] as const) {
    for (const file of ["fifo", "/dev/zero"]) {
      const ended = await shell(`holdfast ${command} ${file} --config holdfast.yaml`, place.folder);
      assert.deepEqual([ended.code, /\n\s+at /.test(ended.said)], [code, false], `${command} ${file}: ${ended.said}`);
    }
  }
});

test("opening a record to a full stdout: one line, no stack trace", async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const [stored] = await place.entries("record.stored");
  const sealed = join(place.path("vault", CLIENT), stored!.object.key);
  const ended = await shell(`holdfast open ${sealed} --key ${place.officer.file} >/dev/full`, place.folder);
  assert.deepEqual(
    [ended.code, /cannot write the result to stdout \(ENOSPC\)/.test(ended.said)],
    [1, true],
    ended.said,
  );
  assert.doesNotMatch(ended.said, /\n\s+at |stack/);
});

test("a full disk under the log does not end an export; a result that is lost is told and exits with 1", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  const export_ = await shell("holdfast export --config holdfast.yaml 2>/dev/full", place.folder);
  assert.equal(export_.code, 0);
  assert.equal((await place.entries("record.stored")).length, 3);
  const lost = await shell("holdfast export --config holdfast.yaml --json >/dev/full", place.folder);
  assert.deepEqual([lost.code, /cannot write the result to stdout \(ENOSPC\)/.test(lost.said)], [1, true], lost.said);
  assert.doesNotMatch(lost.said, /\n\s+at /);
});

test("a state folder that is a link to nowhere, or a file: said in one line, with what to do", async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox);
  for (const make of ["ln -s /not/mounted state", "touch state"]) {
    const ended = await shell(`rm -rf state && ${make} && holdfast export -c holdfast.yaml`, place.folder);
    assert.equal(ended.code, 1, ended.said);
    assert.match(
      ended.said,
      /(cannot make the folder|cannot read the checkpoint that this machine saw last,) .*\/state.*\((ENOTDIR|EEXIST|ENOENT)\)/,
    );
    assert.match(ended.said, /dangling link/);
  }
});

test("state is this user's alone, whatever the umask", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox, { init: false });
  const ended = await shell(
    "umask 0; for c in init export; do holdfast $c --config holdfast.yaml || exit; done",
    place.folder,
  );
  assert.equal(ended.code, 0, ended.said);
  const { stdout } = await new Promise<{ stdout: string }>((resolve) =>
    execFile("find", ["state", "keys/lookup", "keys/log", "-perm", "/077"], { cwd: place.folder }, (_, stdout) =>
      resolve({ stdout }),
    ),
  );
  assert.equal(stdout, "");
  assert.equal((await stat(place.path("state"))).mode & 0o777, 0o700);
});
