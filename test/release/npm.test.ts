import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { transform } from "esbuild";
import { buildNpmPackage } from "../../release/npm.ts";
import { runToEnd } from "../cli/program.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { withoutCeph } from "../servers/s3.ts";
import { firstDay } from "./first-day.ts";

const run = promisify(execFile);
/** `#!/usr/bin/env node` must find this Node; npm is the machine's. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}`, NODE_TEST_CONTEXT: undefined };
const quiet = ["--no-audit", "--no-fund", "--offline"];

describe("the npm package", () => {
  let folder: string;
  let tarball: string;
  let installed: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-npm-"));
    tarball = await buildNpmPackage(folder);
    await run("npm", ["install", "--global", "--prefix", join(folder, "global"), ...quiet, tarball], { env });
    installed = join(folder, "global/lib/node_modules/holdfast");
  });
  after(() => rm(folder, { recursive: true }));

  test("contains the program and its documentation, and has no dependencies", async () => {
    const manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
    assert.equal(manifest.dependencies, undefined);
    assert.deepEqual(manifest.publishConfig, { access: "public", provenance: true });
    const names = ["CHANGELOG.md", "LICENSE", "README.md", "THIRD-PARTY-LICENSES.txt"];
    const folders = ["bin", "config", "docs", "program", "types"];
    assert.deepEqual((await readdir(installed)).sort(), [...names, ...folders, "package.json"].sort());
    const files = await readdir(installed, { recursive: true });
    assert.deepEqual(
      files.filter((name) => /\btest\b|node_modules|(?<!\.d)\.ts$/.test(name)),
      [],
    );
    const licences = await readFile(join(installed, "THIRD-PARTY-LICENSES.txt"), "utf8");
    for (const name of ["pino", "zod", "age-encryption", "@aws-sdk/client-s3"]) {
      assert.match(licences, new RegExp(`^${name} \\d.*\\((MIT|Apache-2.0|BSD-3-Clause)\\)$`, "m"));
    }
  });

  for (const vault of ["directory", "ceph"] as const) {
    test(`installed with npm install -g: a first day's work: ${vault}`, {
      skip: vault === "ceph" && withoutCeph,
    }, async () => {
      await using sandbox = await startSandbox({ identities: 5, plainImages: true });
      await using place = await makeWorkplace(sandbox, { vault, init: false });
      const holdfast = join(folder, "global/bin/holdfast");
      await firstDay((...args) => runToEnd([holdfast, ...args], { cwd: place.folder, env }), place, 5);
    });
  }

  test("in a project: npx holdfast runs it, and its types check a source", async () => {
    const project = join(folder, "project");
    await mkdir(project);
    await writeFile(join(project, "package.json"), '{ "name": "mine", "type": "module" }');
    await run("npm", ["install", ...quiet, tarball], { cwd: project, env });
    const { stdout } = await run("npx", ["--offline", "holdfast", "--version"], { cwd: project, env });
    assert.match(stdout, /^\d+\.\d+\.\d+/);
    const source = (kind: string): string => `
      import { HoldfastError, type Source } from "holdfast";
      export const mine: Pick<Source, "kind" | "dossier"> = {
        kind: ${kind},
        dossier: async () => { throw new HoldfastError("source-missing", "the provider has it no more"); },
      };
    `;
    const check = async (text: string): Promise<string> => {
      await writeFile(join(project, "mine.ts"), text);
      const options = ["--noEmit", "--strict", "--module", "nodenext", "--types", ""];
      const tsc = join(import.meta.dirname, "../../node_modules/.bin/tsc");
      return run(tsc, [...options, "mine.ts"], { cwd: project, env }).then(
        ({ stdout }) => stdout,
        ({ stdout }: { stdout: string }) => stdout,
      );
    };
    assert.equal(await check(source('"mine"')), "");
    assert.match(await check(source("7")), /TS2322/);
    const { HoldfastError } = await import(join(project, "node_modules/holdfast/program/source.js"));
    assert.equal(new HoldfastError("source-missing", "gone").code, "source-missing");
  });

  test("on an older Node: one line, in syntax that it can parse", async () => {
    const launcher = join(installed, "bin/holdfast.cjs");
    // Throws for anything newer than ES5.
    await transform(await readFile(launcher, "utf8"), { target: "es5", format: "cjs" });
    const older = `Object.defineProperty(process.versions, "node", { value: "18.19.0" }); require(${JSON.stringify(launcher)})`;
    const ended = await runToEnd([process.execPath, "--eval", older]);
    assert.deepEqual([ended.code, ended.stdout], [2, ""]);
    assert.match(ended.stderr, /^holdfast needs Node\.js 26 or newer, and this is 18\.19\.0\. Fix: [^\n]+\n$/);
  });
});
