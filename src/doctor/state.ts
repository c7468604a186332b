import { randomBytes } from "node:crypto";
import { lstat, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeDurable } from "../io/durable-file.ts";
import { bytes as size } from "../observe/format.ts";
import { type Finding, findings } from "./finding.ts";

const { ok, warning, failure } = findings("state");

/** Journal, catalog and last-seen checkpoint take a few MB for a small client, some hundred MB for a million records. */
const TOO_LITTLE = 64 * 1024 ** 2;
const LITTLE = 1024 ** 3;

/** File systems by number (statfs(2)) that are unsafe for a journal that must outlive this process. */
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

/** Can be replaced, so that a test can simulate a small disk. */
export type Statfs = (
  path: string,
) => Promise<{ readonly type: number; readonly bsize: number; readonly bavail: number }>;

/** Checks that the state directory is writable, durable and has space. Writes a small file and removes it. */
export async function checkState(directory: string, ask: Statfs = statfs): Promise<Finding[]> {
  const found: Finding[] = [];
  const { place, blocked } = await nearestFolder(directory);
  if (blocked !== undefined)
    return [failure(`${directory}: ${blocked}`, "Create that folder, or mount the missing volume.")];
  const { type, bsize, bavail } = await ask(place);
  const free = bsize * bavail;
  const network = NETWORK.get(type);
  const fleeting = FLEETING.get(type);
  if (network !== undefined)
    found.push(
      warning(
        `${directory} is on a network file system (${network}), where SQLite's locks and flushes are unreliable: the catalog and the inbox need a local disk`,
        "Put `state` on a local disk that survives a restart.",
      ),
    );
  else if (fleeting !== undefined)
    found.push(
      warning(
        `${directory} is on ${fleeting}: a restart deletes the journal`,
        "Put `state` on a persistent disk (in a container: a volume).",
      ),
    );
  if (free < TOO_LITTLE)
    found.push(
      failure(`${directory}: ${size(free)} free, too little for a run`, "Free or add space; a few GB are enough."),
    );
  else if (free < LITTLE)
    found.push(warning(`${directory}: ${size(free)} free`, "Free or add space; a few GB are enough."));
  found.push(await writable(place, directory, free));
  return found;
}

/** The state contains everyone's tokens. It is created with mode 0700; earlier versions did not do that. */
export async function checkPrivate(directory: string): Promise<Finding[]> {
  const mode = await stat(directory).then(
    (found) => found.mode,
    () => 0,
  );
  if ((mode & 0o077) === 0) return [];
  return [
    warning(
      `${directory} can be read by other users of this machine, and it contains everyone's tokens`,
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
    return failure(`${directory} is not writable (${code})`, hintOf(code));
  } finally {
    await rm(path, { force: true }).catch(() => {});
  }
  return ok(`${directory} is writable, ${size(free)} free${place === directory ? "" : "; it does not exist yet"}`);
}

function hintOf(code: string): string {
  return code === "ENOSPC" || code === "EDQUOT"
    ? "Free or add space."
    : "Let the user that runs Holdfast write there (in a container: mount a volume that this user owns).";
}

/** The directory itself, or its nearest existing parent; or the path component that is not a folder. */
export async function nearestFolder(
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
  return directory === "/" ? { place: directory } : nearestFolder(dirname(directory));
}
