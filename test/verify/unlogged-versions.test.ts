import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { RecordStored } from "../../src/audit/entry.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import { systemClock } from "../../src/core/clock.ts";
import { Superseded } from "../../src/retention/superseded.ts";
import type { ObjectInfo, Vault, VersionInfo } from "../../src/vault/vault.ts";
import { Checks } from "../../src/verify/checks.ts";
import { LockTurns } from "../../src/verify/lock-turns.ts";
import { compareVault } from "../../src/verify/vault-pass.ts";
import { emptyTally } from "./tally.ts";

const version = "20261123T101500Z-0123456789ab";
const key = `records/ab/${"ab".repeat(16)}/${version}.age`;

/** The findings for a key with these versions, newest first; "logged" is the one in the log. */
async function said(...versionIds: string[]): Promise<{ problems: number; orphans: string[] }> {
  const index = Catalog.temporary(join(tmpdir(), `holdfast-unlogged-${process.pid}.sqlite`), "origin");
  const entry: RecordStored = {
    ...{ type: "record.stored", time: "2026-11-23T10:15:00.000Z", run: "r", subject: "ab".repeat(16), version },
    ...{ updated: "2026-11-23T10:15:00Z", object: { key, versionId: "logged", size: 1, sha256: "0".repeat(64) } },
    ...{ files: [], withheld: 0, recipients: [], lockedUntil: "2027-01-01T00:00:00Z", lookups: {} },
  };
  index.applyKnown([{ index: 0, entry }]);
  const superseded = new Superseded(":memory:");
  superseded.add({
    ...{ key, versionId: "superseded", size: 1, sha256: "0".repeat(64), entry: 0, stored: "2026-11-22T10:15:00.000Z" },
    ...{ lockedUntil: "2027-01-01T00:00:00Z", lockMode: "governance" },
  });
  const vault = {
    versions: async function* (prefix: string): AsyncGenerator<VersionInfo> {
      if (!key.startsWith(prefix)) return;
      for (const versionId of versionIds)
        yield { key, versionId, size: 1, deleteMarker: versionId.startsWith("marker") };
    },
    head: async (at: string, versionId: string): Promise<ObjectInfo> => ({
      ...{ key: at, versionId, etag: "", size: 1, sha256: "0".repeat(64), hold: false },
      lock: { mode: "governance", until: Temporal.Instant.from("2027-01-01T00:00:00Z") },
    }),
  };
  const found = { problems: 0, orphans: [] as string[] };
  const turns = new LockTurns(undefined, systemClock(), ":memory:");
  await compareVault({
    turns,
    ...{ vault: vault as unknown as Vault, index, superseded, checks: new Checks(4), tally: emptyTally() },
    ...{ now: systemClock, signal: new AbortController().signal, readData: 0 },
    ...{ onObject: () => {}, onMore: () => {}, onRecord: () => {}, onFile: () => {} },
    problem: () => {
      found.problems += 1;
    },
    orphan: ({ versionId }) => found.orphans.push(versionId),
  });
  superseded.close();
  turns.close();
  index.close();
  return found;
}

test("a version in front of the logged one is a problem, one behind it is not", async () => {
  assert.deepEqual(await said("logged"), { problems: 0, orphans: [] });
  assert.deepEqual(await said("marker", "logged"), { problems: 1, orphans: [] });
  assert.deepEqual(await said("newer", "logged"), { problems: 1, orphans: ["newer"] });
  assert.deepEqual(await said("marker", "newer", "logged"), { problems: 1, orphans: ["newer"] });
  assert.deepEqual(await said("newer", "marker", "logged"), { problems: 1, orphans: ["newer"] });
  assert.deepEqual(await said("logged", "marker"), { problems: 0, orphans: [] });
  assert.deepEqual(await said("logged", "marker", "older"), { problems: 0, orphans: ["older"] });
  assert.deepEqual(await said("logged", "superseded", "older"), { problems: 0, orphans: ["older"] });
});
