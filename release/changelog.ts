/**
 * Moves the unreleased part of the changelog under a version and date, in the form of Keep a Changelog. Throws if
 * nothing is unreleased, or if the changelog already has the version.
 *
 * @param date `2026-11-29`
 */
export function releaseSection(changelog: string, version: string, date: string): string {
  const heading = "## [Unreleased]\n";
  const at = changelog.indexOf(heading);
  if (at < 0) throw new Error("CHANGELOG.md has no section [Unreleased]");
  if (changelog.includes(`## [${version}]`)) throw new Error(`CHANGELOG.md already has ${version}`);
  const rest = changelog.slice(at + heading.length);
  const [unreleased = ""] = rest.split(/^## /m);
  if (!/^- /m.test(unreleased)) throw new Error("CHANGELOG.md has no unreleased changes");
  return `${changelog.slice(0, at)}${heading}\n## [${version}] - ${date}\n${rest}`;
}
