/** Secrets in answers, and the tokens of file links. A test looks for what they begin with where no secret may be. */
import { hash } from "../random.ts";

export function secretMark(seed: number): string {
  return hash(seed, 340).toString(36).padStart(7, "k") + hash(seed, 341).toString(36).padStart(7, "k");
}

export function makeToken(seed: number, file: string, expires: number, answer: number): string {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(expires >>> 0, 0);
  bytes.writeUInt32BE(answer >>> 0, 4);
  bytes.writeUInt32BE(hash(seed, 342, expires, answer, ...Buffer.from(file)), 8);
  return `${secretMark(seed)}${bytes.toString("hex")}${file}`;
}

/** The file that a link's token opens, and until when, in Unix seconds. */
export function tokenOf(seed: number, token: string): { file: string; expires: number } | undefined {
  const mark = secretMark(seed);
  const [hex, file] = [token.slice(mark.length, mark.length + 24), token.slice(mark.length + 24)];
  const bytes = Buffer.from(hex, "hex");
  if (bytes.length !== 12) return undefined;
  const [expires, answer] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
  return makeToken(seed, file, expires, answer) === token ? { file, expires } : undefined;
}
