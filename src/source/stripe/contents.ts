import * as z from "zod";
import { HoldfastError, hasCode } from "../../core/error.ts";
import { checked, parseAnswer } from "../answer.ts";
import type { Http } from "../http.ts";
import type { FetchedFile } from "../source.ts";
import { fileId, told } from "./answers.ts";
import { CONTENTS, contentsCall, FILE, fileCall } from "./calls.ts";
import { FileLinks } from "./file-links.ts";
import type { Ask } from "./gathering.ts";

const metadata = z.object({ id: fileId, url: z.unknown() });

/** The bytes of files: with the key where Stripe lets it read them, else by a link that expires within 30 seconds. */
export class FileContents {
  readonly #http: Http;
  readonly #ask: Ask;
  readonly #api: string;
  readonly #links: FileLinks;
  /** Where files are read with the key; null if only by links. Stripe says so with each file; the first one is asked. */
  #origin: Promise<string | null> | undefined;

  constructor(http: Http, ask: Ask, api: string) {
    this.#http = http;
    this.#ask = ask;
    this.#api = api;
    this.#links = new FileLinks(http, ask);
  }

  async open(id: string): Promise<FetchedFile> {
    if (!fileId.safeParse(id).success)
      throw new HoldfastError("source-missing", `${CONTENTS}: no file of Stripe has an id like this`);
    const origin = await this.#originBy(id);
    if (origin === null) return this.#links.open(id);
    try {
      return await this.#http.stream(contentsCall(origin, id));
    } catch (error) {
      if (!hasCode(error, "source-denied", "source-missing")) throw error;
      const file = await this.#links.open(id).catch((reason: unknown) => {
        // A link that Stripe refuses says less than the contents did.
        throw hasCode(reason, "source-denied", "source-missing") ? error : reason;
      });
      this.#origin = Promise.resolve(null);
      return file;
    }
  }

  /** Only an answer settles it. */
  async #originBy(id: string): Promise<string | null> {
    this.#origin ??= this.#originOf(id);
    try {
      return await this.#origin;
    } catch (error) {
      this.#origin = undefined;
      throw error;
    }
  }

  async #originOf(id: string): Promise<string | null> {
    const { url } = checked(FILE, metadata, parseAnswer(FILE, await this.#ask(fileCall(id))));
    return told(url) === null ? null : filesOrigin(String(url), this.#api);
  }
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** The origin of files. It is sent the key, so it is Stripe's own, or on loopback like the API itself. */
export function filesOrigin(url: string, api: string): string {
  const to = URL.parse(url);
  if (to?.origin === "https://files.stripe.com") return to.origin;
  if (to && LOOPBACK.test(to.hostname) && LOOPBACK.test(new URL(api).hostname)) return to.origin;
  throw new HoldfastError("source-response", `${FILE}: Stripe names an origin of files that must not see the key`);
}
