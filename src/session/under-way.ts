import { ownError } from "../core/error.ts";
import type { UnderWay } from "../report/under-way.ts";
import { holderOf } from "../vault/lease-claims.ts";
import type { Vault } from "../vault/vault.ts";
import type { Session } from "./client.ts";

/** Reads the lease. If this machine cannot read it, the rest of the status is still shown. */
export async function underWay(vault: Vault, { now, signal }: Pick<Session, "now" | "signal">): Promise<UnderWay> {
  try {
    const holder = await holderOf(vault, now());
    return holder === undefined ? { state: "idle" } : { state: "running", ...holder };
  } catch (error) {
    const own = ownError(error);
    if (signal.aborted || own === undefined) throw error;
    return { state: "unknown", why: own.message };
  }
}
