import { hasCode } from "../core/error.ts";
import type { Conditional, PutOptions, Vault } from "./vault.ts";

/**
 * Tests which conditional writes the store supports, by writing `bytes` to `key`, which must exist. Servers differ:
 * some support both headers, some accept and ignore them, and Ceph RGW 16 refuses even the right If-Match on a
 * versioned bucket. Adds at most six versions of the same bytes.
 */
export async function probeConditional(
  vault: Pick<Vault, "put">,
  key: string,
  bytes: Uint8Array,
  options: PutOptions,
): Promise<Conditional> {
  const attempt = async (condition: PutOptions): Promise<"written" | "refused" | "unknown"> => {
    try {
      await vault.put(key, bytes, { ...options, ...condition });
      return "written";
    } catch (error) {
      if (hasCode(error, "vault-exists", "vault-conflict")) return "refused";
      // The store does not accept the header at all (501). Treat it as if it ignored the header.
      if (hasCode(error, "vault-rejected")) return "unknown";
      throw error;
    }
  };
  const ifNoneMatch = (await attempt({ ifAbsent: true })) === "refused";
  const { etag: first } = await vault.put(key, bytes, options);
  const longer = Buffer.concat([bytes, Buffer.from("\n")]);
  const current = await vault.put(key, longer, options);
  const refusesWrong = first !== current.etag && (await attempt({ ifMatch: first })) === "refused";
  const acceptsRight =
    refusesWrong &&
    ((await attempt({ ifMatch: current.etag })) === "written" ||
      // The answer to a write may have been lost: then the client's retry no longer finds the version it replaced.
      (await attempt({ ifMatch: (await vault.put(key, longer, options)).etag })) === "written");
  return { ifNoneMatch, ifMatch: acceptsRight };
}
