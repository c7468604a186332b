/** An answer with null, or another wrong value, in each of its places in turn: no provider promises that it has all. */
export function* damaged(value: unknown, depth = 3): Generator<unknown> {
  if (depth === 0 || typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    for (const wrong of [null, [], {}, "x", 5]) yield replaced(value, key, wrong);
    for (const other of damaged(inner, depth - 1)) yield replaced(value, key, other);
  }
}

function replaced(value: object, key: string, inner: unknown): unknown {
  if (Array.isArray(value)) return value.with(Number(key), inner);
  return { ...value, [key]: inner };
}
