import * as z from "zod";
import { HoldfastError } from "../core/error.ts";
import { LEASE } from "./layout.ts";
import { isDead } from "./process-identity.ts";
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
/** A version of `lease.json`: one process claims the vault. */
export type Claim = z.output<typeof claim>;

/** How long a claim lasts unless it is renewed. */
export const TERM = { minutes: 5 };
/** Tokens of claims this process gave up, even if it could not tell the store. It need not wait for itself. */
const GIVEN_UP = new Set<string>();
/** The largest claim that is read, in bytes. */
export const LEASE_LIMIT = 4096;

/** The claims on a vault. What a version says never changes, so each is read once, however often someone looks. */
export class Claims {
  readonly #vault: Vault;
  /** By version: what the last look read. */
  #read: ReadonlyMap<string, Claim> = new Map();

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /**
   * The claims in effect, in the order they were first made. Such a claim was written or renewed within its term, so only
   * the newest versions are read, and nothing older than the first claim of a run that has held the vault since.
   */
  async inEffect(now: Temporal.Instant): Promise<Claim[]> {
    const read = new Map<string, Claim>();
    const latest = new Map<string, Claim>();
    const held = new Set<string>();
    for await (const { key, versionId, deleteMarker } of this.#vault.versions(LEASE)) {
      if (key !== LEASE) continue;
      // Someone deleted the lease by hand.
      if (deleteMarker) break;
      const found = this.#read.get(versionId) ?? (await this.#claim(versionId));
      read.set(versionId, found);
      // Twice the term, because clocks may differ.
      if (Temporal.Instant.compare(Temporal.Instant.from(found.until).add(TERM).add(TERM), now) < 0) break;
      const newest = latest.get(found.token) ?? found;
      latest.delete(found.token);
      latest.set(found.token, newest);
      if (found.held && !isAhead(found, now)) held.add(found.token);
      if (held.has(found.token) && isFirst(found)) break;
    }
    this.#read = read;
    return [...latest.values()].reverse().filter((each) => isInEffect(each, now));
  }

  async #claim(versionId: string): Promise<Claim> {
    return parseClaim(this.#vault, (await this.#vault.read(LEASE, LEASE_LIMIT, versionId)).bytes);
  }
}

/** Who holds the vault now, for people: what it does, and since when (RFC 3339 UTC). Takes nothing, and changes nothing. */
export async function holderOf(
  vault: Vault,
  now: Temporal.Instant,
): Promise<{ readonly job: string; readonly since: string } | undefined> {
  const holder = (await new Claims(vault).inEffect(now)).at(0);
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

export function encodeClaim(value: Claim): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}

/** This process no longer wants the vault by this claim, whatever the store says of it. */
export function giveUp({ token }: Claim): void {
  GIVEN_UP.add(token);
}
