import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import type { ClientConfig } from "../config/config.ts";
import { quoted } from "./completion/spell.ts";
import { foundConfig } from "./default-config.ts";

/** The user of the Debian package and of the systemd units. */
const SERVICE = "holdfast";

/** What is to be done after the config `out` was written, in lines for people; each command can be copied into a shell. */
export function nextSteps(out: string, { source, vault }: ClientConfig, isRoot: boolean): string[] {
  const config = resolve(out) === resolve(foundConfig() ?? "") ? "" : ` --config ${word(out)}`;
  // What root makes, the service could not read.
  const isService = isRoot && hasUser(SERVICE);
  const as = isService ? `runuser -u ${SERVICE} -- ` : "";
  const { apiKey } = source;
  const path = apiKey.path === undefined ? "" : relative(process.cwd(), apiKey.path);
  const file = path.startsWith("..") || process.cwd() === "/" ? apiKey.path! : path;
  const paste = `umask 077; mkdir -p ${word(dirname(file))}; cat > ${word(file)}`;
  const key = {
    file: [
      `Put the provider's API key into ${file}: paste it after this line, then Enter and Ctrl-D`,
      isService ? `  ${as}sh -c ${quoted(paste)}` : `  (${paste})`,
    ],
    env: [`Set the environment variable ${apiKey.name} to the provider's API key, wherever Holdfast runs`],
    "aws-secretsmanager": [`Put the provider's API key into AWS Secrets Manager (${apiKey.name})`],
  }[apiKey.kind];
  const bucket = [
    `Make the bucket ${vault.kind === "s3" ? vault.bucket : ""} with Object Lock, and give the AWS SDK credentials for it: docs/OPERATING.md, "First day"`,
  ];
  const share = [
    `Let the service's user read the config, and run everything as that user`,
    `  chgrp ${SERVICE} ${word(out)} && chmod 0640 ${word(out)}`,
  ];
  const steps = [
    ...(isService ? [share] : []),
    key,
    ...(vault.kind === "s3" ? [bucket] : []),
    [
      `${as}holdfast init${config}`,
      "  makes the lookup key and the log key, to be backed up, and prints the key for the auditor",
    ],
    [`${as}holdfast doctor${config}`, "  checks everything that a run needs, and says how to fix what is wrong"],
    [`${as}holdfast export${config}`, "  takes everything there is; from then on, each night, what is new or changed"],
  ];
  return [
    ...steps.flatMap(([first, ...more], index) => [`  ${index + 1}. ${first}`, ...more.map((line) => `   ${line}`)]),
    ...(isRoot && !isService
      ? ["If Holdfast will run as another user: let that user read this file, and run all of this as that user."]
      : []),
  ];
}

/** Those of directories elsewhere (LDAP) are not found: then the advice is the general one. */
function hasUser(name: string): boolean {
  try {
    return readFileSync("/etc/passwd", "utf8").includes(`\n${name}:`);
  } catch {
    return false;
  }
}

/** For a shell: as it is where it needs no quotes. */
const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : quoted(text));
