/**
 * Files that macOS and Windows leave in folders that they show, copy or index (docs/FORMAT.md, section 14). They are not
 * part of a bag, so a reader passes them over and says so. Only a name is looked at: nothing of the file is read or used.
 * The command line and the page share this list.
 *
 * No name that Holdfast writes is on it. A file that a manifest names is never passed over: that is for the caller.
 */
const FILES: readonly RegExp[] = [
  // macOS
  /^\.DS_Store$/,
  /^\._./, // the attributes of another file, on a disk that has no place for them
  /^\.apdisk$/,
  /^\.localized$/,
  /^\.VolumeIcon\.icns$/,
  /^\.com\.apple\.timemachine\.(donotpresent|supported)$/,
  /^Icon[\r\uf00d]$/, // the icon of a folder; a share writes what a name may not have as private characters
  // Windows, which tells no upper from lower case
  /^(thumbs|ehthumbs|ehthumbs_vista)\.db([:\uf03a]encryptable)?$/i,
  /^desktop\.ini$/i,
  /.[:\uf03a]Zone\.Identifier([:\uf03a]\$DATA)?$/i, // where a file was downloaded from, beside it on other systems
];

/** Folders, with everything in them; a file of that name as well. */
const FOLDERS: readonly RegExp[] = [
  /^__MACOSX$/, // in a zip that macOS made
  /^\.(Spotlight-V100|Trashes|fseventsd|TemporaryItems|DocumentRevisions-V100)$/,
  /^\.Apple(Double|DB|Desktop)$/,
  /^(Network Trash Folder|Temporary Items)$/,
  /^\$RECYCLE\.BIN$/i,
  /^System Volume Information$/i,
];

/** What was left of which the path is a part, named as people should read it: a file, or a folder with a slash. */
export function osLeftovers(path: string): string | undefined {
  const parts = path.split("/");
  const folder = parts.slice(0, -1).findIndex(isLeftFolder);
  if (folder >= 0) return `${parts.slice(0, folder + 1).join("/")}/`;
  const name = parts.at(-1)!;
  return isLeftFolder(name) || FILES.some((pattern) => pattern.test(name)) ? path : undefined;
}

export function isLeftFolder(name: string): boolean {
  return FOLDERS.some((pattern) => pattern.test(name));
}

const NAMED = 3;

/** `2 files that macOS or Windows left there: data/.DS_Store, __MACOSX/`. */
export function leftBehindText(paths: readonly string[]): string {
  const named = paths.slice(0, NAMED).join(", ");
  const more = paths.length > NAMED ? `, and ${paths.length - NAMED} more` : "";
  const what = paths.length === 1 ? "1 file" : `${paths.length} files`;
  return `${what} that macOS or Windows left there: ${named}${more}`;
}
