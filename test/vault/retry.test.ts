import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ErrorCode, HoldfastError } from "../../src/core/error.ts";
import { withRetry } from "../../src/vault/retry.ts";
import type { BodyProducer, Vault } from "../../src/vault/vault.ts";
import { collect, produce, text } from "./body.ts";
import { code } from "./refusal.ts";
import { QUICK, type StrictVault, strictVault } from "./strict-vault.ts";

const KEY = "files/aa/a.age";
/** More than retry keeps in memory. */
const LARGE = 9_000_000;
const slowDown = { status: 503, code: "SlowDown" };

interface Counted {
  readonly produce: BodyProducer;
  called: number;
  /** Streams that have started and not yet ended. */
  open: number;
}

function counted(size: number): Counted {
  const counting: Counted = {
    called: 0,
    open: 0,
    produce: async () => {
      counting.called++;
      return (async function* () {
        counting.open++;
        try {
          yield* await produce(size)();
        } finally {
          counting.open--;
        }
      })();
    },
  };
  return counting;
}

function retried({ vault }: StrictVault, told: ErrorCode[] = []): Vault {
  return withRetry(vault, { policy: QUICK, onRetry: (error) => void told.push(error.code) });
}

describe("vault with retry", () => {
  for (const size of [0, 10, 8 * 1024 * 1024]) {
    test(`a body that fits in memory is produced once and resent: ${size} bytes`, async () => {
      await using strict = await strictVault();
      const told: ErrorCode[] = [];
      strict.server.setFaults([{ operation: "PutObject", times: 2, fails: slowDown }]);
      const body = counted(size);
      const stored = await retried(strict, told).put(KEY, body.produce);
      assert.deepEqual([body.called, body.open, stored.size], [1, 0, size]);
      assert.deepEqual(told, ["vault-unavailable", "vault-unavailable"]);
      assert.deepEqual(await collect(await strict.vault.stream(KEY)), await collect(await produce(size)()));
    });
  }

  test("a longer body is produced again for each attempt and stored completely", async () => {
    await using strict = await strictVault();
    strict.server.setFaults([
      { operation: "CreateMultipartUpload", times: 1, fails: slowDown },
      { operation: "UploadPart", times: 1, fails: slowDown },
    ]);
    const body = counted(LARGE);
    const stored = await retried(strict).put(KEY, body.produce);
    assert.deepEqual([body.called, body.open, stored.size], [3, 0, LARGE]);
    assert.deepEqual(await collect(await strict.vault.stream(KEY)), await collect(await produce(LARGE)()));
  });

  for (const size of [10, LARGE]) {
    test(`a put of ${size} bytes is not retried once its writer has lost the vault`, async () => {
      await using strict = await strictVault();
      const busy = new HoldfastError("busy", "lost");
      for (const attempts of [0, 1, 2]) {
        let asked = 0;
        const holds = () => {
          if (asked++ >= attempts) throw busy;
        };
        const operation = size === LARGE ? "CreateMultipartUpload" : "PutObject";
        strict.server.setFaults([{ operation, times: 9, fails: slowDown }]);
        const body = counted(size);
        const told: ErrorCode[] = [];
        await assert.rejects(retried(strict, told).put(KEY, body.produce, { holds }), (error) => error === busy);
        assert.deepEqual([told.length, body.open], [attempts, 0]);
      }
      strict.server.setFaults([]);
      await assert.rejects(strict.vault.head(KEY), code("vault-missing"));
    });
  }

  test("a put that fails before it reads closes the producer", async () => {
    await using strict = await strictVault();
    const denied = withRetry(
      { ...strict.vault, put: () => Promise.reject(new HoldfastError("vault-denied", "no")) } as unknown as Vault,
      { policy: QUICK },
    );
    const body = counted(LARGE);
    await assert.rejects(denied.put(KEY, body.produce), code("vault-denied"));
    assert.deepEqual([body.called, body.open], [1, 0]);
  });

  test("after the last retry, the last error is thrown", async () => {
    await using strict = await strictVault();
    strict.server.setFaults([{ fails: slowDown }]);
    await assert.rejects(retried(strict).put(KEY, text("one")), code("vault-unavailable"));
    assert.equal(strict.server.requests.PutObject, QUICK.retries + 1);
  });

  test("a permanent error is not retried", async () => {
    await using strict = await strictVault();
    const vault = retried(strict);
    strict.server.setFaults([{ fails: { status: 403, code: "AccessDenied" } }]);
    const body = counted(10);
    await assert.rejects(vault.put(KEY, body.produce), code("vault-denied"));
    await assert.rejects(vault.put(KEY, text("one")), code("vault-denied"));
    await assert.rejects(vault.head(KEY), code("vault-denied"));
    await assert.rejects(
      vault.lock(KEY, "v", { mode: "governance", until: Temporal.Now.instant() }),
      code("vault-locked"),
    );
    assert.deepEqual(strict.server.requests, { PutObject: 2, HeadObject: 1, PutObjectRetention: 1 });
    assert.equal(body.called, 1);
  });

  test("a wait longer than the policy allows is not started", async () => {
    await using strict = await strictVault();
    strict.server.setFaults([{ fails: { ...slowDown, headers: { "retry-after": "3600" } } }]);
    await assert.rejects(retried(strict).head(KEY), code("vault-unavailable"));
    assert.equal(strict.server.requests.HeadObject, 1);
  });

  test("a producer's permanent error keeps its code, whenever it is thrown", async () => {
    await using strict = await strictVault();
    for (const failAt of [0, 500_000, LARGE, 17_000_000]) {
      let called = 0;
      const body: BodyProducer = () => {
        called++;
        return produce(25_000_000, failAt, new HoldfastError("source-denied", "no"))();
      };
      await assert.rejects(retried(strict).put(KEY, body), code("source-denied"));
      assert.equal(called, 1);
    }
    await assert.rejects(strict.vault.head(KEY), code("vault-missing"));
  });

  test("a producer's error is thrown even if the store cannot abort the upload", async () => {
    await using strict = await strictVault();
    strict.server.setFaults([{ operation: "AbortMultipartUpload", fails: slowDown }]);
    const body = produce(25_000_000, 17_000_000, new HoldfastError("source-denied", "no"));
    await assert.rejects(retried(strict).put(KEY, body), code("source-denied"));
  });

  test("after a producer's transient error, the body is produced again", async () => {
    await using strict = await strictVault();
    let called = 0;
    const body: BodyProducer = () => produce(LARGE, called++ === 0 ? 500_000 : Number.POSITIVE_INFINITY)();
    assert.equal((await retried(strict).put(KEY, body)).size, LARGE);
    assert.equal(called, 2);
  });

  test("a listing resumes where it failed, under the vault's own policy", async () => {
    await using strict = await strictVault({ pageSize: 2 });
    const keys = ["a", "b", "c", "d", "e"].map((name) => `list/${name}`);
    for (const key of keys) await strict.vault.put(key, text(key));
    strict.server.setFaults([
      { operation: "ListObjectsV2", times: 2, fails: slowDown },
      { operation: "ListObjectVersions", times: 2, fails: "reset" },
    ]);
    const vault = retried(strict);
    assert.deepEqual(
      (await Array.fromAsync(vault.list("list/"))).map(({ key }) => key),
      keys,
    );
    assert.deepEqual(
      (await Array.fromAsync(vault.versions("list/"))).map(({ key }) => key),
      keys,
    );
    assert.deepEqual([strict.server.requests.ListObjectsV2, strict.server.requests.ListObjectVersions], [5, 5]);
  });

  test("a compare-and-swap whose answer was lost is a conflict: its caller must check", async () => {
    await using strict = await strictVault();
    const first = await strict.vault.put("audit/checkpoint", text("one"));
    strict.server.setFaults([{ operation: "PutObject", times: 1, fails: "lost-answer" }]);
    const swap = retried(strict).put("audit/checkpoint", text("two"), { ifMatch: first.etag });
    await assert.rejects(swap, code("vault-conflict"));
    assert.equal(String(await collect(await strict.vault.stream("audit/checkpoint"))), "two");
  });
});
