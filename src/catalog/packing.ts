/**
 * How the large tables hold what the log writes as text: digests and names as their bytes, times and versions as their
 * digits, two a byte. Both sort as their texts do, and take half the room. These are expressions of SQL: the texts
 * go in and come out of the statements.
 */

/** Bytes of lower-case hex digits. NULL for any other text, so that nothing is found by it. */
export const bytesOf = (text = "?"): string => `unhex(${text})`;
/** Empty for NULL. */
export const hexOf = (column: string): string => `lower(hex(${column}))`;

/** `20261123T101500Z-0123456789ab` is 13 bytes. */
export const versionBytes = (text = "?"): string => `unhex(${text}, 'TZ-')`;
export function versionText(column: string): string {
  const digits = `hex(${column})`;
  return `substr(${digits}, 1, 8) || 'T' || substr(${digits}, 9, 6) || 'Z-' || lower(substr(${digits}, 15))`;
}

/** An instant (RFC 3339 UTC) from the bytes of `digitsOf`. */
export function instantText(column: string): string {
  const part = (from: number, digits = 2): string => `substr(hex(${column}), ${from}, ${digits})`;
  const second = `${part(1, 4)} || '-' || ${part(5)} || '-' || ${part(7)} || 'T' || ${part(9)} || ':' || ${part(11)} || ':' || ${part(13)}`;
  const fraction = `iif(length(${column}) > 7, '.' || rtrim(substr(hex(${column}), 15), '0'), '')`;
  return `${second} || ${fraction} || 'Z'`;
}

/** Object Lock's modes by number. */
export const MODES = ["governance", "compliance"] as const;
export const modeNumber = (text = "?"): string => `(${text} = 'compliance')`;
export const modeText = (column: string): string => `iif(${column} = 1, 'compliance', 'governance')`;

/** The number of the person with this subject; NULL for one that the log does not mention. */
export const personOf = (subject = "?"): string => `(SELECT id FROM person WHERE subject = ${bytesOf(subject)})`;
/** The subject of the person with this number. */
export const subjectOf = (person: string): string => `(SELECT ${hexOf("subject")} FROM person WHERE id = ${person})`;

/** A text of the table of words, and its number. */
export const wordText = (column: string): string => `(SELECT word FROM word WHERE id = ${column})`;
/** The number of the project that the source of this name answers for. */
export const projectOf = (name = "?"): string =>
  `(SELECT word.id FROM source JOIN word ON word.word = source.project WHERE source.name = ${name})`;
