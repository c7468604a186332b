/**
 * The order in which stores list keys: that of their UTF-8 bytes, which is also SQLite's. JavaScript compares UTF-16
 * units, which differs only where a key has characters above U+D7FF. Holdfast's own keys are ASCII.
 */
export function compareKeys(one: string, other: string): number {
  if (one === other) return 0;
  if (HIGH.test(one) || HIGH.test(other)) return Buffer.compare(Buffer.from(one), Buffer.from(other));
  return one < other ? -1 : 1;
}

const HIGH = /[\u{d800}-\u{10ffff}]/u;
