/** Runs `holdfast <args>` and returns its output. */
type Said = (...args: string[]) => Promise<string>;

/**
 * holdfast(1), generated from `--help`, so that both always agree: one section per command, with its usage, options and
 * examples. Format: man(7).
 */
export async function manualPage(said: Said, version: string): Promise<string> {
  const whole = await said("--help");
  const sections = [];
  for (const path of await commands(said)) {
    sections.push(`.SS holdfast ${path.join(" ")}`, asItIs(await said(...path, "--help")));
  }
  return [
    `.TH HOLDFAST 1 "" "Holdfast ${version}" "User Commands"`,
    ".SH NAME",
    "holdfast \\- keep the copies of identity records that the law makes a company keep",
    ".SH SYNOPSIS",
    ".B holdfast\n.I command\n.RI [ options ]",
    ".SH DESCRIPTION",
    asItIs(whole),
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

/** Every command that does something: `["retention", "extend"]`, but not `["retention"]`. */
async function commands(said: Said, path: readonly string[] = []): Promise<string[][]> {
  const text = await said(...path, "--help");
  const names = [...text.matchAll(/^ {2}([a-z]+)(?: (?:\[|<)| {2,})/gm)]
    .map(([, name]) => name!)
    .filter((name) => name !== "help");
  const isGroup = path.length === 0 || text.includes("\nCommands:\n");
  if (!isGroup) return [[...path]];
  const below = await Promise.all([...new Set(names)].map((name) => commands(said, [...path, name])));
  return below.flat();
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
