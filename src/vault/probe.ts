import { hasCode } from "../error.ts";
import type { Conditional, PutOptions, Vault } from "./vault.ts";

/**
 * Finds out what the store does with conditional writes, by writing `bytes` to `key`, which is there already. Servers
 * differ: some honour both headers, some accept and ignore them, and Ceph RGW 16 refuses even the right If-Match on a
 * versioned bucket. At most four versions of the same bytes are added.
 */
export async function probeConditional(
  vault: Vault,
  key: string,
  bytes: Uint8Array,
  options: PutOptions,
): Promise<Conditional> {
  const refused = async (condition: PutOptions): Promise<boolean> => {
    try {
      await vault.put(key, bytes, { ...options, ...condition });
      return false;
    } catch (error) {
      if (hasCode(error, "vault-exists", "vault-conflict", "vault-rejected")) return true;
      throw error;
    }
  };
  const ifNoneMatch = await refused({ ifAbsent: true });
  const { etag: first } = await vault.put(key, bytes, options);
  const current = await vault.put(key, Buffer.concat([bytes, Buffer.from("\n")]), options);
  const honoursWrong = first !== current.etag && (await refused({ ifMatch: first }));
  const acceptsRight = honoursWrong && !(await refused({ ifMatch: current.etag }));
  return { ifNoneMatch, ifMatch: honoursWrong && acceptsRight };
}
