import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DirectoryVault } from "../../src/vault/directory.ts";
import { conformance } from "./conformance.ts";
import { onDisk } from "./outside.ts";

conformance("directory", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-vault-"));
  return {
    vault: new DirectoryVault(join(folder, "vault")),
    ifNoneMatch: true,
    ifMatch: true,
    outside: (key) => onDisk(join(folder, "vault"), key),
    close: () => rm(folder, { recursive: true }),
  };
});
