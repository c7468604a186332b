import { constants } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

/**
 * Loaded before the program (`--import`): no write waits for the disk. These tests kill processes and never the
 * machine, so written data survives anyway, and a century takes a minute.
 */
const { open } = fs;
fs.open = (path, flags, mode) => open(path, typeof flags === "number" ? flags & ~constants.O_DSYNC : flags, mode);
const probe = await open(import.meta.filename, "r");
const handle = Object.getPrototypeOf(probe) as { sync: () => Promise<void> };
await probe.close();
handle.sync = async () => {};
syncBuiltinESMExports();
