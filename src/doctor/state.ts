import { randomBytes } from "node:crypto";
import { lstat, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeDurable } from "../io/durable-file.ts";
import { bytes as size } from "../observe/format.ts";
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
  const { place, blocked } = await nearest(directory);
  if (blocked !== undefined)
    return [failure(`${directory}: ${blocked}`, "Make that folder, or mount what is missing.")];
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

/** The state holds tokens of everyone who is kept. It is made 0700; earlier versions did not. */
export async function checkPrivate(directory: string): Promise<Finding[]> {
  const mode = await stat(directory).then(
    (found) => found.mode,
    () => 0,
  );
  if ((mode & 0o077) === 0) return [];
  return [
    warning(
      `${directory} can be read by other users of this machine: it holds tokens of everyone who is kept`,
      `Run chmod 700 ${directory}.`,
    ),
  ];
}

async function writable(place: string, directory: string, free: number): Promise<Finding> {
  const path = join(place, `.doctor-${randomBytes(6).toString("hex")}`);
  try {
    await writeDurable(path, Buffer.alloc(4096));
  } catch (error) {
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    return failure(`${directory} cannot be written to (${code})`, hintOf(code));
  } finally {
    await rm(path, { force: true }).catch(() => {});
  }
  return ok(`${directory} can be written to, ${size(free)} free${place === directory ? "" : "; it is not there yet"}`);
}

function hintOf(code: string): string {
  return code === "ENOSPC" || code === "EDQUOT"
    ? "Free or add space."
    : "Give the user that runs Holdfast the right to write there (in a container: mount a volume that is its own).";
}

/** The directory itself, or the nearest above it that is there; or what on the way there is no folder. */
async function nearest(
  directory: string,
): Promise<
  { readonly place: string; readonly blocked?: undefined } | { readonly place: string; readonly blocked: string }
> {
  try {
    if ((await stat(directory)).isDirectory()) return { place: directory };
    return { place: directory, blocked: `${directory} is a file, not a folder (ENOTDIR)` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isLink = code === "ENOENT" && (await lstat(directory).catch(() => undefined)) !== undefined;
    if (code === "ELOOP" || isLink)
      return { place: directory, blocked: `the symbolic link ${directory} leads nowhere (${code})` };
    if (code !== "ENOENT" && code !== "ENOTDIR") return { place: dirname(directory) };
  }
  return directory === "/" ? { place: directory } : nearest(dirname(directory));
}
