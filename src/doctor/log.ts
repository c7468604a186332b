import { checkAgainstLastSeen } from "../audit/last-seen.ts";
import { AuditLog } from "../audit/log.ts";
import { parseVerifier } from "../audit/note.ts";
import { HoldfastError } from "../core/error.ts";
import { plural } from "../observe/format.ts";
import type { VaultDescription } from "../vault/description.ts";
import type { Vault } from "../vault/vault.ts";
import { type Finding, failed, findings } from "./finding.ts";

const { ok, failure } = findings("log");

/** Reads the newest checkpoint as every run does: the log's key signed it, and it continues what this machine saw last. */
export async function checkLog(vault: Vault, state: string, { log }: VaultDescription): Promise<Finding> {
  try {
    const audit = new AuditLog(vault, log.origin, [log.vkey, ...(log.former ?? [])].map(parseVerifier));
    const head = await audit.head();
    const seen = await checkAgainstLastSeen(state, audit, head);
    const since =
      seen === undefined ? "this machine has not seen it before" : "it continues what this machine saw last";
    return ok(`the newest checkpoint is signed by the log's key: ${plural(head.size, "entry", "entries")}; ${since}`);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.hint !== undefined) return failed("log", error);
    return failure(error.message, "Run `holdfast verify`: it says what is wrong.");
  }
}
