import assert from "node:assert/strict";
import { test } from "node:test";
import { makeStrictPlace } from "../faults/place.ts";
import { startSandbox } from "../sandbox/server.ts";
import type { StrictS3 } from "../servers/strict-s3.ts";

test("a first run and a night without changes ask the store for nothing twice", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using opened = await makeStrictPlace(sandbox);
  const { place, s3 } = opened;
  s3.forget();
  assert.equal((await place.export()).summary?.new, 3);
  // Description, lease (two looks, two writes, its own claim), checkpoint (twice), bundle, tile, checkpoint.
  atMost(11, s3, "beside the three records, a first run");
  // The first night asks about the locks of what `init` wrote.
  await place.export();
  s3.forget();
  assert.equal((await place.export()).summary?.unchanged, 3);
  // The same, with the claims of the last run, the end of the log as it was, and a look at the log's own locks.
  atMost(18, s3, "a night without changes");
});

/** Requests for anything but records. */
function atMost(most: number, { seen }: StrictS3, what: string): void {
  const others = seen.filter(({ key }) => !key.endsWith(".age"));
  const list = others.map(({ operation, key, query }) =>
    [operation, key || query.get("prefix"), query.get("versionId")].filter(Boolean).join(" "),
  );
  assert.ok(list.length <= most, `${what}: ${list.length} requests, not ${most}:\n${list.join("\n")}`);
}
