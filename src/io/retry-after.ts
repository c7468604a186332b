/**
 * Milliseconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds, or an HTTP date); undefined where there
 * is none, or none that makes sense. Untrusted.
 */
export function retryAfter(header: string | undefined, now: number = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  // Date.parse finds a date in nearly anything ("2099", "-1"); every HTTP date ends so, or is asctime's, which nobody sends.
  if (!header.endsWith(" GMT")) return undefined;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
