/** The files' host. It is not the API's, opens to a token alone, and must never be sent the key. */
import type { Counters } from "../counters.ts";
import type { FaultInjector } from "../faults.ts";
import { FileHost } from "../file-host.ts";
import type { Endpoint } from "./routes.ts";
import type { Shelf } from "./slot.ts";
import { tokenOpens } from "./token.ts";
import type { World } from "./world.ts";

interface HostOptions {
  readonly world: World;
  readonly shelf: Shelf;
  readonly faults: FaultInjector;
  readonly requests: Counters<Endpoint>;
  readonly apiKey: string;
}

export function filesHost({ world, shelf, faults, requests, apiKey }: HostOptions): FileHost<Endpoint> {
  return new FileHost({
    faults,
    requests,
    endpoint: "file",
    secrets: [apiKey],
    find: (url) => {
      const name = url.pathname.slice(1);
      const token = url.searchParams.get("access_token") ?? "";
      if (!tokenOpens(world.seed, name, token, world.now())) return 403;
      const slot = shelf.find(name);
      if (!slot) return 404;
      return faults.withheld(name) ? 403 : shelf.body(slot);
    },
  });
}
