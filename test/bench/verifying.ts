import { RECORDS } from "../../src/vault/layout.ts";
import { CLIENT } from "../export/workplace.ts";
import { inventoryOf, rowOf, writeInventory } from "../servers/inventory.ts";
import { LOCKED_UNTIL, type LogVault, makeLogVault } from "./log-vault.ts";
import { holdfast, type Ran } from "./process.ts";
import type { Report } from "./report.ts";

export const EACH = "a request for each object (--all-locks)";
export const LISTED = "by listing";
export const INVENTORIED = "by listing, with an inventory";

/** `verify` of a bucket in its three ways, in turn. */
export async function verifying(report: Report, objects: number, rounds: number): Promise<void> {
  await using vault = await makeLogVault({ entries: objects, objects: () => true, locked: true, vault: "ceph" });
  const config = vault.place.file;
  const inventory = await inventoryFor(vault);
  const group = verifyGroup(objects);
  const add = (name: string, { seconds, meter }: Ran): void => {
    report.add(group, name, "objects/s", objects / seconds);
    report.add(group, aboutObjects(name), "requests", meter.about);
    report.add(group, `${name}: requests about the log`, "requests", meter.requests - meter.about);
    report.add(group, `${name}: peak memory`, "MB", meter.peak / 1e6);
  };
  for (let round = 0; round < rounds; round++) {
    // This one remembers at which locks it looked.
    add(EACH, await holdfast("verify", config, "--all-locks"));
    add(LISTED, await holdfast("verify", config));
    add(INVENTORIED, await holdfast("verify", config, "--inventory", inventory));
  }
}

export const aboutObjects = (way: string): string => `${way}: requests about objects`;
export const verifyGroup = (objects: number): string => `verify, ${objects.toLocaleString("en-US")} objects`;

/** The folder of an inventory of the vault's bucket. */
async function inventoryFor({ place }: LogVault): Promise<string> {
  const vault = await place.vault();
  const bucket = /^s3:\/\/([^/]+)/.exec(vault.url)![1]!;
  const lock = { mode: "governance" as const, until: Temporal.Instant.from(LOCKED_UNTIL) };
  const rows: string[][] = [];
  for await (const { key, ...version } of vault.versions(RECORDS))
    rows.push(rowOf({ bucket, key: `${CLIENT}/${key}`, ...version, lock }));
  await vault.close();
  return writeInventory(inventoryOf(bucket, { rows }), place.path("inventory"));
}
