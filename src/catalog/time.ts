const END = /(?:\.0*|(\.\d*[1-9])0*)?Z$/;

/**
 * An instant of the log (RFC 3339 UTC) as the catalog keeps it: without the `Z` and without trailing zeros in its
 * fraction, so that texts sort like times. With the `Z` added, it is an instant as Temporal writes it.
 */
export function comparable(instant: string): string {
  return instant.replace(END, "$1");
}
