import { stat } from "node:fs/promises";
import { lastTime } from "../audit/last-time.ts";
import { peekCatalog } from "../catalog/open-catalog.ts";
import type { ClientConfig, S3VaultConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { refuseWrongClock } from "../core/clock-check.ts";
import { hasCode } from "../core/error.ts";
import { fileAt } from "../io/is-there.ts";
import type { RetryPolicy } from "../io/retry.ts";
import { plural } from "../observe/format.ts";
import { leftBehind } from "../retention/left-behind.ts";
import { readDescription, type VaultDescription } from "../vault/description.ts";
import { lastSeenIn, refuseFormer } from "../vault/former.ts";
import type { Vault } from "../vault/vault.ts";
import { BucketSettings } from "./bucket.ts";
import { checkClock } from "./clock.ts";
import { count, type Finding, failed, findings } from "./finding.ts";
import { checkLifecycle } from "./lifecycle.ts";
import { checkLocks } from "./objects.ts";
import { probeStore } from "./probe.ts";
import { checkRights } from "./rights.ts";
import { checkEncryption, checkKeeping, checkPublicAccess } from "./settings.ts";
import { checkState } from "./state.ts";

export interface VaultCheck {
  readonly config: ClientConfig;
  readonly vault: Vault;
  readonly description: VaultDescription | undefined;
  /** Then nothing is created. */
  readonly isNew?: boolean;
  readonly now: Clock;
  readonly retry: RetryPolicy;
  readonly idleTimeout?: number;
}

export interface Described {
  readonly description: VaultDescription | undefined;
  readonly found: Finding;
  /** As far as the store and this machine know, there was never a vault: run `init` first. */
  readonly isNew?: boolean;
}

/** The description in vault.json, or why it cannot be read. */
export async function describe(vault: Vault, config: ClientConfig): Promise<Described> {
  const { id, log } = config;
  const { ok, failure } = findings("vault");
  try {
    const { description } = await readDescription(vault);
    if (description.client === id && description.log.origin === log.origin)
      return { description, found: ok(`${vault.url} belongs to this client`) };
    const hint = "Correct vault.url, or id and log.origin.";
    return { description: undefined, found: failure(`${vault.url} belongs to another client or another log`, hint) };
  } catch (error) {
    // Without an answer from the store: whether this machine has seen the log tells whether its keys must exist.
    const isUnseen = (await fileAt(lastSeenIn(config.state))) === undefined;
    if (!hasCode(error, "vault-missing"))
      return { description: undefined, found: failed("vault", error), isNew: isUnseen };
    try {
      await refuseFormer(vault, config.state);
    } catch (error) {
      return {
        description: undefined,
        found: failed("vault", error),
        isNew: hasCode(error, "incomplete") ? false : isUnseen,
      };
    }
    const hint = `Run \`holdfast init --client ${id}\`. If there is a vault elsewhere, correct vault.url.`;
    const found = failure(`not initialized: there is no vault at ${vault.url} yet`, hint);
    return { description: undefined, found, isNew: true };
  }
}

/** Checks the vault's bucket or directory. */
export async function checkVault(check: VaultCheck): Promise<Finding[]> {
  const { vault } = check.config;
  return vault.kind === "s3" ? checkBucket(vault, check) : checkDirectory(vault.path, check);
}

async function checkBucket(
  config: S3VaultConfig,
  { config: { retention }, description, vault, now, ...options }: VaultCheck,
): Promise<Finding[]> {
  const bucket = new BucketSettings(config, now, options);
  const found: Finding[] = [];
  try {
    const { found: keeping, locks } = await checkKeeping(bucket);
    found.push(...keeping);
    // Without a bucket or credentials, every further answer would repeat the problem.
    const reached = keeping.length > 1;
    if (!reached) return found;
    found.push(checkClock("the S3 server", bucket.skew));
    found.push(await checkEncryption(bucket), await checkPublicAccess(bucket), ...(await checkLifecycle(bucket)));
    found.push(...(await checkRights(bucket)));
    if (!locks) return found;
    found.push(...(await probeStore(bucket, vault, description?.store)));
    if (description) found.push(...(await checkLocks(bucket, retention)));
  } catch (error) {
    found.push(failed("bucket", error));
  } finally {
    bucket.close();
  }
  return found;
}

async function checkDirectory(path: string, check: VaultCheck): Promise<Finding[]> {
  const { config, vault } = check;
  const { warning } = findings("vault");
  // It would create the folder.
  const isThere = !check.isNew || (await stat(path).catch(() => undefined)) !== undefined;
  try {
    if (isThere) await vault.inspect();
  } catch (error) {
    return [failed("vault", error)];
  }
  const disk = (await checkState(path)).map((finding) => ({ ...finding, check: "vault" }));
  if (count(disk, "failure") > 0) return disk;
  return [
    ...disk,
    ...(await checkLastEntry(check)),
    ...(await checkPurged(config, vault)),
    warning(
      "a directory's locks bind only Holdfast: anyone with write access can delete records",
      "Use S3 with Object Lock if the law requires more than that.",
    ),
  ];
}

/** Checks whether this machine's clock is behind the log's last entry. */
async function checkLastEntry({ vault, description, now }: VaultCheck): Promise<Finding[]> {
  if (description === undefined) return [];
  try {
    refuseWrongClock(now(), { last: await lastTime(vault, description), skew: undefined });
    return [];
  } catch (error) {
    return [failed("clock", error)];
  }
}

/** Checks that purged objects are gone. Skipped if this machine has no catalog, or one without purges. */
async function checkPurged({ id, state, log }: ClientConfig, vault: Vault): Promise<Finding[]> {
  const { ok, failure } = findings("purged");
  const catalog = peekCatalog({ state, log });
  if (catalog === undefined) return [];
  try {
    if (catalog.purges.subjects().length === 0) return [];
    let left = 0;
    for await (const _ of leftBehind(vault, catalog)) left += 1;
    if (left === 0) return [ok("all objects that the log says are purged are gone")];
    return [
      failure(
        `${plural(left, "object")} that the log says ${left === 1 ? "is" : "are"} purged can still be read without a version id`,
        `Run \`holdfast retention purge --client ${id} --confirm --out <folder>\`: it removes them, too.`,
      ),
    ];
  } catch (error) {
    return [failed("purged", error)];
  } finally {
    catalog.close();
  }
}
