/**
 * Runs `work`, then closes what it opened, the last first. Every close is tried. What `work` threw is thrown as it is: an
 * error of a close never hides it. After a success, the first error of a close is thrown.
 */
export async function closing<T>(work: (opened: AsyncDisposableStack) => Promise<T>): Promise<T> {
  try {
    await using opened = new AsyncDisposableStack();
    return await work(opened);
  } catch (error) {
    throw first(error);
  }
}

/** JavaScript puts each later error around the earlier ones. */
function first(error: unknown): unknown {
  return error instanceof SuppressedError ? first(error.suppressed) : error;
}
