import { HoldfastError } from "../core/error.ts";

/** "." and ".." cannot be escaped: servers and proxies resolve them. No URL can contain half a surrogate pair. */
export function isPathStep(id: string): boolean {
  return id !== "" && id !== "." && id !== ".." && id.isWellFormed();
}

/**
 * An id as one step of a URL's path. Untrusted, it comes from answers and from people: it must not lead to another
 * endpoint.
 * @param name of the request, for the error
 */
export function pathStep(name: string, id: string): string {
  if (isPathStep(id)) return encodeURIComponent(id);
  throw new HoldfastError("source-missing", `${name}: no identity or file has an id like this`, {
    hint: "Check the id.",
  });
}
