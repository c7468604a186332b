import { makeLogVault } from "./log-vault.ts";
import { holdfast, type Ran } from "./process.ts";
import type { Report } from "./report.ts";

export const EACH = "a request for each object (--all-locks)";
export const LISTED = "by listing";

/** `verify` of a bucket in both ways, in turn: a request for each object, and by the store's listing. */
export async function verifying(report: Report, objects: number, rounds: number): Promise<void> {
  await using vault = await makeLogVault({ entries: objects, objects: () => true, locked: true, vault: "ceph" });
  const config = vault.place.file;
  const group = verifyGroup(objects);
  const add = (name: string, ran: Ran): void => {
    report.add(group, name, "objects/s", objects / ran.seconds);
    report.add(group, `${name}: requests`, "requests", ran.meter.requests);
    report.add(group, `${name}: peak memory`, "MB", ran.meter.peak / 1e6);
  };
  for (let round = 0; round < rounds; round++) {
    // This one remembers at which locks it looked.
    add(EACH, await holdfast("verify", config, "--all-locks"));
    add(LISTED, await holdfast("verify", config));
  }
}

export const verifyGroup = (objects: number): string => `verify, ${objects.toLocaleString("en-US")} objects`;
