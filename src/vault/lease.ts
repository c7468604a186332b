import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type Clock, steady } from "../core/clock.ts";
import { HoldfastError } from "../core/error.ts";
import { LEASE } from "./layout.ts";
import { isDead, processName } from "./process-identity.ts";
import type { Vault } from "./vault.ts";

/** The lease is untrusted. Adding a term to a later instant could overflow. */
const LAST = Temporal.Instant.from("9999-12-31T23:59:59Z");
const instant = z.string().refine((text) => {
  try {
    return Temporal.Instant.compare(Temporal.Instant.from(text), LAST) <= 0;
  } catch {
    return false;
  }
});

const claim = z.object({
  /** Random, new for each claim. */
  token: z.string(),
  host: z.string(),
  pid: z.int(),
  /** See process-identity.ts. Missing if the system cannot tell. */
  process: z.string().optional(),
  job: z.string(),
  since: instant,
  /** The holder renews the claim before this time. After it, others count the holder as dead. */
  until: instant,
  /** The holder gave the claim up, whatever `until` says. */
  released: z.literal(true).optional(),
  /** The claim that was given up had held the vault, so no earlier claim was in effect when it began. */
  held: z.literal(true).optional(),
  /** The holder yields to the next claim in line. */
  yields: z.literal(true).optional(),
});
type Claim = z.output<typeof claim>;

/** How long a claim lasts without renewal, and how often it is renewed. Clocks may differ by up to the difference. */
const TERM = { minutes: 5 };
const RENEW_MS = 60_000;
/** How often a holder that yields looks for other claims, and how often a waiting claim checks for its turn. */
const LOOK_MS = 5_000;
/**
 * How long to wait for a holder that yields: it may have to retry its current work first. Shorter than `claimsInEffect`
 * looks back, so that the line keeps its order.
 */
const PATIENCE = { minutes: 10 };
/** Tokens of claims this process gave up, even if it could not tell the store. It need not wait for itself. */
const GIVEN_UP = new Set<string>();
/** The largest claim that is read, in bytes. */
export const LEASE_LIMIT = 4096;

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

  private constructor(vault: Vault, now: Clock, mine: Claim, onWanted: (() => void) | undefined) {
    this.#onWanted = onWanted;
    this.#vault = vault;
    this.#now = now;
    this.#claim = mine;
  }

  /** Throws `busy`, naming the holder and since when it holds the vault. */
  static async acquire(vault: Vault, { job, now, onWanted, signal, look = LOOK_MS }: LeaseOptions): Promise<Lease> {
    const holder = (await claimsInEffect(vault, now())).at(0);
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
    await vault.put(LEASE, encode(mine)).catch((error: unknown) => {
      // The claim may have been written despite the error.
      GIVEN_UP.add(mine.token);
      throw error;
    });
    const lease = new Lease(vault, steadyNow, mine, onWanted);
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
      const first = (await claimsInEffect(this.#vault, this.#now())).at(0);
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
    GIVEN_UP.add(this.#claim.token);
    if (this.#lost) return;
    // If the release fails, the claim expires by itself.
    const given: Claim = { ...this.#claim, until: this.#now().toString(), released: true };
    await this.#vault.put(LEASE, encode(this.#held ? { ...given, held: true } : given)).catch(() => {});
  }

  /** Writes the claim with a new term, then checks whether another run took the vault meanwhile. */
  async renew(): Promise<void> {
    this.check();
    await this.#prolong();
    const others = (await claimsInEffect(this.#vault, this.#now())).filter(({ token }) => token !== this.#claim.token);
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
    await this.#vault.put(LEASE, encode(renewed), { holds: () => this.check() });
    this.#claim = renewed;
  }

  /** Looks for other claims between renewals. Errors are ignored here: the next renewal reports them. */
  #lookOut(every: number): void {
    this.#looking = setTimeout(() => {
      const wanted = claimsInEffect(this.#vault, this.#now()).then(
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

/**
 * The claims in effect, in the order they were first made. Such a claim was written or renewed within its term, so only
 * the newest versions are read, and nothing older than the first claim of a run that has held the vault since.
 */
async function claimsInEffect(vault: Vault, now: Temporal.Instant): Promise<Claim[]> {
  const latest = new Map<string, Claim>();
  const held = new Set<string>();
  for await (const { key, versionId, deleteMarker } of vault.versions(LEASE)) {
    if (key !== LEASE) continue;
    // Someone deleted the lease by hand.
    if (deleteMarker) break;
    const found = parseClaim(vault, (await vault.read(LEASE, LEASE_LIMIT, versionId)).bytes);
    // Twice the term, because clocks may differ.
    if (Temporal.Instant.compare(Temporal.Instant.from(found.until).add(TERM).add(TERM), now) < 0) break;
    const newest = latest.get(found.token) ?? found;
    latest.delete(found.token);
    latest.set(found.token, newest);
    if (found.held && !isAhead(found, now)) held.add(found.token);
    if (held.has(found.token) && isFirst(found)) break;
  }
  return [...latest.values()].reverse().filter((each) => isInEffect(each, now));
}

/** Who holds the vault now, for people: what it does, and since when (RFC 3339 UTC). Takes nothing, and changes nothing. */
export async function holderOf(
  vault: Vault,
  now: Temporal.Instant,
): Promise<{ readonly job: string; readonly since: string } | undefined> {
  const holder = (await claimsInEffect(vault, now)).at(0);
  return holder && { job: holder.job, since: Temporal.Instant.from(holder.since).toString({ smallestUnit: "second" }) };
}

/** A clock that is ahead counts claims as expired that are still in effect. */
function isAhead({ since }: Claim, now: Temporal.Instant): boolean {
  return Temporal.Instant.compare(Temporal.Instant.from(since), now) > 0;
}

/** Whether this is a claim's first version, as `acquire` writes it: later ones end later or are released. */
function isFirst({ since, until, released }: Claim): boolean {
  return !released && Temporal.Instant.from(since).add(TERM).equals(Temporal.Instant.from(until));
}

/** Parses an untrusted claim. Throws `malformed`. */
export function parseClaim(vault: Pick<Vault, "url">, bytes: Uint8Array): Claim {
  try {
    return claim.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new HoldfastError("malformed", `${vault.url}/${LEASE} is not a lease file: something else wrote it`, {
      cause,
      hint: "Make sure that no export is running, then delete lease.json (a delete marker is enough).",
    });
  }
}

function isInEffect({ token, until, process, released }: Claim, now: Temporal.Instant): boolean {
  if (released || GIVEN_UP.has(token)) return false;
  return Temporal.Instant.compare(now, Temporal.Instant.from(until)) < 0 && !isDead(process);
}

/** Whether to wait for this holder. A run that would yield itself does not push another one out. */
function shouldWaitFor({ yields }: Claim, onWanted: (() => void) | undefined): boolean {
  return yields === true && onWanted === undefined;
}

function encode(value: Claim): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
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
