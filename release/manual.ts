import { programFor } from "../jobs/program.ts";
import { helpOf, leaves, pathOf } from "./docs/help.ts";

/** What `--help` takes where it is no terminal. */
const WIDTH = 80;

/**
 * holdfast(1), generated from `--help`, so that both always agree: one section per command, with its usage, options and
 * examples. Format: man(7).
 */
export async function manualPage(version: string): Promise<string> {
  const program = await programFor("");
  const sections = leaves(program).flatMap((each) => [`.SS ${pathOf(each)}`, asItIs(helpOf(each, WIDTH))]);
  return [
    `.TH HOLDFAST 1 "" "Holdfast ${version}" "User Commands"`,
    ".SH NAME",
    "holdfast \\- keep the copies of identity records that the law makes a company keep",
    ".SH SYNOPSIS",
    ".B holdfast\n.I command\n.RI [ options ]",
    ".SH DESCRIPTION",
    asItIs(helpOf(program, WIDTH)),
    ".SH COMMANDS",
    ...sections,
    ".SH FILES",
    ".TP\n.I /etc/holdfast/holdfast.yaml\nThe config of the services, and of commands without --config.",
    ".TP\n.I /etc/holdfast/environment\nVariables for the services: those that the config names as env:, and S3 credentials.",
    ".TP\n.I /var/lib/holdfast\nThe state, and the keys that\n.B holdfast init\ncreates.",
    ".TP\n.I /usr/share/doc/holdfast\nThe operator's guide, the vault's format, the threat model, and examples.",
    ".SH SEE ALSO",
    ".BR age (1),\n.BR systemd.timer (5)\n",
  ].join("\n");
}

/** Text whose lines are kept. */
function asItIs(text: string): string {
  const escaped = text
    .trimEnd()
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/^([.'])/gm, "\\&$1");
  return `.EX\n${escaped}\n.EE`;
}
