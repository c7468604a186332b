import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import type { ClientConfig } from "../config/config.ts";
import type { SecretRef } from "../config/secret.ts";
import { activeSources } from "../config/sources.ts";
import { HoldfastError } from "../core/error.ts";
import { PROVIDERS, type Provider } from "../provider/provider.ts";
import { quoted } from "./completion/spell.ts";
import { foundConfig } from "./default-config.ts";

/** The user of the Debian package and of the systemd units. */
const SERVICE = "holdfast";

/** The next steps after the config `out` was written, as lines for people. Each command can be pasted into a shell. */
export function nextSteps(out: string, { sources, vault }: ClientConfig, isRoot: boolean): string[] {
  const config = resolve(out) === resolve(foundConfig() ?? "") ? "" : ` --config ${word(out)}`;
  // The service could not read files that root makes.
  const isService = isRoot && hasUser(SERVICE);
  const as = isService ? `runuser -u ${SERVICE} -- ` : "";
  const [source] = activeSources({ sources });
  if (source === undefined) throw new HoldfastError("internal", "a first config has a source that is asked");
  const { apiKey } = source;
  const { name: provider, key: called = "API key", unlisted }: Provider = PROVIDERS[source.kind];
  const key = apiKey
    ? keyStep(apiKey, `${provider}'s ${called}`, isService ? as : undefined)
    : [
        `Put the drops into the source's folder, and set its fields in ${out}: docs/SOURCES.md, "Folder"`,
        `  ${as}holdfast folder check${config}`,
        "  says what those fields find, before anything is stored",
      ];
  const bucket = [
    `Create the bucket ${vault.kind === "s3" ? vault.bucket : ""} with Object Lock, and set up AWS SDK credentials for it: docs/OPERATING.md, "First day"`,
  ];
  const share = [
    `Let the service's user read the config, and run everything below as that user`,
    `  chgrp ${SERVICE} ${word(out)} && chmod 0640 ${word(out)}`,
  ];
  const steps = [
    ...(isService ? [share] : []),
    key,
    ...(vault.kind === "s3" ? [bucket] : []),
    [
      `${as}holdfast init${config}`,
      "  makes the lookup key and the log key (back them up) and prints the public key for your auditor",
    ],
    [`${as}holdfast doctor${config}`, "  checks everything a run needs, and says how to fix what is wrong"],
    unlisted
      ? [
          `${as}holdfast backfill --ids ids.txt${config}`,
          `  exports whom the file names by ${provider}'s ids, one on a line: ${provider} cannot list everyone`,
          "  whom to name from then on: webhooks do it, docs/OPERATING.md",
        ]
      : [`${as}holdfast export${config}`, "  exports everything; from then on, each night, what is new or changed"],
  ];
  return [
    ...steps.flatMap(([first, ...more], index) => [`  ${index + 1}. ${first}`, ...more.map((line) => `   ${line}`)]),
    ...(isRoot && !isService
      ? ["If Holdfast will run as another user, let that user read this file, and run these commands as that user."]
      : []),
  ];
}

/** @param as what runs a command as the service's user; undefined if no other user will run Holdfast */
function keyStep(apiKey: SecretRef, called: string, as: string | undefined): readonly string[] {
  const path = apiKey.path === undefined ? "" : relative(process.cwd(), apiKey.path);
  const file = path.startsWith("..") || process.cwd() === "/" ? apiKey.path! : path;
  const paste = `umask 077; mkdir -p ${word(dirname(file))}; cat > ${word(file)}`;
  return {
    file: [
      `Put ${called} into ${file}: run the next line, paste the key, then press Enter and Ctrl-D`,
      as === undefined ? `  (${paste})` : `  ${as}sh -c ${quoted(paste)}`,
    ],
    env: [`Set the environment variable ${apiKey.name} to ${called}, wherever Holdfast runs`],
    "aws-secretsmanager": [`Put ${called} into AWS Secrets Manager (${apiKey.name})`],
  }[apiKey.kind];
}

/** Does not find users of a directory service (LDAP); the steps then give the general advice. */
function hasUser(name: string): boolean {
  try {
    return readFileSync("/etc/passwd", "utf8").includes(`\n${name}:`);
  } catch {
    return false;
  }
}

/** A shell word, quoted only if it needs quotes. */
const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : quoted(text));
