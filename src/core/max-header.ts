/**
 * The longest age header that is written or read, in bytes. age sets no limit: an endless header would be buffered in
 * memory, and every stanza tried with every key.
 */
export const MAX_HEADER = 64 * 1024;
