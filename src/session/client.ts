import { parseVerifier, type Signer, type Verifier } from "../audit/note.ts";
import type { ClientConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { HoldfastError, hasCode } from "../core/error.ts";
import { closedBy } from "../io/closing.ts";
import type { RetryPolicy } from "../io/retry.ts";
import type { Console } from "../observe/console.ts";
import type { Metrics } from "../observe/metrics.ts";
import { Handles } from "../record/handles.ts";
import { RESTORE_LOOKUP_KEY, Tokens } from "../record/tokens.ts";
import { Box } from "../seal/secretbox.ts";
import { readDescription, type VaultDescription } from "../vault/description.ts";
import { refuseFormer } from "../vault/former.ts";
import { openVault } from "../vault/open.ts";
import type { Vault } from "../vault/vault.ts";
import { Messages } from "../workers/task.ts";
import { anotherLogKey, signerOf } from "./another-key.ts";

/** What every job receives. */
export interface Session {
  readonly clients: readonly ClientConfig[];
  readonly console: Console;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly now: Clock;
  /** How far `now` is ahead of a server's clock, in ms; undefined if the server does not say. Left out: no server is asked. */
  readonly skewOf?: (url: string) => Promise<number | undefined>;
  /** Overrides the retry limits of source and vault, so that tests wait less. */
  readonly patience?: Patience;
  /** Undefined if no one reads metrics. */
  readonly metrics?: Metrics | undefined;
  /** For a scheduled run: in how many ms it is retried after this failure; undefined if it is not retried. */
  readonly againIn?: (client: ClientConfig, error: unknown) => number | undefined;
  /** The Pushgateway that receives the metrics of a run without a metrics server. */
  readonly pushgateway?: string | undefined;
}

export interface Patience {
  readonly retry?: RetryPolicy;
  /** Longest wait for a connection, for headers, and between two chunks of a body, in ms. */
  readonly timeouts?: { readonly connect: number; readonly headers: number; readonly body: number };
  /** The largest file to accept from the source, in bytes. */
  readonly maxFile?: number;
}

/** A client's vault, with its description checked against the config. */
export interface ClientVault {
  readonly vault: Vault;
  readonly description: VaultDescription;
  /** The log's public keys: the current one first, then earlier ones. */
  readonly verifiers: readonly Verifier[];
  /** Retries so far. */
  readonly retries: () => number;
}

export async function openClientVault(
  config: ClientConfig,
  { console, signal, patience, metrics }: Session,
): Promise<ClientVault & AsyncDisposable> {
  let retries = 0;
  const measured = metrics?.client(config.id);
  const sayWaiting = tellOfWaiting(console, config.id);
  let isOpen = false;
  const onRetry = (error: HoldfastError) => {
    retries += 1;
    measured?.retried("vault");
    if (!isOpen) sayWaiting(error);
  };
  await using opened = new AsyncDisposableStack();
  const vault = await openVault(config.vault, {
    signal,
    onRetry,
    onRequest: measured && ((...request) => measured.requested("vault", ...request)),
    ...(patience?.retry ? { policy: patience.retry } : {}),
    ...(patience?.timeouts ? { idleTimeout: patience.timeouts.body } : {}),
  });
  opened.defer(() => vault.close());
  const description = await descriptionOf(vault, config);
  isOpen = true;
  if (description.client !== config.id || description.log.origin !== config.log.origin) {
    throw new HoldfastError(
      "config",
      `${vault.url} is the vault of client ${description.client}, log ${description.log.origin}`,
      {
        hint: `Correct vault.url, or id and log.origin, of client ${config.id}.`,
      },
    );
  }
  const verifiers = [description.log.vkey, ...(description.log.former ?? [])].map(parseVerifier);
  return closedBy<ClientVault>({ vault, description, verifiers, retries: () => retries }, opened.move());
}

/** Reports the first failed attempt to open a vault, because the retries may take half a minute. */
export function tellOfWaiting({ log }: Session["console"], client: string): (error: HoldfastError) => void {
  let isSaid = false;
  return ({ code, message }) => {
    if (isSaid) return;
    isSaid = true;
    log.warn("the vault does not answer; retrying", { client, code, error: message });
  };
}

async function descriptionOf(vault: Vault, { id, state }: ClientConfig): Promise<VaultDescription> {
  try {
    return (await readDescription(vault)).description;
  } catch (error) {
    if (!hasCode(error, "vault-missing")) throw error;
    await refuseFormer(vault, state);
    throw new HoldfastError("vault-missing", `${vault.url} is not a vault yet`, {
      cause: error,
      hint: `Run \`holdfast init --client ${id}\` once; or correct vault.url.`,
    });
  }
}

/** The log's private key. It must be the vault's own. */
export async function openSigner(config: ClientConfig, description: Pick<VaultDescription, "log">): Promise<Signer> {
  const { log, vault } = config;
  const signer = await signerOf(log.key, log.origin);
  if (signer.verifier.vkey === description.log.vkey) return signer;
  throw await anotherLogKey(config, description, vault.url);
}

/** The lookup key, as tokens. It must be the vault's own, or everything would be stored again. */
export async function openTokens(
  { lookups }: ClientConfig,
  description: Pick<VaultDescription, "lookups">,
): Promise<Tokens> {
  const tokens = new Tokens(await lookups.key.resolve(), RESTORE_LOOKUP_KEY);
  if (tokens.check() === description.lookups.check) return tokens;
  throw new HoldfastError("config", `${lookups.key.reference} is not the lookup key of this vault`, {
    hint: RESTORE_LOOKUP_KEY,
  });
}

/** Closes and opens provider ids, with the lookup key. */
export async function handlesOf({ lookups }: ClientConfig): Promise<Handles> {
  return new Handles(await lookups.key.resolve());
}

/** The messages between a client's coordinator and workers, encrypted under the lookup key that both have. */
export async function messagesOf({ lookups }: ClientConfig): Promise<Messages> {
  return new Messages(new Box(await lookups.key.resolve(), "backfill workers"));
}
