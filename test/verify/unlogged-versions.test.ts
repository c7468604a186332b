import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { RecordStored } from "../../src/audit/entry.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import type { Vault, VersionInfo } from "../../src/vault/vault.ts";
import { findUnlogged } from "../../src/verify/unlogged-versions.ts";

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
  const vault = {
    versions: async function* (prefix: string): AsyncGenerator<VersionInfo> {
      if (!key.startsWith(prefix)) return;
      for (const versionId of versionIds)
        yield { key, versionId, size: 1, deleteMarker: versionId.startsWith("marker") };
    },
  };
  const found = { problems: 0, orphans: [] as string[] };
  await findUnlogged(
    vault as unknown as Vault,
    index,
    new AbortController().signal,
    (work) => work(),
    () => {
      found.problems += 1;
    },
    ({ versionId }) => found.orphans.push(versionId),
    (_key, versionId) => versionId === "superseded",
  );
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
