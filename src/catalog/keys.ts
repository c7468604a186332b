/**
 * The layout of keys (src/vault/layout.ts) in SQL, for joins and for the use of an index on keys. All other code parses
 * keys with `parseKey`.
 */

/** The subject in a file's key: `files/<2 digits>/<subject>/…`. */
export const subjectOf = (key: string): string => `substr(${key}, 10, 32)`;

/** The key of a record, from the columns of its row. */
export const RECORD_KEY = "'records/' || substr(subject, 1, 2) || '/' || subject || '/' || version || '.age'";

/** Whether a key belongs to one of a subject's files. */
export function isFileOf(key: string, subject: string): string {
  const folder = `'files/' || substr(${subject}, 1, 2) || '/' || ${subject} || '/`;
  return `${key} BETWEEN ${folder}' AND ${folder}~'`;
}

/** All keys in a folder are between these two. */
export function within(folder: string): [string, string] {
  return [folder, `${folder}~`];
}
