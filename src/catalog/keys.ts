/**
 * The layout of keys (src/vault/layout.ts) in SQL: where rows are joined, or an index on keys is to be used. What a key
 * says is read by `parseKey` alone.
 */

/** The subject in a file's key: `files/<2 digits>/<subject>/…`. */
export const subjectOf = (key: string): string => `substr(${key}, 10, 32)`;

/** The key of a record, of its row's columns. */
export const RECORD_KEY = "'records/' || substr(subject, 1, 2) || '/' || subject || '/' || version || '.age'";

/** Whether a key is of one of a subject's files. */
export function isFileOf(key: string, subject: string): string {
  const folder = `'files/' || substr(${subject}, 1, 2) || '/' || ${subject} || '/`;
  return `${key} BETWEEN ${folder}' AND ${folder}~'`;
}

/** The keys in a folder lie between these two. */
export function within(folder: string): [string, string] {
  return [folder, `${folder}~`];
}
