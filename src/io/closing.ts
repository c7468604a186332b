/**
 * Gives what was opened the closing of it, for `await using`: the last first, every close is tried. A copy of it
 * (`{ ...held, source }`) does not have it, so that nobody closes what somebody else has opened.
 */
export function closedBy<T extends object>(opened: T, closes: AsyncDisposableStack): T & AsyncDisposable {
  return Object.defineProperty(opened, Symbol.asyncDispose, { value: () => closes.disposeAsync() }) as T &
    AsyncDisposable;
}
