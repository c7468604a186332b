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

/** A clock that moves only when told. */
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

    test("one run holds the vault; a second learns who and since when, and gets it after the first releases it", async () => {
      const vault = opened.vault("one");
      const first = await Lease.acquire(vault, { job: "export", now: clock() });
      await assert.rejects(Lease.acquire(vault, { job: "export", now: clock() }), busy);
      await first.release();
      const second = await Lease.acquire(vault, { job: "export", now: clock() });
      await assert.rejects(Lease.acquire(vault, { job: "export", now: clock() }), busy);
      await second.release();
    });

    test("of many concurrent runs exactly one gets the vault, in every round", async () => {
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
        // A run that starts after the losers withdrew their claims must still find the holder.
        await assert.rejects(Lease.acquire(vault, { job: "export", now }), busy);
        held[0]!.check();
        await held[0]!.release();
      }
    });

    test("a dead holder on another machine is replaced once its term is over, not before", async () => {
      const vault = opened.vault("elsewhere");
      const now = clock();
      await vault.put(LEASE, claim({ host: "elsewhere", since: now(), until: now().add({ minutes: 5 }) }));
      now.advance({ minutes: 4, seconds: 59 });
      await assert.rejects(Lease.acquire(vault, { job: "export", now }), busy);
      now.advance({ seconds: 2 });
      await (await Lease.acquire(vault, { job: "export", now })).release();
    });

    test("a holder that renews is not replaced; one that could not renew in time notices", async () => {
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

    test("a claim is read once, however often the holder looks", async () => {
      const vault = opened.vault("once");
      await (await Lease.acquire(vault, { job: "export", now: clock() })).release();
      const read: string[] = [];
      const counting: Vault = {
        ...vault,
        put: (...of) => vault.put(...of),
        versions: (prefix) => vault.versions(prefix),
        read: (key, limit, versionId) => {
          read.push(versionId!);
          return vault.read(key, limit, versionId);
        },
      };
      const lease = await Lease.acquire(counting, { job: "export", now: clock() });
      for (let renewal = 0; renewal < 3; renewal++) await lease.renew();
      await lease.release();
      // Of the last run its first claim and its release, of this one all but its release.
      assert.equal(read.length, 6);
      assert.equal(new Set(read).size, 6);
    });

    test("a renewal is not sent late, when another run may hold the vault", async () => {
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

    test("a holder that yields learns that another run waits, which gets the vault once it is released", async () => {
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

    test("waiting for a holder that yields too slowly has a limit, and ends on an interruption", async () => {
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
      // With a slow store the wait may begin late: move the clock until it gives up.
      while (waits) {
        await backfill.renew();
        now.advance({ minutes: 1 });
      }
      await inLine;
      backfill.check();
      await backfill.release();
    });

    test("a rival that stays ends the lease; one that only tried does not", async () => {
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

    test("a dead holder on this machine is replaced at once, a live one is not", async () => {
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

    test("a holder that Node's permissions hide does not count as dead", async () => {
      const code = `import { isDead, processName } from ${JSON.stringify(import.meta.resolve("../../src/vault/process-identity.ts"))};
        console.log(processName() !== undefined, isDead(${JSON.stringify(processName())}), isDead(processName()));`;
      const may = ["/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid", "/proc/self/stat", process.cwd()];
      const { stdout } = await promisify(execFile)(process.execPath, [
        ...["--permission", ...may.map((path) => `--allow-fs-read=${path}`)],
        ...["--input-type=module", "--eval", code],
      ]);
      assert.equal(stdout, "true false false\n");
    });

    test("a process need not wait for its own claim that it could not release because the store was down", async () => {
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

    test("the second run gets busy even if the store fails when it withdraws its claim", async () => {
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

    test("a claim whose answer was lost does not block this process", async () => {
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

    test("each run reads only a few claims, however many came before", async () => {
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

    test("a claim made before a holder released the vault is still in effect", async () => {
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

    test("a claim that a fast clock counted as expired is still in effect after that holder releases the vault", async () => {
      const vault = opened.vault("ahead");
      const now = clock();
      await vault.put(LEASE, claim({ host: "elsewhere", since: now(), until: now().add({ minutes: 5 }) }));
      const ahead = clock(now().add({ minutes: 10 }));
      await (await Lease.acquire(vault, { job: "export", now: ahead })).release();
      await assert.rejects(Lease.acquire(vault, { job: "export", now }), busy);
    });

    test("an invalid claim is refused and does not count as a free vault", async () => {
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
