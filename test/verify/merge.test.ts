import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CatalogObject } from "../../src/catalog/objects.ts";
import { compareKeys } from "../../src/vault/layout.ts";
import type { VersionInfo } from "../../src/vault/vault.ts";
import type { Expected } from "../../src/verify/expected.ts";
import { merge } from "../../src/verify/merge.ts";

const object = (key: string, versionId: string): CatalogObject => ({
  ...{ key, versionId, size: 1, sha256: "", entry: 0, stored: null },
  ...{ lockedUntil: "2027-01-01T00:00:00Z", lockMode: "governance" },
});

/** Short keys of few characters, so that the two sides meet often; with some that UTF-16 sorts differently. */
const key = fc.string({ unit: fc.constantFrom("a", "b", "/", "-", "\ue000", "\u{1f600}"), minLength: 1, maxLength: 3 });
const versionId = fc.constantFrom("1", "2", "3", "4");
const byKey = <T extends { key: string }>(all: T[]): T[] => all.sort((a, b) => compareKeys(a.key, b.key));

const logged = fc
  .uniqueArray(fc.record({ key, present: fc.option(versionId), former: fc.uniqueArray(versionId, { maxLength: 2 }) }), {
    selector: (each) => each.key,
  })
  .map((all) =>
    byKey(
      all.map(
        (each): Expected => ({
          key: each.key,
          present: each.present === null ? undefined : object(each.key, each.present),
          former: each.former.map((id) => object(each.key, id)),
        }),
      ),
    ),
  );
/** Any number of versions of a key, newest first; sizes tell them apart. */
const listing = fc
  .uniqueArray(
    fc.record({
      key,
      ids: fc.uniqueArray(fc.tuple(versionId, fc.boolean()), { minLength: 1, selector: ([id]) => id }),
    }),
    { selector: (each) => each.key },
  )
  .map((all) =>
    byKey(all).flatMap(({ key, ids }) =>
      ids.map(([id, deleteMarker]): VersionInfo => ({ key, versionId: id, size: Number(id) * 10, deleteMarker })),
    ),
  );

test("merging gives what looking up each key gives", async () => {
  await fc.assert(
    fc.asyncProperty(logged, listing, async (expected, versions) => {
      const other: VersionInfo[] = [];
      const merged = await Array.fromAsync(
        merge(expected[Symbol.iterator](), streamed(versions), (version) => other.push(version)),
      );
      const keys = byKey(
        [...new Set([...expected, ...versions].map((each) => each.key))].map((each) => ({ key: each })),
      );
      const wanted = (of: string): string[] => {
        const { present, former = [] } = expected.find((each) => each.key === of) ?? {};
        return [present, ...former].flatMap((each) => each?.versionId ?? []);
      };
      assert.deepEqual(
        merged.map((match) => ({ ...match, listed: [...match.listed].sort() })),
        keys.map(({ key: of }) => ({
          key: of,
          expected: expected.find((each) => each.key === of),
          seen: versions.find((each) => each.key === of),
          listed: versions
            .filter((each) => each.key === of && !each.deleteMarker && wanted(of).includes(each.versionId))
            .map((each) => [each.versionId, each.size])
            .sort(),
        })),
      );
      assert.deepEqual(
        other,
        versions.filter((each) => !each.deleteMarker && !wanted(each.key).includes(each.versionId)),
      );
    }),
    { numRuns: 500 },
  );
});

async function* streamed(versions: readonly VersionInfo[]): AsyncGenerator<VersionInfo> {
  yield* versions;
}
