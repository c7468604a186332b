import { stat } from "node:fs/promises";
import { isOurs } from "../io/private-folder.ts";
import { plural } from "../observe/format.ts";
import { type Finding, findings } from "./finding.ts";

const { ok, warning } = findings("config");

/** The config is already known to be valid. This checks who else can change it. */
export async function checkConfig(file: string, clients: number): Promise<Finding> {
  const found = await stat(file);
  const { mode } = found;
  if (!isOurs(found)) {
    const text = `${file} belongs to another user of this machine (uid ${found.uid})`;
    return warning(
      text,
      `That user can choose the recipients of records and which files are read. Run chown root ${file}.`,
    );
  }
  if (process.platform !== "win32" && (mode & 0o022) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, "0");
    const text = `${file} can be changed by other users of this machine (mode ${octal})`;
    return warning(text, `Anyone who changes it chooses the recipients of records. Run chmod go-w ${file}.`);
  }
  return ok(`${file} is valid: ${plural(clients, "client")}`);
}
