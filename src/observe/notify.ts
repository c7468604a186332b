import { createHmac, randomUUID } from "node:crypto";
import { HoldfastError } from "../core/error.ts";
import { printableJson } from "../core/printable.ts";
import { type RetryPolicy, retrying } from "../io/retry.ts";
import { addressed, dispatcher } from "../net/dispatcher.ts";
import { networkFailure } from "../net/failure.ts";
import { errorFields, type Log } from "./log.ts";

/** An event of a run. Nothing personal: config names, counts and codes. */
export interface Event {
  readonly type: "run.started" | "run.finished" | "run.failed" | "run.interrupted";
  /** RFC 3339 UTC. */
  readonly timestamp: string;
  readonly data: {
    readonly client: string;
    readonly job: string;
    readonly run?: string;
    readonly outcome?: string;
    /** The code of the error that ended the run. */
    readonly code?: string;
    readonly durationMs?: number;
    readonly counts?: Readonly<Record<string, number>>;
  };
}

/** Where to send events. Addresses and keys are secrets. */
export interface Targets {
  /** A ping URL of healthchecks.io. */
  readonly healthchecks?: string | undefined;
  readonly webhook?: { readonly url: string; readonly key: Uint8Array } | undefined;
}

export interface NotifyOptions {
  readonly log: Log;
  readonly retry?: RetryPolicy;
  /** The timeout of one attempt, in ms. */
  readonly timeout?: number;
  /** When aborted, do not retry. */
  readonly signal?: AbortSignal;
}

const RETRY: RetryPolicy = { retries: 3, minDelay: 500, maxDelay: 5_000, maxRetryAfter: 10_000 };
const TIMEOUT = 10_000;
/** The same while the process is stopping. */
const HURRIED = 3_000;
/** An interrupted run does not ping healthchecks: the next run does, and if none comes, the missing ping raises the alarm. */
const PATHS: Partial<Record<Event["type"], string>> = {
  "run.started": "/start",
  "run.finished": "",
  "run.failed": "/fail",
};

/** Sends an event to all receivers. Failures are logged and never thrown: they must not fail the run. */
export async function notify(event: Event, { healthchecks, webhook }: Targets, options: NotifyOptions): Promise<void> {
  const body = printableJson(JSON.stringify(event));
  const path = PATHS[event.type];
  await Promise.all([
    healthchecks !== undefined &&
      path !== undefined &&
      deliver("healthchecks", below(healthchecks, path), body, () => ({}), options),
    webhook && deliver("webhook", webhook.url, body, signing(webhook.key, body), options),
  ]);
}

function below(address: string, path: string): string {
  const url = new URL(address);
  url.pathname = url.pathname.replace(/\/+$/, "") + path;
  return url.href;
}

/** The headers of Standard Webhooks (standardwebhooks.com): one id for all attempts, and the time of each. */
function signing(key: Uint8Array, body: string): () => Record<string, string> {
  const id = `msg_${randomUUID()}`;
  return () => {
    const at = Math.floor(Date.now() / 1000);
    return {
      "webhook-id": id,
      "webhook-timestamp": String(at),
      "webhook-signature": signature(key, id, at, body),
    };
  };
}

/** HMAC-SHA-256 over id, time in seconds and body. */
export function signature(key: Uint8Array, id: string, at: number, body: string): string {
  return `v1,${createHmac("sha256", key).update(`${id}.${at}.${body}`).digest("base64")}`;
}

/** Parses `whsec_` and base64 of 24 to 64 bytes. Throws `config`, without showing the key. */
export function parseWebhookKey(text: string): Uint8Array {
  const [, base64 = ""] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const key = Buffer.from(base64, "base64");
  if (key.length >= 24 && key.length <= 64) return key;
  throw new HoldfastError("config", "notify.webhook.key is not a valid webhook signing key", {
    hint: 'Create one of 24 to 64 bytes: echo "whsec_$(openssl rand -base64 32)"',
  });
}

async function deliver(
  to: string,
  url: string,
  body: string,
  headers: () => Record<string, string>,
  { log, retry = RETRY, signal, timeout = signal?.aborted ? HURRIED : TIMEOUT }: NotifyOptions,
): Promise<void> {
  try {
    await retrying(
      async () => {
        await using way = dispatcher({ timeouts: { connect: timeout, headers: timeout, body: timeout } });
        const answer = await way
          .request({
            ...addressed(url),
            method: "POST",
            body,
            signal: AbortSignal.timeout(timeout),
            headers: { "content-type": "application/json", "user-agent": "holdfast", ...headers() },
          })
          .catch((cause: unknown) => {
            throw unheard(to, `no answer (${networkFailure(cause)?.code ?? "unknown"})`, true, cause);
          });
        await answer.body.dump({ limit: 16 * 1024 }).catch(() => {});
        const { statusCode } = answer;
        if (statusCode >= 300) throw unheard(to, `it answered ${statusCode}`, statusCode === 429 || statusCode >= 500);
      },
      retry,
      signal,
    );
  } catch (error) {
    log.warn("notification failed", { ...errorFields(error), stage: "notify" });
  }
}

/** Leaves out the address, which is a secret. */
function unheard(to: string, what: string, again: boolean, cause?: unknown): HoldfastError {
  return new HoldfastError(again ? "notify-unavailable" : "notify-rejected", `${to}: ${what}`, {
    cause,
    hint: `Check notify.${to} and the network. The run continues.`,
  });
}
