/**
 * Makes a release: checks, builds, tests what it built, writes the changelog's section, commits and tags. What was built
 * is in dist/. Nothing is uploaded. Whatever fails, the working tree is as it was.
 *
 *     npm run release -- 1.0.0-rc.1
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import semver from "semver";
import { build } from "./build.ts";
import { releaseSection } from "./changelog.ts";

const ROOT = join(import.meta.dirname, "..");
const CHANGED = ["package.json", "package-lock.json", "CHANGELOG.md"];

const [version = "", ...others] = process.argv.slice(2);
const { version: current } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
if (semver.valid(version) !== version || others.length > 0) refuse("name one version: npm run release -- 1.0.0-rc.1");
if (!semver.gt(version, current)) refuse(`${version} is not above ${current}, the version in package.json`);
if (git("status", "--porcelain") !== "") refuse("commit or stash your changes first: git status shows them");
if (git("tag", "--list", `v${version}`) !== "") refuse(`the tag v${version} is there already`);

const date = new Date().toISOString().slice(0, 10);
try {
  const changelog = join(ROOT, "CHANGELOG.md");
  writeFileSync(changelog, releaseSection(readFileSync(changelog, "utf8"), version, date));
  run("npm", "version", version, "--no-git-tag-version");
  step("check");
  run("npm", "run", "check");
  step("test");
  run("npm", "test");
  step("build");
  const { executable } = await build(join(ROOT, "dist"));
  step("the tests of the command line, with the executable that was built");
  const names = ["cli", "completion", "help", "pasted", "surroundings", "three-clients"];
  const files = names.map((name) => `test/cli/${name}.test.ts`);
  process.env.HOLDFAST_TEST_PROGRAM = executable;
  run("npm", "test", "--", ...files);
  git("commit", "--quiet", "--message", `Release ${version}`, "--", ...CHANGED);
  git("tag", "--annotate", "--message", `Holdfast ${version}`, `v${version}`);
} catch (error) {
  git("checkout", "--quiet", "--", ...CHANGED);
  refuse(`${error instanceof Error ? error.message : error}. Nothing was committed or tagged`);
}
console.log(`v${version} is committed and tagged, and dist/ holds what to publish:
  git push --follow-tags
  npm publish ./dist/npm
  and the files of dist/SHA256SUMS, with it, to the release's page`);

function refuse(why: string): never {
  console.error(`no release: ${why}`);
  process.exit(1);
}

function step(name: string): void {
  console.log(`\n=== ${name}`);
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: ROOT, encoding: "utf8" });
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { cwd: ROOT, stdio: "inherit" });
}
