import { rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { S3VaultConfig } from "../config/config.ts";
import { syncFolder, writeDurable } from "../io/durable-file.ts";
import { writingFile } from "../io/file-error.ts";
import { Unfinished } from "../io/unfinished-folder.ts";
import { smallestJob } from "../retention/bulk-size.ts";
import type { Lock } from "../vault/vault.ts";
import { CsvFile } from "./csv-file.ts";
import { eachDue, type LookingAhead } from "./each-due.ts";
import { type LockGroup, LockGroups } from "./groups.ts";
import { INDEX, type Index, indexText } from "./index-file.ts";
import { commandOf } from "./job.ts";
import { manifestRow } from "./s3-csv.ts";

/** Characters of one manifest, and of all, that wait in memory: each write waits for the disk. */
const EACH = 1024 ** 2;
const ALL = 32 * 1024 ** 2;

/**
 * Writes a manifest for each date and mode that many due objects need, and an index of them. The folder is complete and on
 * disk, or not there: also if no date has enough objects. Overwrites nothing.
 */
export async function writeManifests(
  client: string,
  vault: S3VaultConfig,
  looking: LookingAhead,
  out: string,
): Promise<Index> {
  const made = await Unfinished.folder(out);
  try {
    const index = await writingFile(out, () => fill(made.path, { client, vault, looking }));
    if (index.manifests.length === 0) {
      await made.abandon();
      return index;
    }
    await syncFolder(made.path);
    await made.finish();
    await syncFolder(dirname(resolve(out)));
    return index;
  } catch (error) {
    await made.abandon();
    throw error;
  }
}

interface Filling {
  readonly client: string;
  readonly vault: S3VaultConfig;
  readonly looking: LookingAhead;
}

async function fill(folder: string, { client, vault, looking }: Filling): Promise<Index> {
  const groups = new LockGroups();
  const files = new Map<LockGroup, CsvFile>();
  let waiting = 0;
  try {
    for await (const { due } of eachDue(looking)) {
      for (const each of due) {
        const group = groups.add(each);
        if (group === undefined) continue;
        const file = files.get(group) ?? (await CsvFile.create(join(folder, nameOf(group.lock))));
        files.set(group, file);
        const row = manifestRow(vault, each.key, each.versionId);
        file.add(row);
        waiting += row.length;
        if (file.waiting < EACH && waiting < ALL) continue;
        for (const each of waiting < ALL ? [file] : files.values()) {
          waiting -= each.waiting;
          await each.write();
        }
      }
    }
  } catch (error) {
    await Promise.allSettled([...files.values()].map((file) => file.close()));
    throw error;
  }
  const jobs = groups.of(smallestJob(vault.lockRate));
  const at = looking.at.toString({ smallestUnit: "second" });
  const place = { client, region: vault.region, folder: `holdfast/${client}/${compact(at)}` };
  const manifests = [];
  let left = groups.rest;
  for (const [group, file] of files) {
    const sha256 = await file.close();
    if (jobs.includes(group)) {
      const { lock, objects } = group;
      const name = basename(file.path);
      const command = commandOf({ ...place, file: name, sha256, lock });
      manifests.push({ file: name, lockedUntil: lock.until.toString(), lockMode: lock.mode, objects, sha256, command });
    } else {
      left += group.objects;
      await rm(file.path);
    }
  }
  const index = { client, vault: vault.url, made: at, left, manifests };
  await writeDurable(join(folder, INDEX), indexText(index));
  return { format: "holdfast-extension/1", ...index };
}

function nameOf({ mode, until }: Lock): string {
  return `${mode}-until-${compact(until.toString())}.csv`;
}

const compact = (instant: string): string => instant.replaceAll(/[-:]/g, "");
