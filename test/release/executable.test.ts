import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildExecutable } from "../../release/executable.ts";
import { type Ended, runToEnd } from "../cli/program.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { withoutCeph } from "../servers/s3.ts";
import { firstDay } from "./first-day.ts";

describe("the single executable", () => {
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-release-"));
    ({ file } = await buildExecutable(folder));
  });
  after(() => rm(folder, { recursive: true }));

  const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
    // Without this machine's Node: no PATH, no folder to look for packages in.
    runToEnd([file, ...args], { cwd: folder, env: { ...env, PATH: "", NODE_PATH: undefined } });

  test("is identical when it is built again", async () => {
    const digest = async () =>
      createHash("sha256")
        .update(await readFile(file))
        .digest("hex");
    const first = await digest();
    assert.equal((await buildExecutable(folder)).file, file);
    assert.equal(await digest(), first);
  });

  for (const vault of ["directory", "ceph"] as const) {
    test(`does a first day's work: ${vault}`, { skip: vault === "ceph" && withoutCeph }, async () => {
      await using sandbox = await startSandbox({ identities: 5, plainImages: true });
      await using place = await makeWorkplace(sandbox, { vault, init: false });
      await firstDay((...args) => run(args), place, 5);
    });
  }

  test("supports Node's permission model through NODE_OPTIONS: other paths cannot be read or written", async () => {
    await using sandbox = await startSandbox({ identities: 2, files: false });
    await using place = await makeWorkplace(sandbox, { init: false });
    const allowed = (...paths: string[]) =>
      ["--permission", "--allow-net", "--disable-warning=ExperimentalWarning"]
        .concat(paths.flatMap((path) => [`--allow-fs-read=${path}`, `--allow-fs-write=${path}`]))
        .join(" ");
    const init = (options: string) => run(["init", "--config", place.file], { NODE_OPTIONS: options });
    const refused = await init(allowed(place.path("keys"), place.path("holdfast.yaml")));
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /ERR_ACCESS_DENIED/);
    const ended = await init(allowed(place.folder));
    assert.equal(ended.code, 0, ended.stderr);
  });

  test("reports an error without showing its code", async () => {
    const ended = await run(["verify"]);
    assert.equal(ended.code, 2);
    assert.ok(ended.stderr.length < 1_000, ended.stderr);
  });
});
