/** Whether a word is probably the name, mistyped. Short names are close to too many words. */
export function isClose(name: string, written: string): boolean {
  return name.length >= 4 && distance(name, written) <= tolerance(name);
}

/** How many letters of a word may be wrong. */
export function tolerance(name: string): number {
  return Math.max(1, Math.floor(name.length / 3));
}

/** Letters to insert, remove or replace to turn one word into the other (Levenshtein). */
export function distance(one: string, other: string): number {
  // Very different lengths are never close, and the cost grows with the square of the length.
  if (Math.abs(one.length - other.length) > 10) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [line, letter] of [...one].entries()) {
    const next = [line + 1];
    for (let column = 1; column <= other.length; column++) {
      const replaced = row[column - 1]! + (letter === other[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[column]! + 1, next[column - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
