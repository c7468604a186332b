import { join } from "node:path";
import { HoldfastError } from "../core/error.ts";
import { pathsOverlap, resolvePath } from "./path.ts";
import type { ConfigFinding } from "./problem.ts";
import { type Raw, raw, rawClients } from "./raw.ts";
import { parseVaultUrl, type VaultLocation } from "./url.ts";

/**
 * One vault per client: no vault may be, or lie inside, another vault or a client's state. A client treats unknown
 * objects in its vault as lost or foreign, and two journals over one log fork it.
 */
export function vaultsApart(document: unknown, folder: string): ConfigFinding[] {
  const { state = "./state" } = raw(document);
  const clients = rawClients(document);
  const root = typeof state === "string" ? pathOf(state, folder) : undefined;
  const ids = clients.map(({ id }) => id);
  const states = ids.flatMap((id) =>
    root !== undefined && typeof id === "string" && id !== "" ? [join(root, id)] : [],
  );
  const vaults = clients.map(({ vault }) => placeOf(raw(vault), folder));
  return vaults.flatMap((vault, index) => {
    if (vault === undefined) return [];
    const path = ["clients", index, "vault", "url"];
    const first = vaults.findIndex((other) => other !== undefined && shared(other, vault));
    if (first < index) {
      const text = `overlaps with clients[${first}].vault.url; give each a prefix or directory outside the other's`;
      return [{ path, text }];
    }
    const { location } = vault;
    if (location.kind !== "directory" || !states.some((directory) => pathsOverlap(directory, location.path))) return [];
    return [{ path, text: "overlaps with the state of a client; keep vaults and state in directories apart" }];
  });
}

interface VaultPlace {
  readonly location: VaultLocation;
  /** The S3 server as written: the same bucket name on two servers means two buckets. */
  readonly server: string;
}

function pathOf(state: string, folder: string): string | undefined {
  try {
    return resolvePath(state, folder);
  } catch (error) {
    if (error instanceof HoldfastError) return undefined;
    throw error;
  }
}

function placeOf({ url, endpoint = "" }: Raw, folder: string): VaultPlace | undefined {
  if (typeof url !== "string") return undefined;
  try {
    return { location: parseVaultUrl(url, folder), server: String(endpoint).toLowerCase().replace(/\/+$/, "") };
  } catch (error) {
    if (error instanceof HoldfastError) return undefined;
    throw error;
  }
}

function shared(one: VaultPlace, other: VaultPlace): boolean {
  const [a, b] = [one.location, other.location];
  if (a.kind === "directory" && b.kind === "directory") return pathsOverlap(a.path, b.path);
  if (a.kind !== "s3" || b.kind !== "s3" || a.bucket !== b.bucket || one.server !== other.server) return false;
  return a.prefix === "" || b.prefix === "" || pathsOverlap(a.prefix, b.prefix);
}
