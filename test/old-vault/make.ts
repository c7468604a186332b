/**
 * Makes the vault of test/vectors/record-1, with the program as it is in this checkout:
 *
 *     node test/old-vault/make.ts test/vectors/record-1/vault.tar.gz
 *
 * The keys are for tests and are not secret. Locks end in 2025, so that a test can purge by the real clock.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { runHere } from "../export/here.ts";
import { ADDRESS, OldProvider, PERSON } from "./provider.ts";

const KEYS = {
  "officer.txt": "AGE-SECRET-KEY-178SQTAVM3GPHSRKZE84TU0RPHA3RSHE0U2XNZZZH66ELQ88JGFKS60FD5Y",
  "escrow.txt": "AGE-SECRET-KEY-1MZCZHLKH5HPEA62MV3C0S6YRXT6GQQ5PVS983ANWRUXENQ994E9QHNVRGY",
  "auditor.txt": "AGE-SECRET-KEY-14A5YYJCLQ3WF5WTQQV5TNQCMVAU3KF767P8YMP0H5SRT66NZMHPQ7WND3D",
  log: "PRIVATE+KEY+acme-bank.example/holdfast+0929caa4+AaUwRDDRapMBi9GMZ+f/H9pV1IpzCg3ZBjesh8yZiPUS",
  lookup: "639ba86dcb4ae5bb32d5720f540b35ef6adb6eb702485a9f9c458f1d3d1f0b4b",
};
const RECIPIENTS = [
  "age16maw9t506azk05cyhl7laq5z9x6jr9v9c2ekcxqeyp4l67xk94pq7xxeyd",
  "age1rje7rg2678v20k6m46uywnspauns5fxsaqeawccf7vaauyh6kfesa6e55p",
];

const [out] = process.argv.slice(2);
assert.ok(out, "name the file to write");
// The lease in the vault names the machine.
os.hostname = () => "exporter";
syncBuiltinESMExports();

const provider = await OldProvider.start("2025-11-01T02:30:00Z");
const { sandbox } = provider;
const folder = await mkdtemp(join(os.tmpdir(), "holdfast-old-vault-"));
const file = join(folder, "holdfast.yaml");
await mkdir(join(folder, "keys"), { mode: 0o700 });
for (const [name, text] of Object.entries({ ...KEYS, provider: sandbox.apiKey }))
  await writeFile(join(folder, "keys", name), `${text}\n`, { mode: 0o600 });

const config = stringify({
  state: "./state",
  clients: [
    {
      id: "acme-bank",
      collect: "full",
      legalBasis: ["Regulation (EU) 2024/1624 Art. 77"],
      source: { kind: "passbase", url: sandbox.url, apiKey: "file:./keys/provider", rate: "1000/s", concurrency: 4 },
      recipients: RECIPIENTS,
      vault: { url: "file:./vault/acme-bank", lock: "governance" },
      lookups: { key: "file:./keys/lookup", fields: ["email", "metadata.customer_id", "document.number"] },
      log: { origin: "acme-bank.example/holdfast", key: "file:./keys/log" },
      retention: {
        ...{ keep: "P1Y", from: "relationship-end", timezone: "UTC" },
        ...{ initialLock: "P7D", extendWhenLessThan: "P2D" },
      },
    },
  ],
});
await writeFile(file, config);

async function holdfast(...words: string[]): Promise<void> {
  const options = words.findIndex((word) => word.startsWith("-"));
  const first = options < 0 ? words.length : options;
  const args = [...words.slice(0, first), "--config", file, ...words.slice(first)];
  const { code, stderr } = await runHere(args, { now: provider.now });
  assert.equal(code, 0, `${words.join(" ")} ended with ${code}:\n${stderr}`);
}

const id = (who: keyof typeof PERSON): string[] => ["--identity", ids[PERSON[who]]!];
const ids = sandbox.ids();
const why = ["--case", "AZ 17/25", "--reason", "an inquiry"];

async function night(day: string): Promise<void> {
  provider.sets(`${day}T02:30:00Z`);
  await holdfast("export");
  await holdfast("retention", "extend");
}

await holdfast("init");
await night("2025-11-01");
sandbox.change([PERSON.changed]);
await night("2025-11-02");
await holdfast("relationship", "end", ...id("ended"), "--date", "2025-10-15");
await holdfast("relationship", "end", ...id("purged"), "--date", "2024-06-30");
await holdfast("hold", "place", ...why, ...id("held"));
sandbox.vanish([PERSON.gone]);
// Each night asks for what the list shows; two walks without a person prove that the person is gone.
for (const day of ["2025-11-05", "2025-11-06", "2025-11-10", "2025-11-11"]) await night(day);
await holdfast("retention", "purge", "--confirm", "--out", join(folder, "destroyed"));
const named = [...id("changed"), ...id("withheld"), ...id("held"), ...id("gone")];
await holdfast("retrieve", ...why, "--requested-by", "FIU Berlin", ...named, "--out", join(folder, "bag"));
await holdfast("verify", "--read-data", "100");
await holdfast("report", "--out", join(folder, "report.html"));
await provider[Symbol.asyncDispose]();

await writeFile(file, config.replace(new URL(sandbox.url).host, ADDRESS));
const plain = [
  "--sort=name",
  "--owner=0",
  "--group=0",
  "--numeric-owner",
  "--mtime=2025-11-11 02:30Z",
  "--exclude=*.sqlite-*",
];
await promisify(execFile)("tar", [...plain, "-czf", resolve(out), "-C", folder, "."]);
await rm(folder, { recursive: true, force: true });
