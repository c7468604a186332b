import type { IncomingMessage } from "node:http";

/** Where a request to a host that must never be sent the key carries it, or any Authorization: a header's name or `url`. */
export function leakIn({ headers }: IncomingMessage, url: URL, secrets: readonly string[]): string | undefined {
  const isSecret = (text: string) => secrets.some((secret) => text.includes(secret));
  const header = Object.entries(headers).find(([name, value]) => name === "authorization" || isSecret(String(value)));
  return header?.[0] ?? (isSecret(url.href) ? "url" : undefined);
}
