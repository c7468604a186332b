import { stat } from "node:fs/promises";
import { isOurs } from "../io/owner.ts";
import { plural } from "../observe/format.ts";
import { type Finding, findings } from "./finding.ts";

const { ok, warning } = findings("config");

/** The config has been read and can be used, or no one would ask. What is left is who else may write it. */
export async function checkConfig(file: string, clients: number): Promise<Finding> {
  const found = await stat(file);
  const { mode } = found;
  if (!isOurs(found)) {
    const text = `${file} belongs to another user of this machine (uid ${found.uid})`;
    return warning(text, `That user chooses whom records are sealed to, and which files are read: chown root ${file}.`);
  }
  if (process.platform !== "win32" && (mode & 0o022) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, "0");
    const text = `${file} can be changed by others on this machine (mode ${octal})`;
    return warning(text, `Whoever changes it chooses whom records are sealed to: chmod go-w ${file}.`);
  }
  return ok(`${file} can be used: ${plural(clients, "client")}`);
}
