import { HoldfastError } from "../../core/error.ts";
import type { Call } from "../http.ts";
import { parseObjects } from "./answers.ts";
import { placesIn } from "./files.ts";
import type { Ask, Shown } from "./gathering.ts";

/** The file URLs of one answer. They expire together, so one request renews them all. */
export class FileUrls {
  readonly #ask: Ask;
  readonly #call: Call;
  #urls: ReadonlyMap<string, string>;
  #renewing: Promise<void> | undefined;

  constructor(ask: Ask, { call, resources }: Shown) {
    this.#ask = ask;
    this.#call = call;
    this.#urls = urlsIn(resources);
  }

  has(id: string): boolean {
    return this.#urls.has(id);
  }

  /** @param refused a URL that did not work: if it is still the newest, Persona is asked again */
  async url(id: string, refused?: string): Promise<string> {
    if (this.#urls.get(id) === refused) {
      this.#renewing ??= this.#renew().finally(() => {
        this.#renewing = undefined;
      });
      await this.#renewing;
    }
    const url = this.#urls.get(id);
    if (url !== undefined) return url;
    throw new HoldfastError("source-missing", `${this.#call.name}: the answer no longer names this file`);
  }

  async #renew(): Promise<void> {
    const { name } = this.#call;
    this.#urls = urlsIn(parseObjects(name, await this.#ask(this.#call)));
  }
}

function urlsIn(resources: Shown["resources"]): ReadonlyMap<string, string> {
  return new Map(placesIn(resources).map(({ ref, url }) => [ref.id, url]));
}
