/** A plain GET to a sandbox, for its own tests. */
import type { Sandbox } from "./server.ts";

export function ask(sandbox: Sandbox, path: string, apiKey = sandbox.apiKey): Promise<Response> {
  return fetch(sandbox.url + path, { headers: { "X-API-KEY": apiKey } });
}

/** The path of one file of an identity; by default the first document page. */
export function filePath(sandbox: Sandbox, index: number, type = "document_image"): string {
  for (const resource of sandbox.resources(index)) {
    for (const file of resource.resource_files) {
      if (file.type !== type) continue;
      return `/identity/${sandbox.identity(index).id}/resources/${resource.id}/resource_files/${file.id}`;
    }
  }
  throw new RangeError(`identity ${index} has no ${type}`);
}

/** The first index for which something is true. */
export function first(sandbox: Sandbox, holds: (index: number) => boolean): number {
  const index = sandbox.ids().findIndex((_, i) => holds(i));
  if (index < 0) throw new RangeError("no identity is like that");
  return index;
}
