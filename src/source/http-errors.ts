import { type Dispatcher, errors } from "undici";
import { skewOf } from "../core/clock-check.ts";
import { HoldfastError } from "../core/error.ts";
import { retryAfter } from "../io/retry.ts";
import { networkFailure } from "../net/failure.ts";

/**
 * The lowest rate of a body, in bytes per second. A body that trickles is like one that stalls: it could last for
 * years.
 */
const SLOWEST = 1024;

export function tooLarge(name: string, limit: number): HoldfastError {
  return new HoldfastError("source-response", `${name}: the answer is larger than ${limit} bytes`, {
    hint: "No identity's answer or file is that large: the provider sent a broken answer.",
  });
}

export function isTooSlow(size: number, waited: number, patience: number): boolean {
  return waited > patience && size < (waited / 1000) * SLOWEST;
}

export function tooSlow(name: string): HoldfastError {
  return new HoldfastError("source-unavailable", `${name}: the answer is slower than ${SLOWEST} bytes per second`, {
    hint: "Check the network and the provider's status page.",
  });
}

export function connectionError(name: string, origin: string, error: unknown, asked: SourceWords = {}): HoldfastError {
  // The answer is not HTTP. The error contains the bytes received, so it is dropped.
  const garbled = error instanceof errors.HTTPParserError;
  const failure =
    networkFailure(error) ?? (garbled ? { code: "HPE_UNKNOWN", isTransient: true, hint: undefined } : undefined);
  const code = failure?.code ?? (error as NodeJS.ErrnoException).code ?? "unknown";
  return new HoldfastError(
    failure?.isTransient ? "source-unavailable" : "source-rejected",
    `${name}: the connection to ${origin} failed (${code})`,
    {
      cause: garbled ? undefined : error,
      hint: [
        ...(asked.unreached === undefined ? [] : [asked.unreached]),
        failure?.hint ?? "Check source.url, the network and the provider's status page.",
      ],
    },
  );
}

/** Whether the bytes may differ from the provider's: compressed without a request for that, or only a part. */
export function isAltered({ headers }: Dispatcher.ResponseData): boolean {
  const encoding = String(headers["content-encoding"] ?? "identity").trim();
  return !/^(identity)?$/i.test(encoding) || headers["content-range"] !== undefined;
}

export function altered(name: string): HoldfastError {
  return new HoldfastError(
    "source-response",
    `${name}: the answer is compressed or partial, without a request for that`,
    {
      hint: "A proxy or cache may do that. Configure it to leave answers unchanged (Content-Encoding, Content-Range).",
    },
  );
}

/** A 404 or 410 that the provider did not write. */
export function foreign(name: string, statusCode: number): HoldfastError {
  return new HoldfastError(
    "source-response",
    `${name}: the answer is ${statusCode}, and not in the provider's own form`,
    {
      hint: "It says nothing about the person. Check source.url: another server, a proxy or the provider's edge answered.",
    },
  );
}

/** The same for a file on another origin. Only an answer names that origin, so neither it nor the cause is shown. */
export function elsewhereError(name: string, error: unknown): HoldfastError {
  const { code, message, hint } = connectionError(name, "the file's host", error);
  return new HoldfastError(code, message, {
    hint: hint?.includes("source.url")
      ? "Let this machine, and its proxy, reach the host where the provider keeps files: the provider's documentation names it."
      : hint,
  });
}

/** A signature or token is refused if the clocks differ by more than this, in ms: some providers accept one minute. */
const APART = 60_000;

/** What errors say of the source that was asked. Each part may be unknown. */
export interface SourceWords {
  /** The source's name in the config. */
  readonly source?: string | undefined;
  /** What the provider calls the key that Holdfast needs. */
  readonly keyIs?: string | undefined;
  /** Why the API may not answer at all. */
  readonly unreached?: string | undefined;
  /** Neither key nor signature depends on the time, so a wrong clock is no reason for a refusal. */
  readonly isTimeless?: boolean | undefined;
}

/** 401. The answer's own time shows whether the key is wrong or the clock that signed. */
function keyError(name: string, date: unknown, now: Temporal.Instant, asked: SourceWords): HoldfastError {
  const message = `${name}: the provider answered 401`;
  const { source, keyIs = "a secret API key of this project" } = asked;
  const fields = source === undefined ? "source.apiKey and source.url" : `apiKey and url of source ${source}`;
  const hint = `The API key was refused. Check ${fields}: the key must be ${keyIs}, and the url that of the project's API.`;
  const skew = skewOf(date, now) ?? 0;
  if (asked.isTimeless || Math.abs(skew) <= APART) return new HoldfastError("source-key", message, { hint });
  const off = `${Math.round(Math.abs(skew) / 1000)} s ${skew > 0 ? "ahead of" : "behind"} the provider's`;
  return new HoldfastError("source-key", `${message}, and this machine's clock is ${off}`, {
    hint: [
      "Set this machine's clock and keep it in sync (NTP): providers refuse a key or signature from another time.",
      `If it is refused after that: ${hint}`,
    ],
  });
}

/** A redirect's or an error's status. `who` answered: at a file's host there is no key that could be wrong. */
export function statusError(
  name: string,
  { statusCode, headers }: Dispatcher.ResponseData,
  now: Temporal.Instant,
  asked: SourceWords,
  who: "the provider" | "the file's host" = "the provider",
): HoldfastError {
  const message = `${name}: ${who} answered ${statusCode}`;
  const isFile = who === "the file's host";
  switch (statusCode) {
    case 401:
      if (isFile) break;
      return keyError(name, headers.date, now, asked);
    case 403:
      if (isFile) break;
      return new HoldfastError("source-denied", message, {
        hint: "Ask the provider to grant this right to the API key.",
      });
    case 404:
    case 410:
      return new HoldfastError("source-missing", message, {
        gone: statusCode === 410,
        hint: isFile
          ? "The provider no longer keeps this file."
          : "If every request gets this answer, check source.url.",
      });
  }
  if (statusCode === 429 || statusCode === 408 || statusCode >= 500) {
    const header = headers["retry-after"];
    return new HoldfastError("source-unavailable", message, {
      hint: "Several attempts failed. For 429 lower source.rate; otherwise wait for the provider.",
      retryAfter: retryAfter(Array.isArray(header) ? header[0] : header),
    });
  }
  if (statusCode === 401 || statusCode === 403) {
    return new HoldfastError("source-denied", message, {
      hint: "The file's URL has probably expired: the next run asks for a new one. If it happens each time, ask the provider.",
    });
  }
  return new HoldfastError("source-rejected", message, {
    hint: isFile
      ? "The provider named a file's URL that does not work. The next run asks for a new one."
      : "Check source.url: this is not the expected API.",
  });
}
