import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { DirectoryVault } from "../../src/vault/directory.ts";
import { probeConditional } from "../../src/vault/probe.ts";
import { withRetry } from "../../src/vault/retry.ts";
import { S3Vault } from "../../src/vault/s3.ts";
import type { Conditional, Vault } from "../../src/vault/vault.ts";
import { cephEndpoint, lockedBucket, withoutCeph } from "../servers/s3.ts";
import { text } from "./body.ts";
import { code } from "./refusal.ts";
import { QUICK, strictVault } from "./strict-vault.ts";

const KEY = "vault.json";
const both: Conditional = { ifNoneMatch: true, ifMatch: true };
const neither: Conditional = { ifNoneMatch: false, ifMatch: false };

/** As `init` does it: the object already exists. */
async function probed(vault: Vault): Promise<Conditional> {
  await vault.put(KEY, text("{}"));
  return probeConditional(vault, KEY, text("{}"), {});
}

describe("probing conditional writes", () => {
  test("a directory supports both", async () => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-probe-"));
    assert.deepEqual(await probed(new DirectoryVault(join(folder, "vault"))), both);
    await rm(folder, { recursive: true });
  });

  test("a store like AWS supports both", async () => {
    await using strict = await strictVault();
    assert.deepEqual(await probed(strict.vault), both);
    assert.equal(String(Buffer.from((await strict.vault.read(KEY, 10)).bytes)).trim(), "{}");
  });

  test("Ceph RGW supports neither", { skip: withoutCeph }, async () => {
    const path = { bucket: await lockedBucket(), prefix: "probe", endpoint: cephEndpoint, forcePathStyle: true };
    const vault = new S3Vault({ ...path, concurrency: 2 });
    assert.deepEqual(await probed(vault), neither);
    await vault.close();
  });

  test("a store that accepts and ignores both supports neither", async () => {
    await using strict = await strictVault({ conditionals: "ignored" });
    assert.deepEqual(await probed(strict.vault), neither);
  });

  test("a store that refuses the headers supports neither", async () => {
    await using strict = await strictVault({ conditionals: "refused" });
    assert.deepEqual(await probed(strict.vault), neither);
  });

  // The store refuses the other writes, and a refusal changes nothing.
  for (const lost of [2, 3, 5]) {
    test(`a store like AWS supports both, even if the answer to write ${lost} is lost`, async () => {
      await using strict = await strictVault();
      const { server } = strict;
      let written = 0;
      server.intercept(({ method }) => {
        if (method === "PUT") written += 1;
        const isLost = method === "PUT" && written === 1 + lost;
        if (isLost) server.setFaults([{ operation: "PutObject", times: 1, fails: "lost-answer" }]);
        return false;
      });
      assert.deepEqual(await probed(withRetry(strict.vault, { policy: QUICK })), both);
      assert.ok(written > 1 + 5, "one was retried");
    });
  }

  test("an unreachable store gives no result", async () => {
    await using strict = await strictVault();
    await strict.vault.put(KEY, text("{}"));
    strict.server.setFaults([{ fails: { status: 503, code: "SlowDown" } }]);
    await assert.rejects(probeConditional(strict.vault, KEY, text("{}"), {}), code("vault-unavailable"));
  });
});
