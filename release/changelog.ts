/**
 * The changelog with what was unreleased under its version and date, as Keep a Changelog has it.
 * Throws where nothing is unreleased, or the version is there already.
 *
 * @param date `2026-11-29`
 */
export function releaseSection(changelog: string, version: string, date: string): string {
  const heading = "## [Unreleased]\n";
  const at = changelog.indexOf(heading);
  if (at < 0) throw new Error("CHANGELOG.md has no section [Unreleased]");
  if (changelog.includes(`## [${version}]`)) throw new Error(`CHANGELOG.md has ${version} already`);
  const rest = changelog.slice(at + heading.length);
  const [unreleased = ""] = rest.split(/^## /m);
  if (!/^- /m.test(unreleased)) throw new Error("CHANGELOG.md says of nothing that it is unreleased");
  return `${changelog.slice(0, at)}${heading}\n## [${version}] - ${date}\n${rest}`;
}
