/** The host that evidence files and signed documents are redirected to. It opens to a signature alone, and must never be sent the key. */
import type { Counters } from "../counters.ts";
import type { FaultInjector } from "../faults.ts";
import { FileHost } from "../file-host.ts";
import { placeOf } from "./id.ts";
import type { Credentials } from "./keys.ts";
import type { Endpoint } from "./routes.ts";
import { opens } from "./secret.ts";
import type { Shelf } from "./shelf.ts";
import type { World } from "./world.ts";

interface HostOptions {
  readonly world: World;
  readonly shelf: Shelf;
  readonly faults: FaultInjector;
  readonly requests: Counters<Endpoint>;
  readonly credentials: Credentials;
}

export function evidenceHost({ world, shelf, faults, requests, credentials }: HostOptions): FileHost<Endpoint> {
  return new FileHost({
    faults,
    requests,
    endpoint: "evidence",
    secrets: [credentials.apiKey, credentials.clientSecret],
    find: (url) => {
      if (!opens(world.seed, url, world.now())) return 403;
      const id = url.pathname.slice(1).replace(/\.pdf$/, "");
      const place = placeOf(world.seed, "evidence", id) ?? placeOf(world.seed, "signed", id);
      if (!place || !world.has(place.index)) return 404;
      const slot = place.kind === "signed" ? "signed" : "evidence";
      if (slot === "evidence" && !shelf.hasEvidence(place.index)) return 404;
      return faults.withheld(url.pathname) ? 403 : shelf.body(slot, place.index, place.at);
    },
  });
}
