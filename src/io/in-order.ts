/**
 * Does `work` for each of `items`, so many at once, and gives the results in the items' order. Holds no more than that
 * many results, however slowly they are taken. The first failure, in that order, is thrown where its result would be.
 */
export async function* mapInOrder<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  atOnce: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const under: Promise<R>[] = [];
  for await (const item of items) {
    const result = work(item);
    // It may fail before anybody waits for it; whoever waits still sees that.
    result.catch(() => {});
    under.push(result);
    if (under.length >= atOnce) yield await under.shift()!;
  }
  while (under.length > 0) yield await under.shift()!;
}
