import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { program } from "../cli/program.ts";
import { onPath } from "../servers/ceph.ts";

const FOLDER = "config/systemd";
const skip = onPath("systemd-analyze") ? false : "systemd-analyze is not installed";
const units = new Map(readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name), "utf8")]));
const services = [...units.keys()].filter((name) => name.endsWith(".service"));

const folder = mkdtempSync(join(tmpdir(), "holdfast-systemd-"));
after(() => rmSync(folder, { recursive: true }));
// The units name files that are not on this machine.
for (const [name, text] of units)
  writeFileSync(join(folder, name), text.replaceAll("/usr/bin/holdfast", process.execPath));

function analyze(...args: string[]): string {
  return execFileSync("systemd-analyze", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** All values of a key in a unit. */
function values(name: string, key: string): string[] {
  return [...units.get(name)!.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value]) => value!);
}

describe("systemd", { skip }, () => {
  test("accepts every unit without a warning", () => {
    for (const name of units.keys()) assert.equal(analyze("verify", "--man=no", join(folder, name)), "", name);
  });

  for (const name of services) {
    test(`${name}: as little exposed as a networked program can be`, () => {
      // Throws above 1.5 of 10.
      analyze("security", "--offline=true", "--threshold=15", join(folder, name));
    });
  }

  test("the timer fires exactly once every night", () => {
    const [calendar = ""] = values("holdfast-export.timer", "OnCalendar");
    for (const night of ["2026-03-28", "2026-10-24"]) {
      const told = analyze("calendar", "--iterations=3", `--base-time=${night} 12:00 UTC`, calendar);
      const times = [...told.matchAll(/(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/g)].map(([, day]) => day);
      const from = Temporal.PlainDate.from(night);
      assert.deepEqual(
        times,
        [1, 2, 3].map((days) => from.add({ days }).toString()),
      );
    }
  });
});

describe("the services", () => {
  for (const name of services) {
    test(`${name}: its command exists, and systemd waits long enough for it to stop`, async () => {
      const [executable, ...words] = values(name, "ExecStart")[0]!.split(" ");
      assert.equal(executable, "/usr/bin/holdfast");
      const { stdout } = await program([words[0]!, "--help"]);
      for (const option of words.filter((word) => word.startsWith("--"))) assert.ok(stdout.includes(option), option);
      assert.ok(Number(values(name, "TimeoutStopSec")[0]) > 50);
    });
  }

  test("a collector gets JSON lines from both, unless the environment's file asks for text", () => {
    for (const name of services)
      assert.match(units.get(name)!, /^Environment=HOLDFAST_LOG_FORMAT=json\nEnvironmentFile=-/m);
  });

  test("both services are locked down in the same way", () => {
    const locked = (name: string) => units.get(name)!.split("\nUser=")[1]!.split("\n[Install]")[0]!.trim();
    assert.equal(locked("holdfast.service"), locked("holdfast-export.service"));
  });
});
