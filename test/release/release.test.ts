import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { releaseSection } from "../../release/changelog.ts";
import { executableLicences } from "../../release/licences.ts";
import { runToEnd } from "../cli/program.ts";

describe("the changelog's section", () => {
  const text = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- a thing\n\n## [0.1.0] - 2026-01-01\n\n- the first\n";

  test("moves unreleased changes under version and date, and starts a new empty section", () => {
    assert.equal(
      releaseSection(text, "0.2.0", "2026-11-29"),
      "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-11-29\n\n### Added\n\n- a thing\n\n## [0.1.0] - 2026-01-01\n\n- the first\n",
    );
  });

  test("fails if nothing is unreleased, or if the version already exists", () => {
    assert.throws(() => releaseSection(text, "0.1.0", "2026-11-29"), /already has 0\.1\.0/);
    const released = releaseSection(text, "0.2.0", "2026-11-29");
    assert.throws(() => releaseSection(released, "0.3.0", "2026-11-29"), /no unreleased/);
    assert.throws(() => releaseSection("# Changelog\n", "0.3.0", "2026-11-29"), /no section/);
  });
});

test("the executable's licences are those of the Node inside it", async () => {
  const text = await executableLicences(["pino"]);
  assert.match(text, /^pino \d/m);
  assert.match(text, /Copyright Node\.js contributors/);
  assert.match(text, /The ICU|V8/);
});

describe("npm run release", () => {
  let folder: string;
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: folder, encoding: "utf8" });
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-release-test-"));
    execFileSync("git", ["clone", "--quiet", "--no-hardlinks", ".", folder]);
    // Includes changes that are not committed yet.
    for (const name of ["release", "package.json", "package-lock.json", "CHANGELOG.md"])
      execFileSync("cp", ["-rT", name, join(folder, name)]);
    symlinkSync(join(process.cwd(), "node_modules"), join(folder, "node_modules"));
    git("config", "user.name", "A maintainer");
    git("config", "user.email", "maintainer@example.com");
    writeFileSync(join(folder, ".git/info/exclude"), "/node_modules\n/bin\n");
    git("add", "--all");
    git("commit", "--quiet", "--allow-empty", "--message", "Changes for the release");
  });
  after(() => rmSync(folder, { recursive: true }));

  const release = (...args: string[]) =>
    runToEnd([process.execPath, join(folder, "release/main.ts"), ...args], {
      cwd: folder,
      env: { PATH: `${join(folder, "bin")}:${process.env.PATH}` },
    });
  const refused = async (why: RegExp, ...args: string[]): Promise<void> => {
    const { code, stderr } = await release(...args);
    assert.match(stderr, why);
    assert.match(stderr, /^no release: [^\n]+\n$/, "one line");
    assert.equal(code, 1);
  };

  test("accepts one version, above the last one, from a clean tree, once", async () => {
    await refused(/give one version/);
    await refused(/give one version/, "1.0");
    await refused(/give one version/, "v9.0.0");
    await refused(/give one version/, "9.0.0", "9.0.1");
    await refused(/not above/, "0.0.1");
    git("tag", "v9.0.0");
    await refused(/v9\.0\.0 already exists/, "9.0.0");
    writeFileSync(join(folder, "more.txt"), "");
    await refused(/commit or stash/, "9.0.1");
    rmSync(join(folder, "more.txt"));
  });

  test("leaves the tree unchanged if a check fails, and if it is stopped", async () => {
    execFileSync("mkdir", [join(folder, "bin")]);
    // Sets the version as npm does, then fails at the check.
    const npm = `#!/bin/sh\ncase "$1" in version) sed -i 's/"version": ".*"/"version": "'"$2"'"/' package.json ;; *) exit 7 ;; esac\n`;
    writeFileSync(join(folder, "bin/npm"), npm);
    chmodSync(join(folder, "bin/npm"), 0o755);
    const head = git("rev-parse", "HEAD");
    const asItWas = (): void =>
      assert.deepEqual(
        [git("status", "--porcelain"), git("rev-parse", "HEAD"), git("tag", "--list", "v9.0.1")],
        ["", head, ""],
      );
    const { code, stderr } = await release("9.0.1");
    assert.equal(code, 1);
    assert.match(stderr, /no release: .*npm run check failed\. Nothing is committed or tagged/);
    asItWas();
    // The check sends the signal to its parent, then takes a while.
    writeFileSync(join(folder, "bin/npm"), npm.replace("exit 7", "kill -TERM $PPID; exec sleep 60"));
    const stopped = await release("9.0.1");
    assert.equal(stopped.code, 1);
    assert.match(stopped.stderr, /no release: stopped by SIGTERM\. Nothing is committed or tagged/);
    asItWas();
  });
});
