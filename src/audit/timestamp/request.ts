import { randomBytes, type X509Certificate } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { HoldfastError, hasCode } from "../../core/error.ts";
import { addressed, dispatcher } from "../../net/dispatcher.ts";
import { networkFailure } from "../../net/failure.ts";
import { checkTimestamp, type Timestamp } from "./check.ts";
import { MAX_TOKEN } from "./token.ts";

/** Timeouts of a connection, in ms. The whole request has its own. */
const TIMEOUTS = { connect: 10_000, headers: 30_000, body: 30_000 };

export interface Authority {
  /** The authority's URL. http is fine: the answer is signed. */
  readonly url: string;
  readonly anchors: readonly X509Certificate[];
}

export interface Asking {
  readonly signal: AbortSignal;
  /** Longest wait for one answer, in ms. */
  readonly timeout?: number;
  /** Pause before each retry, in ms. Their number is the number of retries. */
  readonly pauses?: readonly number[];
}

/** A time stamp as received, and its content. */
export interface StampAnswer extends Timestamp {
  readonly bytes: Uint8Array;
}

/**
 * Requests a time stamp for a digest and checks the answer. Throws `timestamp` if it cannot reach the authority, and
 * what `checkTimestamp` throws for an invalid answer.
 * @param digest SHA-256, lower-case hex
 */
export async function requestTimestamp(
  digest: string,
  { url, anchors }: Authority,
  { signal, timeout = 10_000, pauses = [1_000, 4_000] }: Asking,
): Promise<StampAnswer> {
  for (let attempt = 0; ; attempt++) {
    const nonce = randomBytes(8);
    // Makes it a positive INTEGER in its shortest form, whatever the other bits are.
    nonce[0] = (nonce[0]! & 0x3f) | 0x40;
    try {
      const bytes = await post(url, query(digest, nonce), AbortSignal.any([signal, AbortSignal.timeout(timeout)]));
      return { bytes, ...checkTimestamp(bytes, { digest, nonce: nonce.toString("hex"), anchors }) };
    } catch (error) {
      const pause = pauses[attempt];
      if (pause === undefined || signal.aborted || !hasCode(error, "timestamp")) throw error;
      await delay(pause, undefined, { signal });
    }
  }
}

/** TimeStampReq in DER: version 1, SHA-256 of the data, the nonce, and the request to include certificates. */
export function query(digest: string, nonce: Uint8Array): Uint8Array {
  const imprint = Buffer.from(`3031300d060960864801650304020105000420${digest}`, "hex");
  const parts = [Buffer.from("020101", "hex"), imprint, Buffer.from([0x02, nonce.length]), nonce];
  const body = Buffer.concat([...parts, Buffer.from("0101ff", "hex")]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

async function post(url: string, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  try {
    await using way = dispatcher({ timeouts: TIMEOUTS });
    const { statusCode, body: answer } = await way.request({
      ...addressed(url),
      method: "POST",
      body,
      signal,
      headers: { "content-type": "application/timestamp-query", accept: "application/timestamp-reply" },
    });
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of answer as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > MAX_TOKEN) throw new HoldfastError("malformed", `its answer is longer than ${MAX_TOKEN} bytes`);
      chunks.push(chunk);
    }
    if (statusCode !== 200) throw new HoldfastError("timestamp", `the time-stamping authority answered ${statusCode}`);
    return Buffer.concat(chunks);
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const failure = networkFailure(cause);
    const why = failure?.code === "TIMEOUT" ? "no answer in time" : (failure?.code ?? (cause as Error).name);
    throw new HoldfastError("timestamp", `cannot reach the time-stamping authority (${why})`, {
      cause,
      hint: failure?.hint,
    });
  }
}
