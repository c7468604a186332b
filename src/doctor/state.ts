import { randomBytes } from "node:crypto";
import { rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeDurable } from "../durable.ts";
import { bytes as size } from "../observe/figures.ts";
import { type Finding, findings } from "./finding.ts";

const { ok, warning, failure } = findings("state");

/** Journal, catalog and last-seen checkpoint of a small client take a few MB, of a million records some hundreds. */
const TOO_LITTLE = 64 * 1024 ** 2;
const LITTLE = 1024 ** 3;

/** File systems by their number (statfs(2)): what they mean for a journal that must outlive this process. */
const NETWORK = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB 2"],
  [0x65735546, "FUSE"],
  [0x00c36400, "CephFS"],
]);
const FLEETING = new Map([
  [0x01021994, "tmpfs, which is memory"],
  [0x858458f6, "ramfs, which is memory"],
  [0x794c7630, "overlayfs, a container's own"],
]);

/** What is asked of the system, so that a test can have a small disk. */
export type Statfs = (
  path: string,
) => Promise<{ readonly type: number; readonly bsize: number; readonly bavail: number }>;

/** Whether the state directory can be written to, durably, and has room. Writes a small file and removes it. */
export async function checkState(directory: string, ask: Statfs = statfs): Promise<Finding[]> {
  const found: Finding[] = [];
  const place = await nearest(directory);
  const { type, bsize, bavail } = await ask(place);
  const free = bsize * bavail;
  const network = NETWORK.get(type);
  const fleeting = FLEETING.get(type);
  if (network !== undefined)
    found.push(
      warning(
        `${directory} lies on a network file system (${network}): SQLite's locks and flushes cannot be relied on there`,
        "Put `state` on a local disk that survives a restart.",
      ),
    );
  else if (fleeting !== undefined)
    found.push(
      warning(
        `${directory} lies on ${fleeting}: the journal does not outlive a restart`,
        "Put `state` on a disk that does (in a container: a volume).",
      ),
    );
  if (free < TOO_LITTLE)
    found.push(failure(`${directory}: ${size(free)} free, which a run may fill`, "Free or add space; a few GB do."));
  else if (free < LITTLE) found.push(warning(`${directory}: ${size(free)} free`, "Free or add space; a few GB do."));
  found.push(await writable(place, directory, free));
  return found;
}

async function writable(place: string, directory: string, free: number): Promise<Finding> {
  const path = join(place, `.doctor-${randomBytes(6).toString("hex")}`);
  try {
    await writeDurable(path, Buffer.alloc(4096));
  } catch (error) {
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    return failure(`${directory} cannot be written to (${code})`, mendOf(code));
  } finally {
    await rm(path, { force: true }).catch(() => {});
  }
  return ok(`${directory} can be written to, ${size(free)} free${place === directory ? "" : "; it is not there yet"}`);
}

function mendOf(code: string): string {
  return code === "ENOSPC" || code === "EDQUOT"
    ? "Free or add space."
    : "Give the user that runs Holdfast the right to write there (in a container: mount a volume that is its own).";
}

/** The directory itself, or the nearest above it that is there. */
async function nearest(directory: string): Promise<string> {
  try {
    if ((await stat(directory)).isDirectory()) return directory;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return dirname(directory);
  }
  return directory === "/" ? directory : nearest(dirname(directory));
}
