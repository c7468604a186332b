import { type Dispatcher, errors } from "undici";
import { HoldfastError } from "../core/error.ts";
import { retryAfter } from "../io/retry.ts";
import { networkFailure } from "../net/failure.ts";

/** A body that comes slower, in bytes a second, is as good as one that stalls: a byte now and then would last for years. */
const SLOWEST = 1024;

export function tooLarge(name: string, limit: number): HoldfastError {
  return new HoldfastError("source-response", `${name}: the answer is larger than ${limit} bytes`, {
    hint: "No identity's answer or file is that large: the provider sent something broken.",
  });
}

export function isTooSlow(size: number, waited: number, patience: number): boolean {
  return waited > patience && size < (waited / 1000) * SLOWEST;
}

export function tooSlow(name: string): HoldfastError {
  return new HoldfastError("source-unavailable", `${name}: the answer comes slower than ${SLOWEST} bytes a second`, {
    hint: "Check the network and the provider's status page.",
  });
}

export function connectionError(name: string, error: unknown): HoldfastError {
  // What is no HTTP; the error holds the bytes that came, and is not kept.
  const garbled = error instanceof errors.HTTPParserError;
  const failure =
    networkFailure(error) ?? (garbled ? { code: "HPE_UNKNOWN", isTransient: true, hint: undefined } : undefined);
  const code = failure?.code ?? (error as NodeJS.ErrnoException).code ?? "unknown";
  return new HoldfastError(
    failure?.isTransient ? "source-unavailable" : "source-rejected",
    `${name}: the connection failed (${code})`,
    {
      cause: garbled ? undefined : error,
      hint: failure?.hint ?? "Check source.url, the network and the provider's status page.",
    },
  );
}

/** Whether the bytes are others than the provider's: compressed though no one asked for that, or a part of them. */
export function isAltered({ headers }: Dispatcher.ResponseData): boolean {
  const encoding = String(headers["content-encoding"] ?? "identity").trim();
  return !/^(identity)?$/i.test(encoding) || headers["content-range"] !== undefined;
}

export function altered(name: string): HoldfastError {
  return new HoldfastError("source-response", `${name}: the answer is compressed or a part, which no one asked for`, {
    hint: "A proxy or cache on the way may do that: have it pass on answers as they are (Content-Encoding, Content-Range).",
  });
}

export function statusError(name: string, { statusCode, headers }: Dispatcher.ResponseData): HoldfastError {
  const message = `${name}: the provider answered ${statusCode}`;
  switch (statusCode) {
    case 401:
      return new HoldfastError("source-key", message, {
        hint: "The API key is refused. Check source.apiKey: the secret key of this project, not the publishable one.",
      });
    case 403:
      return new HoldfastError("source-denied", message, {
        hint: "Ask the provider to grant this right to the API key.",
      });
    case 404:
      return new HoldfastError("source-missing", message, { hint: "Check source.url if every request says so." });
  }
  if (statusCode === 429 || statusCode === 408 || statusCode >= 500) {
    const header = headers["retry-after"];
    return new HoldfastError("source-unavailable", message, {
      hint: "It was tried several times. Lower source.rate if it is 429; otherwise wait for the provider.",
      retryAfter: retryAfter(Array.isArray(header) ? header[0] : header),
    });
  }
  return new HoldfastError("source-rejected", message, {
    hint: "Check source.url: this is not the API that is expected.",
  });
}
