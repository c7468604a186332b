import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { HoldfastError, hasCode } from "../../src/core/error.ts";
import { DirectoryVault } from "../../src/vault/directory.ts";
import { LEASE } from "../../src/vault/layout.ts";
import { Lease } from "../../src/vault/lease.ts";
import { processName } from "../../src/vault/process-identity.ts";
import { withRetry } from "../../src/vault/retry.ts";
import { S3Vault } from "../../src/vault/s3.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { cephEndpoint, lockedBucket, withoutCeph } from "../servers/s3.ts";
import { QUICK } from "./strict-vault.ts";

const busy = (error: unknown) => hasCode(error, "busy");

/** A clock that stands still until it is moved. */
function clock(start = Temporal.Now.instant()) {
  let at = start;
  return Object.assign(() => at, {
    advance: (duration: Temporal.DurationLike) => {
      at = at.add(duration);
    },
  });
}

function leases(
  name: string,
  open: () => Promise<{ vault: (at: string) => Vault; close(): Promise<void> }>,
  skip: string | false,
): void {
  describe(`lease: ${name}`, { skip }, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    before(async () => {
      opened = await open();
    });
    after(() => opened?.close());

    test("one holds, a second is told who and since when, and comes in after the first has gone", async () => {
      const vault = opened.vault("one");
      const first = await Lease.acquire(vault, { job: "export", now: clock() });
      await assert.rejects(Lease.acquire(vault, { job: "export", now: clock() }), busy);
      await first.release();
      const second = await Lease.acquire(vault, { job: "export", now: clock() });
      await assert.rejects(Lease.acquire(vault, { job: "export", now: clock() }), busy);
      await second.release();
    });

    test("of many who come at once exactly one gets it, time after time", async () => {
      const vault = opened.vault("many");
      const now = clock();
      for (let round = 0; round < 2; round++) {
        const tries = await Promise.allSettled(
          Array.from({ length: 5 }, () => Lease.acquire(vault, { job: "export", now })),
        );
        const held = tries.filter((attempt) => attempt.status === "fulfilled").map((attempt) => attempt.value);
        assert.equal(held.length, 1, `round ${round}`);
        for (const attempt of tries)
          if (attempt.status === "rejected") assert.ok(busy(attempt.reason), String(attempt.reason));
        // A comer after the losers took their claims back must still find the holder.
        await assert.rejects(Lease.acquire(vault, { job: "export", now }), busy);
        held[0]!.check();
        await held[0]!.release();
      }
    });

    test("a holder elsewhere that dies is followed when its term has passed, not before", async () => {
      const vault = opened.vault("elsewhere");
      const now = clock();
      await vault.put(LEASE, claim({ host: "elsewhere", since: now(), until: now().add({ minutes: 5 }) }));
      now.advance({ minutes: 4, seconds: 59 });
      await assert.rejects(Lease.acquire(vault, { job: "export", now }), busy);
      now.advance({ seconds: 2 });
      await (await Lease.acquire(vault, { job: "export", now })).release();
    });

    test("a holder that renews is not followed; one that could not renew in time knows it", async () => {
      const vault = opened.vault("renew");
      const now = clock();
      const lease = await Lease.acquire(vault, { job: "export", now });
      now.advance({ minutes: 4 });
      await lease.renew();
      now.advance({ minutes: 4 });
      await assert.rejects(Lease.acquire(vault, { job: "export", now }), busy);
      lease.check();
      now.advance({ minutes: 2 });
      assert.throws(() => lease.check(), busy);
      await assert.rejects(lease.renew(), busy);
      await (await Lease.acquire(vault, { job: "export", now })).release();
    });

    test("a renewal that could not be sent in time is not sent late, when someone else may hold the vault", async () => {
      const vault = opened.vault("late");
      const now = clock();
      let fails = false;
      const put: Vault["put"] = async (...args) => {
        if (!fails) return vault.put(...args);
        fails = false;
        now.advance({ minutes: 6 });
        throw new HoldfastError("vault-unavailable", "no answer");
      };
      const slow = withRetry({ ...withRetry(vault, { policy: QUICK }), put }, { policy: QUICK });
      const lease = await Lease.acquire(slow, { job: "export", now });
      fails = true;
      await assert.rejects(lease.renew(), busy);
      const next = await Lease.acquire(vault, { job: "export", now });
      next.check();
      await next.release();
    });

    test("one that gives way is told that it is wanted, and who waited in line holds when it has gone", async () => {
      const vault = opened.vault("way");
      const now = clock();
      const wanted = Promise.withResolvers<void>();
      const backfill = await Lease.acquire(vault, { job: "backfill", now, onWanted: wanted.resolve, look: 20 });
      await assert.rejects(Lease.acquire(vault, { job: "backfill", now, onWanted: () => {} }), busy);
      const inLine = Lease.acquire(vault, { job: "export", now, look: 20 });
      let holds = false;
      void inLine.then(() => (holds = true));
      await wanted.promise;
      await backfill.renew();
      backfill.check();
      assert.equal(holds, false);
      await backfill.release();
      const nightly = await inLine;
      await assert.rejects(Lease.acquire(vault, { job: "export", now }), busy);
      await assert.rejects(Lease.acquire(vault, { job: "backfill", now, onWanted: () => {} }), busy);
      await nightly.release();
      await (await Lease.acquire(vault, { job: "backfill", now, onWanted: () => {} })).release();
    });

    test("one that gives way too slowly is not waited for longer than it takes; nor after an interruption", async () => {
      const vault = opened.vault("slow");
      const now = clock();
      const backfill = await Lease.acquire(vault, { job: "backfill", now, onWanted: () => {}, look: 20 });
      const signal = AbortSignal.abort();
      await assert.rejects(Lease.acquire(vault, { job: "export", now, signal }), (error) =>
        hasCode(error, "interrupted"),
      );
      const inLine = assert.rejects(Lease.acquire(vault, { job: "export", now, look: 20 }), busy);
      let waits = true;
      void inLine.finally(() => {
        waits = false;
      });
      // The line may begin late, where the store is slow: the clock goes on until it has given up.
      while (waits) {
        await backfill.renew();
        now.advance({ minutes: 1 });
      }
      await inLine;
      backfill.check();
      await backfill.release();
    });

    test("a rival that stays is noticed, one that merely tried is not", async () => {
      const vault = opened.vault("rival");
      const now = clock();
      const lease = await Lease.acquire(vault, { job: "export", now });
      await vault.put(
        LEASE,
        claim({ token: "rival", host: "elsewhere", since: now(), until: now().add({ minutes: 5 }) }),
      );
      await lease.renew();
      lease.check();
      await vault.put(
        LEASE,
        claim({ token: "rival", host: "elsewhere", since: now(), until: now().add({ minutes: 5 }) }),
      );
      await lease.renew();
      assert.throws(() => lease.check(), busy);
    });

    test("a holder that died on this machine is followed at once, one that lives is not", async () => {
      const vault = opened.vault("here");
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
      await new Promise((resolve) => child.once("spawn", resolve));
      const now = clock();
      const process_ = processName(child.pid);
      await vault.put(LEASE, claim({ process: process_, since: now(), until: now().add({ minutes: 5 }) }));
      await assert.rejects(Lease.acquire(vault, { job: "export", now }), busy);
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("close", resolve));
      await (await Lease.acquire(vault, { job: "export", now })).release();
    });

    test("a holder that may not be looked at, by Node's permissions, is not taken for dead", async () => {
      const code = `import { isDead, processName } from ${JSON.stringify(import.meta.resolve("../../src/vault/process-identity.ts"))};
        console.log(processName() !== undefined, isDead(${JSON.stringify(processName())}), isDead(processName()));`;
      const may = ["/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid", "/proc/self/stat", process.cwd()];
      const { stdout } = await promisify(execFile)(process.execPath, [
        ...["--permission", ...may.map((path) => `--allow-fs-read=${path}`)],
        ...["--input-type=module", "--eval", code],
      ]);
      assert.equal(stdout, "true false false\n");
    });

    test("what this process could not give back, for the store was gone, it need not wait for", async () => {
      const vault = opened.vault("gone");
      let gone = false;
      const flaky: Vault = Object.assign(Object.create(vault) as Vault, {
        url: vault.url,
        put: (...args: Parameters<Vault["put"]>) =>
          gone ? Promise.reject(new HoldfastError("vault-unavailable", "gone")) : vault.put(...args),
        versions: (prefix: string) => vault.versions(prefix),
        read: (...args: Parameters<Vault["read"]>) => vault.read(...args),
      });
      const lease = await Lease.acquire(flaky, { job: "export", now: clock() });
      gone = true;
      await lease.release();
      gone = false;
      await (await Lease.acquire(flaky, { job: "export", now: clock() })).release();
    });

    test("who comes second is told that the vault is held, also where the store takes no second claim back", async () => {
      const vault = opened.vault("taken-back");
      const now = clock();
      const rival = claim({ token: "rival", host: "elsewhere", since: now(), until: now().add({ minutes: 5 }) });
      let puts = 0;
      const flaky: Vault = Object.assign(Object.create(vault) as Vault, {
        url: vault.url,
        // Someone else's claim is written first; then the store stops answering.
        put: async (...args: Parameters<Vault["put"]>) => {
          if (++puts > 1) throw new HoldfastError("vault-unavailable", "gone");
          await vault.put(LEASE, rival);
          return vault.put(...args);
        },
        versions: (prefix: string) => vault.versions(prefix),
        read: (...args: Parameters<Vault["read"]>) => vault.read(...args),
      });
      await assert.rejects(Lease.acquire(flaky, { job: "export", now }), busy);
      assert.equal(puts, 2);
    });

    test("a claim whose answer was lost does not keep this process out", async () => {
      const vault = opened.vault("answer-lost");
      const now = clock();
      const flaky: Vault = Object.assign(Object.create(vault) as Vault, {
        url: vault.url,
        put: async (...args: Parameters<Vault["put"]>) => {
          await vault.put(...args);
          throw new HoldfastError("vault-unavailable", "gone");
        },
        versions: (prefix: string) => vault.versions(prefix),
        read: (...args: Parameters<Vault["read"]>) => vault.read(...args),
      });
      await assert.rejects(Lease.acquire(flaky, { job: "export", now }), (error) =>
        hasCode(error, "vault-unavailable"),
      );
      await (await Lease.acquire(vault, { job: "export", now })).release();
    });

    test("many in a row: each reads a few claims, however many there were before it", async () => {
      const vault = opened.vault("in-a-row");
      let reads = 0;
      const counted: Vault = Object.assign(Object.create(vault) as Vault, {
        url: vault.url,
        put: (...args: Parameters<Vault["put"]>) => vault.put(...args),
        versions: (prefix: string) => vault.versions(prefix),
        read: (...args: Parameters<Vault["read"]>) => {
          reads += 1;
          return vault.read(...args);
        },
      });
      const now = clock();
      for (let round = 0; round < 20; round++) {
        reads = 0;
        now.advance({ seconds: 2 });
        await (await Lease.acquire(counted, { job: "hold", now })).release();
      }
      assert.ok(reads <= 5, `${reads} reads`);
    });

    test("behind one that held and gave it up, a claim that was made meanwhile still stands", async () => {
      const vault = opened.vault("meanwhile");
      const now = clock();
      const first = await Lease.acquire(vault, { job: "backfill", now, onWanted: () => {}, look: 20 });
      const inLine = Lease.acquire(vault, { job: "export", now, look: 20 });
      for (let claims = 0; claims < 2; ) {
        claims = 0;
        for await (const { key } of vault.versions(LEASE)) claims += key === LEASE ? 1 : 0;
      }
      await first.release();
      await assert.rejects(Lease.acquire(vault, { job: "hold", now }), busy);
      await (await inLine).release();
    });

    test("one whose clock was ahead gave up the vault: a claim that it took for ended still stands", async () => {
      const vault = opened.vault("ahead");
      const now = clock();
      await vault.put(LEASE, claim({ host: "elsewhere", since: now(), until: now().add({ minutes: 5 }) }));
      const ahead = clock(now().add({ minutes: 10 }));
      await (await Lease.acquire(vault, { job: "export", now: ahead })).release();
      await assert.rejects(Lease.acquire(vault, { job: "export", now }), busy);
    });

    test("what is no claim is refused, not taken for a free vault", async () => {
      const vault = opened.vault("garbage");
      const [since, late] = ["2026-11-29T00:00:00Z", "+275760-09-13T00:00:00Z"];
      const endless = JSON.stringify({ token: "t", host: "h", pid: 1, job: "export", since, until: late });
      for (const garbage of ["", "{}", "\xff\xfe", '{"token":1}', "[".repeat(4000), endless]) {
        await vault.put(LEASE, Buffer.from(garbage, "latin1"));
        await assert.rejects(Lease.acquire(vault, { job: "export", now: clock() }), (error) =>
          hasCode(error, "malformed"),
        );
      }
    });
  });
}

function claim(fields: Record<string, unknown>): Uint8Array {
  const text = JSON.stringify({ token: "t", host: "here", pid: 1, job: "export", ...fields }, (_key, value) =>
    value instanceof Temporal.Instant ? value.toString() : value,
  );
  return Buffer.from(text);
}

leases(
  "directory",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-lease-"));
    return { vault: (at) => new DirectoryVault(join(folder, at)), close: () => rm(folder, { recursive: true }) };
  },
  false,
);

leases(
  "Ceph RGW",
  async () => {
    const bucket = await lockedBucket();
    const made: S3Vault[] = [];
    return {
      vault: (prefix) => {
        made.push(new S3Vault({ bucket, prefix, endpoint: cephEndpoint, forcePathStyle: true, concurrency: 8 }));
        return made.at(-1)!;
      },
      close: async () => {
        for (const vault of made) await vault.close();
      },
    };
  },
  withoutCeph,
);
