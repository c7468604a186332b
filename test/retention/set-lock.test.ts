import assert from "node:assert/strict";
import { test } from "node:test";
import { setLock } from "../../src/retention/set-lock.ts";
import { code } from "../vault/refusal.ts";
import { strictVault } from "../vault/strict-vault.ts";

const until = (days: number): Temporal.Instant =>
  Temporal.Now.instant()
    .add({ hours: 24 * days })
    .round({ smallestUnit: "second", roundingMode: "ceil" });

test("if a store refuses a lock right after the PUT, it is asked again, a limited number of times", async () => {
  await using strict = await strictVault();
  const { key, versionId } = await strict.vault.put("files/aa/a.age", Buffer.from("kept"), {
    lock: { mode: "governance", until: until(1) },
  });
  const refusal = { operation: "PutObjectRetention", fails: { status: 403, code: "AccessDenied" } } as const;
  strict.server.setFaults([{ ...refusal, times: 2 }]);
  const lock = { mode: "governance", until: until(90) } as const;
  assert.equal(await setLock(strict.vault, key, versionId, lock, { pauses: [1, 1, 1] }), "governance");
  assert.equal(String((await strict.vault.head(key)).lock!.until), String(lock.until));
  strict.server.setFaults([refusal]);
  const longer = { ...lock, until: until(180) };
  await assert.rejects(setLock(strict.vault, key, versionId, longer, { pauses: [1, 1] }), code("vault-locked"));
});

test("without the right to harden, governance stays governance and is still extended", async () => {
  await using strict = await strictVault();
  const { key, versionId } = await strict.vault.put("files/aa/a.age", Buffer.from("kept"), {
    lock: { mode: "governance", until: until(1) },
  });
  const lock = { mode: "compliance", until: until(90) } as const;
  assert.equal(await setLock(strict.vault, key, versionId, lock, { pauses: [1] }), "governance");
  assert.equal(String((await strict.vault.head(key)).lock!.until), String(lock.until));
  assert.equal(await setLock(strict.vault, key, versionId, lock, { harden: true, pauses: [1] }), "compliance");
  assert.equal((await strict.vault.head(key)).lock!.mode, "compliance");
});
