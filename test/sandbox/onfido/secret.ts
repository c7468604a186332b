/** What opens something without the key: SDK tokens, links for applicants, signed URLs, access tokens. */
import { hash } from "../random.ts";

/** What all of them begin with: a test looks for it where none may be. */
export function secretMark(seed: number): string {
  const bytes = Buffer.alloc(9);
  for (let i = 0; i < 3; i++) bytes.writeUIntBE(hash(seed, 320, i) & 0xffffff, 3 * i, 3);
  return `mark${bytes.toString("base64url")}`;
}

/** Another one for each answer. */
export function secretOf(seed: number, use: string, index: number, answer: number): string {
  const words = [0, 1, 2].map((n) => hash(seed, 321, n, index, answer, ...Buffer.from(use)).toString(16));
  return secretMark(seed) + words.join("");
}

/** The signature of a URL for one path until a time, and whether it opens. */
export function signed(seed: number, path: string, expires: number): string {
  const until = Math.floor(expires / 1000);
  return `expires=${until}&signature=${secretMark(seed)}${hash(seed, 322, until, ...Buffer.from(path)).toString(16)}`;
}

export function opens(seed: number, url: URL, now: number): boolean {
  const until = Number(url.searchParams.get("expires"));
  return url.search === `?${signed(seed, url.pathname, until * 1000)}` && now < until * 1000;
}
