import type { VaultTally } from "../../src/verify/vault-pass.ts";

export function emptyTally(): VaultTally {
  return {
    ...{ records: 0, files: 0, notes: 0, bytes: 0, recordsFaulty: 0, filesFaulty: 0, read: 0, readBytes: 0 },
    ...{ opened: null, renewed: 0, purged: 0, orphans: 0, superseded: 0, unlisted: 0, looked: 0, inventoried: 0 },
  };
}
