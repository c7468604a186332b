/**
 * Makes a release: checks, commits the version and the changelog's section, builds, tests the result, and tags. The
 * result is in dist/. Nothing is uploaded. If anything fails or is interrupted, the repository is left unchanged.
 *
 *     npm run release -- 1.0.0-rc.1
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import semver from "semver";
import { build } from "./build.ts";
import { releaseSection } from "./changelog.ts";

const ROOT = join(import.meta.dirname, "..");
const CHANGED = ["package.json", "package-lock.json", "CHANGELOG.md"];
/** Tests of the command line that pass with any form of the program. */
const TESTS = ["cli", "completion", "help", "pasted", "surroundings", "three-clients"];

const [version = "", ...others] = process.argv.slice(2);
if (semver.valid(version) !== version || others.length > 0) refuse("give one version: npm run release -- 1.0.0-rc.1");
if (git("status", "--porcelain") !== "") refuse("there are uncommitted changes: commit or stash them first");
if (git("branch", "--show-current") === "") refuse("no branch is checked out: run git switch main");
const { version: current } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
if (!semver.gt(version, current)) refuse(`${version} is not above ${current}, the version in package.json`);
if (git("tag", "--list", `v${version}`) !== "") refuse(`the tag v${version} already exists`);

const before = git("rev-parse", "HEAD").trim();
const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));
try {
  const changelog = join(ROOT, "CHANGELOG.md");
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(changelog, releaseSection(readFileSync(changelog, "utf8"), version, date));
  await run("npm", "version", version, "--no-git-tag-version");
  step("check");
  await run("npm", "run", "check");
  step("test");
  await run("npm", "test");
  // Commit before the build: the build takes its time from the commit, so that everyone who builds the tag gets the
  // same bytes.
  git("commit", "--quiet", "--message", `Release ${version}`, "--", ...CHANGED);
  step("build");
  const { executable } = await build(join(ROOT, "dist"));
  step("tests of the command line, with the built executable");
  process.env.HOLDFAST_TEST_PROGRAM = executable;
  await run("npm", "test", "--", ...TESTS.map((name) => `test/cli/${name}.test.ts`));
  git("tag", "--annotate", "--message", `Holdfast ${version}`, `v${version}`);
} catch (error) {
  // The tree was clean, so this discards only our changes.
  git("reset", "--quiet", "--hard", before);
  refuse(`${error instanceof Error ? error.message.trim() : error}. Nothing is committed or tagged`);
}
const isCandidate = semver.prerelease(version) !== null;
console.log(`v${version} is committed and tagged, and dist/ has the files to publish:
  git push --follow-tags
  npm publish ./dist/npm${isCandidate ? " --tag next" : ""}
  and attach the files of dist/SHA256SUMS, and that file, to the release's page`);

function refuse(why: string): never {
  console.error(`no release: ${why}`);
  process.exit(1);
}

function step(name: string): void {
  stop.signal.throwIfAborted();
  console.log(`\n=== ${name}`);
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: ROOT, encoding: "utf8" });
}

async function run(command: string, ...args: string[]): Promise<void> {
  const child = spawn(command, args, { cwd: ROOT, stdio: "inherit" });
  const end = (): boolean => child.kill();
  stop.signal.addEventListener("abort", end);
  const [code] = await once(child, "close");
  stop.signal.removeEventListener("abort", end);
  stop.signal.throwIfAborted();
  if (code !== 0) throw new Error(`${[command, ...args].join(" ")} failed`);
}
