import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type Clock, steady } from "../core/clock.ts";
import { HoldfastError } from "../core/error.ts";
import { LEASE } from "./layout.ts";
import { isDead, processName } from "./process-identity.ts";
import type { Vault } from "./vault.ts";

/** The lease is untrusted. Beyond the year 9999 there would be no room for the terms that are added. */
const LAST = Temporal.Instant.from("9999-12-31T23:59:59Z");
const instant = z.string().refine((text) => {
  try {
    return Temporal.Instant.compare(Temporal.Instant.from(text), LAST) <= 0;
  } catch {
    return false;
  }
});

const claim = z.object({
  /** Made again for each holder. */
  token: z.string(),
  host: z.string(),
  pid: z.int(),
  /** See process.ts; absent where the system cannot tell. */
  process: z.string().optional(),
  job: z.string(),
  since: instant,
  /** Renewed before it passes; after it the holder counts as dead. */
  until: instant,
  /** Given up, whatever a clock says of `until`. */
  released: z.literal(true).optional(),
  /** Given up by one that held the vault: when it began to, no claim made before its own stood. */
  held: z.literal(true).optional(),
  /** The holder gives way to whoever comes next in line. */
  yields: z.literal(true).optional(),
});
type Claim = z.output<typeof claim>;

/** How long a claim stands without being renewed, and how often it is. Clocks may differ by what lies between. */
const TERM = { minutes: 5 };
const RENEW_MS = 60_000;
/** How often one that gives way looks for others, and one that waits for its turn looks whether it has come. */
const LOOK_MS = 5_000;
/**
 * For so long a holder that gives way is waited for: what it has under way may have to be retried. Shorter than claims
 * are looked back for, so that the line keeps its order.
 */
const PATIENCE = { minutes: 10 };
/** Claims this process has given up, also where the store could not be told: it need not wait for itself. */
const GIVEN_UP = new Set<string>();
/** Bytes of the largest claim that is read. */
export const LEASE_LIMIT = 4096;

export interface LeaseOptions {
  /** What the holder does, for people. */
  readonly job: string;
  readonly now: Clock;
  /** Someone waits for the vault: this holder gives it up as soon as it can. Without it no one is given way to. */
  readonly onWanted?: (() => void) | undefined;
  /** Ends the waiting for one that gives way. */
  readonly signal?: AbortSignal | undefined;
  /** In ms; default 5 s. */
  readonly look?: number | undefined;
}

/**
 * One writer per vault. Needs nothing of the store but that it lists the versions of a key in the order they were
 * written, which every versioned bucket and the directory vault do; conditional writes, which some stores accept and
 * ignore, are not relied on. Who wants the lease writes a claim and then looks: of the claims that stand, the one
 * written first holds, and the others take theirs back.
 *
 * A long job that can be taken up again (a backfill) says in its claim that it gives way: then the next one's claim
 * stands in line behind it, and holds when it was given up.
 *
 * A holder that died on this machine is known at once; one elsewhere when its term has passed.
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
  /** Tokens of others whose claims stood at the last renewal. */
  #rivals: ReadonlySet<string> = new Set();

  private constructor(vault: Vault, now: Clock, mine: Claim, onWanted: (() => void) | undefined) {
    this.#onWanted = onWanted;
    this.#vault = vault;
    this.#now = now;
    this.#claim = mine;
  }

  /** Throws `busy`, which says who holds the vault and since when. */
  static async acquire(vault: Vault, { job, now, onWanted, signal, look = LOOK_MS }: LeaseOptions): Promise<Lease> {
    const holder = (await standing(vault, now())).at(0);
    if (holder && !givesWay(holder, onWanted)) throw busy(vault, holder, now());
    // Renewed by a clock that was set back, the claim would be one of long ago to everyone else.
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
      // It may have been written all the same.
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

  /** Resolves when this claim is the first that stands. */
  async #turn(patience: Temporal.Instant, look: number, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const first = (await standing(this.#vault, this.#now())).at(0);
      if (!first || first.token === this.#claim.token) return;
      if (!givesWay(first, this.#onWanted) || Temporal.Instant.compare(this.#now(), patience) > 0) {
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

  /** Throws `busy` once the vault is no longer surely this holder's: to be asked before the log is written. */
  check(): void {
    if (this.#lost) throw this.#lost;
    if (Temporal.Instant.compare(this.#now(), this.#until) >= 0) {
      throw lost(this.#vault, "it could not be renewed in time: the store did not answer, or this machine slept");
    }
  }

  /** Gives the vault to whoever comes next. */
  async release(): Promise<void> {
    clearTimeout(this.#timer);
    clearTimeout(this.#looking);
    await this.#renewing;
    GIVEN_UP.add(this.#claim.token);
    if (this.#lost) return;
    // If it cannot be given back it ends by itself.
    const given: Claim = { ...this.#claim, until: this.#now().toString(), released: true };
    await this.#vault.put(LEASE, encode(this.#held ? { ...given, held: true } : given)).catch(() => {});
  }

  /** Writes the claim with a new term, and looks whether anyone else took the vault meanwhile. */
  async renew(): Promise<void> {
    this.check();
    await this.#prolong();
    const others = (await standing(this.#vault, this.#now())).filter(({ token }) => token !== this.#claim.token);
    if (this.#onWanted) {
      // They stand in line, and hold when this claim was given up.
      if (others.length > 0) this.#onWanted();
      return;
    }
    // Whoever merely tried takes the claim back at once; one that still stands at the next renewal was not told off.
    const rival = others.find(({ token }) => this.#rivals.has(token));
    if (rival) this.#lost = lost(this.#vault, `${who(rival)} took it over`);
    this.#rivals = new Set(others.map(({ token }) => token));
  }

  async #prolong(): Promise<void> {
    const renewed = { ...this.#claim, until: this.#now().add(TERM).toString() };
    // A renewal that arrives after the term has passed would bring back a claim that others counted as dead.
    await this.#vault.put(LEASE, encode(renewed), { holds: () => this.check() });
    this.#claim = renewed;
  }

  /** Looks for others between renewals; what fails there is for the renewal to find. */
  #lookOut(every: number): void {
    this.#looking = setTimeout(() => {
      const wanted = standing(this.#vault, this.#now()).then(
        (claims) => claims.some(({ token }) => token !== this.#claim.token),
        () => false,
      );
      void wanted.then((is) => (is ? this.#onWanted?.() : this.#lookOut(every)));
    }, every).unref();
  }

  #renewLater(): void {
    this.#timer = setTimeout(() => {
      // A renewal that fails is tried again; `check` says when the term has passed.
      this.#renewing = this.renew().catch(() => {});
      void this.#renewing.then(() => this.#lost ?? this.#renewLater());
    }, RENEW_MS).unref();
  }
}

/**
 * The claims that stand, in the order they were first made. A claim that stands has been written or renewed within its
 * term, so only the newest versions are read; and none before the first claim of one that has held the vault since.
 */
async function standing(vault: Vault, now: Temporal.Instant): Promise<Claim[]> {
  const latest = new Map<string, Claim>();
  const held = new Set<string>();
  for await (const { key, versionId, deleteMarker } of vault.versions(LEASE)) {
    if (key !== LEASE) continue;
    // Someone cleared the lease by hand.
    if (deleteMarker) break;
    const found = parseClaim(vault, (await vault.read(LEASE, LEASE_LIMIT, versionId)).bytes);
    // Twice the term, for clocks that differ.
    if (Temporal.Instant.compare(Temporal.Instant.from(found.until).add(TERM).add(TERM), now) < 0) break;
    const newest = latest.get(found.token) ?? found;
    latest.delete(found.token);
    latest.set(found.token, newest);
    if (found.held && !isAhead(found, now)) held.add(found.token);
    if (held.has(found.token) && isFirst(found)) break;
  }
  return [...latest.values()].reverse().filter((each) => stands(each, now));
}

/** A clock that is ahead takes claims for ended that still stand. */
function isAhead({ since }: Claim, now: Temporal.Instant): boolean {
  return Temporal.Instant.compare(Temporal.Instant.from(since), now) > 0;
}

/** As `acquire` writes it: each later version of a claim ends later, or is given up. */
function isFirst({ since, until, released }: Claim): boolean {
  return !released && Temporal.Instant.from(since).add(TERM).equals(Temporal.Instant.from(until));
}

/** Untrusted bytes to a claim. Throws `malformed`. */
export function parseClaim(vault: Pick<Vault, "url">, bytes: Uint8Array): Claim {
  try {
    return claim.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new HoldfastError("malformed", `${vault.url}/${LEASE} is not a lease: something else wrote it`, {
      cause,
      hint: "Make sure that no export runs, then delete lease.json (a delete marker is enough).",
    });
  }
}

function stands({ token, until, process, released }: Claim, now: Temporal.Instant): boolean {
  if (released || GIVEN_UP.has(token)) return false;
  return Temporal.Instant.compare(now, Temporal.Instant.from(until)) < 0 && !isDead(process);
}

/** Whether to wait for this holder: one that would give way itself does not push another out. */
function givesWay({ yields }: Claim, onWanted: (() => void) | undefined): boolean {
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
    hint: `Wait for it to end. If it is dead, its claim ends by itself at ${holder.until}.`,
  });
}

function lost(vault: Vault, why: string): HoldfastError {
  return new HoldfastError("busy", `this run no longer holds ${vault.url}: ${why}`, {
    hint: "What was done is journaled here, and is logged by the next run. Run again.",
  });
}
