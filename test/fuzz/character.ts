import fc from "fast-check";

const LAST = 0x10ffff;
/** Halves of a pair, which are no characters by themselves. */
const [FIRST_HALF, HALVES] = [0xd800, 0x800];

/**
 * Any character of Unicode. As the unit of `fc.string`, it gives the texts of `unit: "binary"`, for which fast-check
 * first makes a table of all 1.1 million: that takes a second or more of every process.
 */
export const anyCharacter = fc.nat(LAST - HALVES).map(
  (n) => String.fromCodePoint(n < FIRST_HALF ? n : n + HALVES),
  (text) => {
    const code = (text as string).codePointAt(0)!;
    if (text !== String.fromCodePoint(code) || (code >= FIRST_HALF && code < FIRST_HALF + HALVES))
      throw new Error("no character");
    return code < FIRST_HALF ? code : code - HALVES;
  },
);
