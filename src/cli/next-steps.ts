import { dirname, relative, resolve } from "node:path";
import type { ClientConfig } from "../config/config.ts";
import { quoted } from "./completion/spell.ts";
import { foundConfig } from "./default-config.ts";

/** What is to be done after the config `out` was written, in lines for people; each command can be copied into a shell. */
export function nextSteps(out: string, { source, vault }: ClientConfig, isRoot: boolean): string[] {
  const config = resolve(out) === resolve(foundConfig() ?? "") ? "" : ` --config ${word(out)}`;
  const { apiKey } = source;
  const path = apiKey.path === undefined ? "" : relative(process.cwd(), apiKey.path);
  const file = path.startsWith("..") ? apiKey.path! : path;
  const key = {
    file: [
      `Put the provider's API key into ${file}: paste it after this line, then Enter and Ctrl-D`,
      `  (umask 077; mkdir -p ${word(dirname(file))}; cat > ${word(file)})`,
    ],
    env: [`Set the environment variable ${apiKey.name} to the provider's API key, wherever Holdfast runs`],
    "aws-secretsmanager": [`Put the provider's API key into AWS Secrets Manager (${apiKey.name})`],
  }[apiKey.kind];
  const bucket = [
    `Make the bucket ${vault.kind === "s3" ? vault.bucket : ""} with Object Lock, and give the AWS SDK credentials for it: README, "Use on S3"`,
  ];
  const steps = [
    key,
    ...(vault.kind === "s3" ? [bucket] : []),
    [
      `holdfast init${config}`,
      "  makes the lookup key and the log key, to be backed up, and prints the key for the auditor",
    ],
    [`holdfast doctor${config}`, "  checks everything that a run needs, and says how to fix what is wrong"],
    [`holdfast export${config}`, "  takes everything there is; from then on, each night, what is new or changed"],
  ];
  return [
    ...steps.flatMap(([first, ...more], index) => [`  ${index + 1}. ${first}`, ...more.map((line) => `   ${line}`)]),
    ...(isRoot
      ? ["Where Holdfast runs as a user of its own, let that user read this file, and do all of it as that user."]
      : []),
  ];
}

/** For a shell: as it is where it needs no quotes. */
const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : quoted(text));
