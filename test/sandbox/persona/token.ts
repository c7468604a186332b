/** The tokens in file URLs: made again for each answer, for one file, valid until a time that the clock decides. */
import { hash } from "../random.ts";

const MARK = 12;

const seal = (seed: number, name: string, expires: number, answer: number) =>
  hash(seed, 221, expires, answer, ...Buffer.from(name));

/** What all tokens of a sandbox begin with: a test looks for it where no token may be. */
export function tokenMark(seed: number): string {
  const bytes = Buffer.alloc(9);
  for (let i = 0; i < 3; i++) bytes.writeUIntBE(hash(seed, 220, i) & 0xffffff, 3 * i, 3);
  return bytes.toString("base64url").slice(0, MARK);
}

export function makeToken(seed: number, name: string, expires: number, answer: number): string {
  const bytes = Buffer.alloc(12);
  const until = Math.floor(expires / 1000) >>> 0;
  bytes.writeUInt32BE(until, 0);
  bytes.writeUInt32BE(answer >>> 0, 4);
  bytes.writeUInt32BE(seal(seed, name, until, answer >>> 0), 8);
  return tokenMark(seed) + bytes.toString("base64url");
}

export function tokenOpens(seed: number, name: string, token: string, now: number): boolean {
  if (!token.startsWith(tokenMark(seed))) return false;
  const bytes = Buffer.from(token.slice(MARK), "base64url");
  if (bytes.length !== 12) return false;
  const [until, answer] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
  return bytes.readUInt32BE(8) === seal(seed, name, until, answer) && now < until * 1000;
}
