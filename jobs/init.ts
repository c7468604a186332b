import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { generateKey } from "../src/audit/note.ts";
import { AuditWriter } from "../src/audit/writer.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import type { ClientConfig } from "../src/config/config.ts";
import type { SecretRef } from "../src/config/secret.ts";
import { HoldfastError, hasCode } from "../src/core/error.ts";
import { timestamp } from "../src/core/timestamp.ts";
import { openDurable } from "../src/io/durable-file.ts";
import { isFull } from "../src/io/file-error.ts";
import { RESTORE_LOOKUP_KEY, Tokens } from "../src/record/tokens.ts";
import { firstMode } from "../src/retention/first-lock.ts";
import { signerOf } from "../src/session/another-key.ts";
import { openSigner, openTokens, type Session, tellOfWaiting } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { handOver } from "../src/session/hand-over.ts";
import { checkTime } from "../src/session/right-time.ts";
import { encodeDescription, readDescription, type VaultDescription } from "../src/vault/description.ts";
import { refuseFormer, refuseHidden } from "../src/vault/former.ts";
import { CHECKPOINT, VAULT_JSON } from "../src/vault/layout.ts";
import { covers, lockFor } from "../src/vault/lock.ts";
import { openVault } from "../src/vault/open.ts";
import { probeConditional } from "../src/vault/probe.ts";
import type { Vault } from "../src/vault/vault.ts";

export const initCommand = command(
  "init",
  "create the lookup key and the log key, check the vault, write vault.json and an empty log; safe to repeat",
  ["holdfast init", "holdfast init --client acme-bank --config /etc/holdfast.yaml"],
)
  .addHelpText(
    "after",
    `
Before: create the age keys on their holders' machines (holdfast keygen), write the config, and create the bucket with
Object Lock. Afterwards: give the log's public key to your auditor, back up both key files on another machine, and run
doctor. If log.previousKey is set, init hands the log over to the new key.`,
  )
  .action((options: CommonOptions) =>
    run(options, async (session) => {
      await tellClients(session, "init", async (onFailure) => {
        const done = await init(session, onFailure);
        for (const { client, vault, vkey, made, store } of done) {
          session.console.say([
            `${client}: ${vault} is ready${made.length > 0 ? ` (created: ${made.join(", ")})` : " (nothing to do)"}`,
            { text: `  log key   ${vkey}`, whole: true },
            "            give this public key to your auditor: anyone can check the log with it",
            `  store     create-only writes ${store.ifNoneMatch ? "supported" : "not supported"}, compare-and-swap ${store.ifMatch ? "supported" : "not supported"}`,
            ...(store.ifNoneMatch && store.ifMatch
              ? []
              : ["            Holdfast checks before each write instead: one more request"]),
            ...(made.includes(HANDED_OVER)
              ? ["            this is a NEW key: give it to your auditor, then remove previousKey from the config"]
              : []),
            "  keep      back up the lookup key and the log's private key on another machine",
          ]);
        }
        return done;
      });
    }),
  );

/**
 * Creates what a client needs before its first export: the lookup key and the log key (if they are files that do not
 * exist), vault.json and an empty log. Safe to repeat: it keeps what exists and creates what is missing.
 */
export async function init(session: Session, onFailure?: (failure: ClientFailure) => void) {
  return eachClient(session, (config) => initClient(config, session), onFailure);
}

const HANDED_OVER = "hand-over of the log to its new key";

async function initClient(config: ClientConfig, session: Session) {
  const { console, signal, now } = session;
  await using opened = new AsyncDisposableStack();
  const vault = await openVault(config.vault, { signal, onRetry: tellOfWaiting(console, config.id) });
  opened.defer(() => vault.close());
  await vault.inspect();
  const made: string[] = [];
  let existing = await describedAlready(vault);
  if (existing === undefined) await refuseFormer(vault, config.state);
  await checkTime(config, session, vault, existing);
  if (existing === undefined) made.push(...(await makeKey(config.lookups.key, () => randomBytes(32).toString("hex"))));
  if (existing === undefined || config.log.previousKey) {
    made.push(...(await makeKey(config.log.key, () => generateKey(config.log.origin).skey)));
  }
  const signer = await signerOf(config.log.key, config.log.origin);
  const lookupKey = await config.lookups.key.resolve();
  const tokens = existing ? new Tokens(lookupKey, RESTORE_LOOKUP_KEY) : new Tokens(lookupKey);
  if (existing) {
    if (signer.verifier.vkey !== existing.log.vkey) {
      existing = await handOver(vault, config, existing, signer, session);
      made.push(HANDED_OVER);
    }
    await openSigner(config, existing);
    await openTokens(config, existing);
  }
  const lock = lockFor(firstMode(config), config.retention.initialLock, now());
  let description: VaultDescription = existing ?? {
    format: "holdfast-vault/1",
    client: config.id,
    created: timestamp(now()),
    log: { origin: signer.name, vkey: signer.verifier.vkey },
    recipients: [...config.recipients.strings],
    lookups: { check: tokens.check() },
  };
  if (description.store === undefined) {
    const draft = encodeDescription(description);
    await vault.put(VAULT_JSON, draft, { lock });
    const store = await probeConditional(vault, VAULT_JSON, draft, { lock });
    description = { ...description, store };
    await vault.put(VAULT_JSON, encodeDescription(description), { lock });
    if (!covers((await vault.head(VAULT_JSON)).lock, lock)) {
      throw new HoldfastError("vault-unfit", `${vault.url}: the store accepts a lock but does not keep it`, {
        hint: "Use a bucket with Object Lock enabled, on a store that supports it.",
      });
    }
    made.push(VAULT_JSON);
  }
  if (!(await exists(vault, CHECKPOINT))) {
    await refuseHidden(vault, CHECKPOINT);
    await AuditWriter.create({
      vault,
      signer,
      now,
      state: config.state,
      conditional: description.store!,
      holds: () => {},
      lock: { mode: firstMode(config), initial: config.retention.initialLock },
    });
    made.push("empty audit log");
  }
  if (config.recipients.strings.length === 1) {
    console.log.warn("only one recipient: if its private key is lost, so is every record; use at least two", {
      client: config.id,
    });
  }
  return { client: config.id, vault: vault.url, vkey: signer.verifier.vkey, made, store: description.store! };
}

async function describedAlready(vault: Vault): Promise<VaultDescription | undefined> {
  try {
    return (await readDescription(vault)).description;
  } catch (error) {
    if (hasCode(error, "vault-missing")) return undefined;
    throw error;
  }
}

async function exists(vault: Vault, key: string): Promise<boolean> {
  try {
    await vault.head(key);
    return true;
  } catch (error) {
    if (hasCode(error, "vault-missing")) return false;
    throw error;
  }
}

/** Writes a new key to the named file if it does not exist. Never changes an existing one. */
async function makeKey(ref: SecretRef, generate: () => string): Promise<string[]> {
  if (ref.path === undefined) return [];
  try {
    await mkdir(dirname(ref.path), { recursive: true, mode: 0o700 });
    const file = await openDurable(ref.path, "create");
    try {
      await file.writeFile(`${generate()}\n`);
    } catch (error) {
      // The next run would take half a key for a whole one.
      await rm(ref.path);
      throw error;
    } finally {
      await file.close();
    }
    return [ref.reference];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return [];
    const full = isFull(error);
    throw new HoldfastError(
      full ? "state" : "config",
      `${ref.reference}: cannot write the key to ${ref.path} (${code})`,
      {
        cause: error,
        hint: full
          ? "The disk is full: free or add space, then run `holdfast init` again."
          : "Name a file in a folder that this user can write to.",
      },
    );
  }
}
