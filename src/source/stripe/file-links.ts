import * as z from "zod";
import { HoldfastError, hasCode } from "../../core/error.ts";
import { checked, parseAnswer } from "../answer.ts";
import type { Http } from "../http.ts";
import type { FetchedFile } from "../source.ts";
import { FILE_LINK, fileLinkCall, LINK } from "./calls.ts";
import type { Ask } from "./gathering.ts";

const link = z.object({ url: z.string().max(2_000) });

/** The longest that Stripe allows for a link to a picture of a document or a face. */
const LONGEST = 30_000;
/** Less than that: the `Date` of an answer has no fraction of a second, and Stripe's hosts may differ a little. */
const LIFE = 25_000;

/** A link that Stripe did not make, or did not open. */
interface Refused {
  readonly error: HoldfastError;
  /** By Stripe's time, when the refusal arrived: whether the link would have been open. Undefined if it does not tell the time. */
  readonly wasOpen: boolean | undefined;
  /** Whether there was a link. */
  readonly isMade: boolean;
}

/** Files by links that expire within 30 seconds of Stripe's time, for keys that may not read their contents. */
export class FileLinks {
  readonly #http: Http;
  readonly #ask: Ask;

  constructor(http: Http, ask: Ask) {
    this.#http = http;
    this.#ask = ask;
  }

  /** Throws source-unavailable where only the time was wrong, so that no file is given up for that. */
  async open(id: string): Promise<FetchedFile> {
    const first = await this.#attempt(id);
    if ("bytes" in first) return first;
    // Stripe makes no link for some purposes, and answers that like a wrong time. Then a second one says no more.
    if (!first.isMade && first.wasOpen !== false) throw first.error;
    const second = await this.#attempt(id);
    if ("bytes" in second) return second;
    if (second.wasOpen !== false) throw second.error;
    const what = second.isMade ? `${LINK}: the link expired before it was read` : `${FILE_LINK}: the time was refused`;
    throw new HoldfastError("source-unavailable", `${what}, twice`, {
      cause: second.error,
      hint: "A later run makes new links. If this happens each time, check that this machine's clock is in sync (NTP) and does not jump, and lower source.rate so that no link waits for 25 seconds.",
    });
  }

  async #attempt(id: string): Promise<FetchedFile | Refused> {
    const { theirTime } = this.#http;
    let expires = 0;
    // Made when it is sent: it may have waited for the limits, or for a retry.
    const call = fileLinkCall(id, (now) => {
      expires = Math.floor((now.epochMilliseconds + LIFE) / 1_000);
      return expires;
    });
    const wasOpen = (): boolean | undefined => {
      const left = expires * 1_000 - theirTime.now().epochMilliseconds;
      return theirTime.isKnown ? left > 0 && left <= LONGEST : undefined;
    };
    let text: string;
    try {
      text = await this.#ask(call);
    } catch (error) {
      if (!hasCode(error, "source-rejected")) throw error;
      const refused = denied(`${FILE_LINK}: Stripe makes no link to this file`, error, theirTime.isKnown);
      return { error: refused, wasOpen: wasOpen(), isMade: false };
    }
    const { url } = checked(FILE_LINK, link, parseAnswer(FILE_LINK, text));
    try {
      return await this.#http.elsewhere(LINK, url);
    } catch (error) {
      if (!(error instanceof HoldfastError) || !hasCode(error, "source-denied", "source-missing")) throw error;
      return { error, wasOpen: wasOpen(), isMade: true };
    }
  }
}

function denied(message: string, cause: unknown, isTimeKnown: boolean): HoldfastError {
  const hint = isTimeKnown
    ? undefined
    : "Stripe's answers arrive without their time (Date), so this machine's clock may be the cause. Compare it with Stripe's, and let the proxy pass the header.";
  return new HoldfastError("source-denied", message, { cause, hint });
}
