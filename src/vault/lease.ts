import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { type Clock, steady } from "../core/clock.ts";
import { HoldfastError } from "../core/error.ts";
import { LEASE } from "./layout.ts";
import { type Claim, Claims, encodeClaim, giveUp, TERM } from "./lease-claims.ts";
import { processName } from "./process-identity.ts";
import type { Vault } from "./vault.ts";

/** How often a claim is renewed. Clocks may differ by up to `TERM` less this. */
const RENEW_MS = 60_000;
/** How often a holder that yields looks for other claims, and how often a waiting claim checks for its turn. */
const LOOK_MS = 5_000;
/**
 * How long to wait for a holder that yields: it may have to retry its current work first. Shorter than `Claims`
 * looks back, so that the line keeps its order.
 */
const PATIENCE = { minutes: 10 };

export interface LeaseOptions {
  /** What the holder does, for messages. */
  readonly job: string;
  readonly now: Clock;
  /**
   * Called when another run waits for the vault: this holder should release it soon. Without it, the holder never
   * yields.
   */
  readonly onWanted?: (() => void) | undefined;
  /** Stops waiting for a holder that yields. */
  readonly signal?: AbortSignal | undefined;
  /** Interval in ms. Default: 5 s. */
  readonly look?: number | undefined;
}

/**
 * One writer per vault. It relies only on the store to list the versions of a key in the order they were written, as
 * every versioned bucket and the directory vault do. It does not rely on conditional writes, because some stores accept
 * and ignore them. To get the lease, a process writes a claim and then looks: of all claims in effect, the first one
 * written wins, and the others withdraw theirs.
 *
 * A long job that can resume (a backfill) says in its claim that it yields. The next claim then waits in line behind it
 * and holds the vault once the job releases it.
 *
 * A dead holder on this machine is noticed at once, one on another machine when its term ends.
 */
export class Lease {
  readonly #vault: Vault;
  readonly #claims: Claims;
  readonly #now: Clock;
  #claim: Claim;
  readonly #onWanted: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  #held = false;
  #lost: HoldfastError | undefined;
  #renewing: Promise<void> = Promise.resolve();
  /** Tokens of other claims that were in effect at the last renewal. */
  #rivals: ReadonlySet<string> = new Set();

  private constructor(vault: Vault, claims: Claims, now: Clock, mine: Claim, onWanted: (() => void) | undefined) {
    this.#onWanted = onWanted;
    this.#vault = vault;
    this.#claims = claims;
    this.#now = now;
    this.#claim = mine;
  }

  /** Throws `busy`, naming the holder and since when it holds the vault. */
  static async acquire(vault: Vault, { job, now, onWanted, signal, look = LOOK_MS }: LeaseOptions): Promise<Lease> {
    const claims = new Claims(vault);
    const holder = (await claims.inEffect(now())).at(0);
    if (holder && !shouldWaitFor(holder, onWanted)) throw busy(vault, holder, now());
    // If the clock is set back, a renewed claim would look expired to everyone else.
    const steadyNow = steady(now);
    const at = steadyNow();
    const mine: Claim = {
      token: randomUUID(),
      host: hostname(),
      pid: process.pid,
      process: processName(),
      job,
      since: at.toString(),
      until: at.add(TERM).toString(),
      ...(onWanted ? { yields: true } : {}),
    };
    await vault.put(LEASE, encodeClaim(mine)).catch((error: unknown) => {
      // The claim may have been written despite the error.
      giveUp(mine);
      throw error;
    });
    const lease = new Lease(vault, claims, steadyNow, mine, onWanted);
    try {
      await lease.#turn(at.add(PATIENCE), look, signal);
    } catch (error) {
      await lease.release();
      throw error;
    }
    lease.#held = true;
    lease.#renewLater();
    if (onWanted) lease.#lookOut(look);
    return lease;
  }

  /** Resolves when this claim is the first one in effect. */
  async #turn(patience: Temporal.Instant, look: number, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const first = (await this.#claims.inEffect(this.#now())).at(0);
      if (!first || first.token === this.#claim.token) return;
      if (!shouldWaitFor(first, this.#onWanted) || Temporal.Instant.compare(this.#now(), patience) > 0) {
        throw busy(this.#vault, first, this.#now());
      }
      await delay(look, undefined, signal ? { signal } : {}).catch((cause: unknown) => {
        throw new HoldfastError("interrupted", `interrupted while waiting for ${who(first)}`, { cause });
      });
      if (Temporal.Instant.compare(this.#now().add({ milliseconds: 4 * RENEW_MS }), this.#until) > 0)
        await this.#prolong();
    }
  }

  get #until(): Temporal.Instant {
    return Temporal.Instant.from(this.#claim.until);
  }

  /** Throws `busy` once this holder may have lost the vault. Call it before writing to the log. */
  check(): void {
    if (this.#lost) throw this.#lost;
    if (Temporal.Instant.compare(this.#now(), this.#until) >= 0) {
      throw lost(
        this.#vault,
        "the lease was not renewed in time, because the store did not answer or this machine slept",
      );
    }
  }

  /** Releases the vault for the next in line. */
  async release(): Promise<void> {
    clearTimeout(this.#timer);
    clearTimeout(this.#looking);
    await this.#renewing;
    giveUp(this.#claim);
    if (this.#lost) return;
    // If the release fails, the claim expires by itself.
    const given: Claim = { ...this.#claim, until: this.#now().toString(), released: true };
    await this.#vault.put(LEASE, encodeClaim(this.#held ? { ...given, held: true } : given)).catch(() => {});
  }

  /** Writes the claim with a new term, then checks whether another run took the vault meanwhile. */
  async renew(): Promise<void> {
    this.check();
    await this.#prolong();
    const others = (await this.#claims.inEffect(this.#now())).filter(({ token }) => token !== this.#claim.token);
    if (this.#onWanted) {
      // They wait in line until this claim is released.
      if (others.length > 0) this.#onWanted();
      return;
    }
    // A run that only tried withdraws its claim at once. A claim still in effect at the next renewal was not refused.
    const rival = others.find(({ token }) => this.#rivals.has(token));
    if (rival) this.#lost = lost(this.#vault, `${who(rival)} took it over`);
    this.#rivals = new Set(others.map(({ token }) => token));
  }

  async #prolong(): Promise<void> {
    const renewed = { ...this.#claim, until: this.#now().add(TERM).toString() };
    // A renewal that arrives after the term would revive a claim that others already count as dead.
    await this.#vault.put(LEASE, encodeClaim(renewed), { holds: () => this.check() });
    this.#claim = renewed;
  }

  /** Looks for other claims between renewals. Errors are ignored here: the next renewal reports them. */
  #lookOut(every: number): void {
    this.#looking = setTimeout(() => {
      const wanted = this.#claims.inEffect(this.#now()).then(
        (claims) => claims.some(({ token }) => token !== this.#claim.token),
        () => false,
      );
      void wanted.then((is) => (is ? this.#onWanted?.() : this.#lookOut(every)));
    }, every).unref();
  }

  #renewLater(): void {
    this.#timer = setTimeout(() => {
      // A failed renewal is retried. `check` throws once the term is over.
      this.#renewing = this.renew().catch(() => {});
      void this.#renewing.then(() => this.#lost ?? this.#renewLater());
    }, RENEW_MS).unref();
  }
}

/** Whether to wait for this holder. A run that would yield itself does not push another one out. */
function shouldWaitFor({ yields }: Claim, onWanted: (() => void) | undefined): boolean {
  return yields === true && onWanted === undefined;
}

function who({ job, host, pid, since }: Claim): string {
  return `${job} on ${host} (process ${pid}, since ${since})`;
}

function busy(vault: Vault, holder: Claim, now: Temporal.Instant): HoldfastError {
  return new HoldfastError("busy", `${vault.url} is held by ${who(holder)}`, {
    retryAfter: Math.max(Temporal.Instant.from(holder.until).epochMilliseconds - now.epochMilliseconds, 0),
    hint: `Wait for it to finish. If it crashed, its lease expires at ${holder.until}.`,
  });
}

function lost(vault: Vault, why: string): HoldfastError {
  return new HoldfastError("busy", `this run no longer holds ${vault.url}: ${why}`, {
    hint: "Run it again. The work so far is in the journal on this machine, and the next run logs it.",
  });
}
