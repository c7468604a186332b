/**
 * Lets `await using` close `opened`: in reverse order, trying every close. A copy (`{ ...held, source }`) is not
 * closed, so that no one closes what someone else opened.
 */
export function closedBy<T extends object>(opened: T, closes: AsyncDisposableStack): T & AsyncDisposable {
  return Object.defineProperty(opened, Symbol.asyncDispose, { value: () => closes.disposeAsync() }) as T &
    AsyncDisposable;
}
