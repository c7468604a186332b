/**
 * A stroke font drawn for the sandbox's documents: each glyph is a pen path on a grid where capitals reach from 0 (top)
 * to 10 (baseline). It covers ASCII letters, digits and some punctuation; marks such as `˝` or `ł`'s bar are added.
 */
import type { Canvas } from "./canvas.ts";
import { parsePath } from "./path.ts";

/** `[advance, path]` by character. */
const GLYPHS: Readonly<Record<string, readonly [number, string]>> = {
  A: [6.4, "M0,10 L3.2,0 L6.4,10 M1.1,6.7 L5.3,6.7"],
  B: [
    5.8,
    "M0,4.7 L3,4.7 C4.6,4.7 5.4,3.8 5.4,2.3 C5.4,0.9 4.6,0 3,0 L0,0 L0,10 L3.2,10 C5,10 5.8,9 5.8,7.3 C5.8,5.7 5,4.7 3,4.7",
  ],
  C: [5.9, "M5.9,1.7 C5.3,0.6 4.4,0 3.3,0 C1.2,0 0,2 0,5 C0,8 1.2,10 3.3,10 C4.4,10 5.3,9.4 5.9,8.3"],
  D: [6.1, "M0,0 L0,10 L2.5,10 C4.9,10 6.1,8.2 6.1,5 C6.1,1.8 4.9,0 2.5,0 L0,0"],
  E: [5, "M5,0 L0,0 L0,10 L5,10 M0,4.8 L4.4,4.8"],
  F: [4.8, "M4.8,0 L0,0 L0,10 M0,4.9 L4.2,4.9"],
  G: [6.2, "M5.9,1.7 C5.3,0.6 4.4,0 3.3,0 C1.2,0 0,2 0,5 C0,8 1.2,10 3.3,10 C4.5,10 5.5,9.6 6.2,8.9 L6.2,5.4 L3.7,5.4"],
  H: [6, "M0,0 L0,10 M6,0 L6,10 M0,4.8 L6,4.8"],
  I: [0.6, "M0.3,0 L0.3,10"],
  J: [4, "M4,0 L4,7 C4,9 3.3,10 2,10 C1,10 0.3,9.5 0,8.6"],
  K: [5.8, "M0,0 L0,10 M5.5,0 L0,6 M2,3.9 L5.8,10"],
  L: [4.7, "M0,0 L0,10 L4.7,10"],
  M: [7.4, "M0,10 L0,0 L3.7,6.4 L7.4,0 L7.4,10"],
  N: [6.1, "M0,10 L0,0 L6.1,10 L6.1,0"],
  O: [6.6, "M3.3,0 C1.2,0 0,2 0,5 C0,8 1.2,10 3.3,10 C5.4,10 6.6,8 6.6,5 C6.6,2 5.4,0 3.3,0"],
  P: [5.6, "M0,10 L0,0 L3,0 C4.8,0 5.6,1.1 5.6,2.8 C5.6,4.5 4.8,5.6 3,5.6 L0,5.6"],
  Q: [6.6, "M3.3,0 C1.2,0 0,2 0,5 C0,8 1.2,10 3.3,10 C5.4,10 6.6,8 6.6,5 C6.6,2 5.4,0 3.3,0 M4,7.4 L6.5,10.6"],
  R: [5.8, "M0,10 L0,0 L3,0 C4.8,0 5.6,1.1 5.6,2.8 C5.6,4.5 4.8,5.5 3,5.5 L0,5.5 M3,5.5 L5.8,10"],
  S: [
    5.5,
    "M5.2,1.5 C4.7,0.5 3.9,0 2.8,0 C1.2,0 0.2,0.9 0.2,2.4 C0.2,4 1.4,4.5 2.9,4.9 C4.5,5.3 5.5,5.9 5.5,7.4 C5.5,9 4.5,10 2.8,10 C1.5,10 0.5,9.4 0,8.3",
  ],
  T: [6, "M0,0 L6,0 M3,0 L3,10"],
  U: [6, "M0,0 L0,6.5 C0,8.8 1.1,10 3,10 C4.9,10 6,8.8 6,6.5 L6,0"],
  V: [6.2, "M0,0 L3.1,10 L6.2,0"],
  W: [9, "M0,0 L2.2,10 L4.5,2 L6.8,10 L9,0"],
  X: [6, "M0,0 L6,10 M6,0 L0,10"],
  Y: [6, "M0,0 L3,5 L6,0 M3,5 L3,10"],
  Z: [5.8, "M0.2,0 L5.8,0 L0,10 L5.8,10"],
  a: [
    4.8,
    "M0.5,4.6 C1.1,3.8 1.8,3.4 2.7,3.4 C4.2,3.4 4.8,4.2 4.8,5.6 L4.8,10 M4.8,6.1 L2.6,6.2 C0.9,6.3 0,7 0,8.2 C0,9.3 0.8,10 2,10 C3.4,10 4.4,9.2 4.8,8",
  ],
  b: [5, "M0,0 L0,10 M0,5.4 C0.5,4.2 1.4,3.4 2.6,3.4 C4.2,3.4 5,4.7 5,6.7 C5,8.7 4.2,10 2.6,10 C1.4,10 0.5,9.2 0,8"],
  c: [4.6, "M4.5,4.7 C4,3.8 3.4,3.4 2.5,3.4 C0.9,3.4 0,4.7 0,6.7 C0,8.7 0.9,10 2.5,10 C3.4,10 4.1,9.6 4.6,8.7"],
  d: [5, "M5,0 L5,10 M5,5.4 C4.5,4.2 3.6,3.4 2.4,3.4 C0.8,3.4 0,4.7 0,6.7 C0,8.7 0.8,10 2.4,10 C3.6,10 4.5,9.2 5,8"],
  e: [5, "M0.1,6.5 L5,6.5 C5,4.5 4.1,3.4 2.6,3.4 C0.9,3.4 0,4.7 0,6.7 C0,8.7 0.9,10 2.6,10 C3.6,10 4.3,9.6 4.8,8.8"],
  f: [3, "M3,0.3 C1.7,-0.2 1,0.4 1,2 L1,10 M0,3.6 L2.8,3.6"],
  g: [
    5,
    "M5,3.6 L5,10.4 C5,12.2 4,13 2.5,13 C1.5,13 0.8,12.7 0.2,12.1 M5,5.4 C4.5,4.2 3.6,3.4 2.4,3.4 C0.8,3.4 0,4.6 0,6.5 C0,8.5 0.8,9.6 2.4,9.6 C3.6,9.6 4.5,8.9 5,7.8",
  ],
  h: [4.7, "M0,0 L0,10 M0,5.6 C0.5,4.2 1.4,3.4 2.6,3.4 C4,3.4 4.7,4.3 4.7,5.9 L4.7,10"],
  i: [0.6, "M0.3,3.6 L0.3,10 M0.3,1.1 L0.3,1.2"],
  ı: [0.6, "M0.3,3.6 L0.3,10"],
  j: [1.4, "M1.1,3.6 L1.1,11.2 C1.1,12.4 0.8,12.9 -0.2,12.9 M1.1,1.1 L1.1,1.2"],
  k: [4.4, "M0,0 L0,10 M4.2,3.6 L0,7.4 M1.5,6.1 L4.4,10"],
  l: [0.6, "M0.3,0 L0.3,10"],
  m: [
    7.6,
    "M0,3.6 L0,10 M0,5.6 C0.4,4.2 1.2,3.4 2.2,3.4 C3.4,3.4 3.8,4.3 3.8,5.9 L3.8,10 M3.8,5.6 C4.2,4.2 5,3.4 6,3.4 C7.2,3.4 7.6,4.3 7.6,5.9 L7.6,10",
  ],
  n: [4.7, "M0,3.6 L0,10 M0,5.6 C0.5,4.2 1.4,3.4 2.6,3.4 C4,3.4 4.7,4.3 4.7,5.9 L4.7,10"],
  o: [5.2, "M2.6,3.4 C0.9,3.4 0,4.7 0,6.7 C0,8.7 0.9,10 2.6,10 C4.3,10 5.2,8.7 5.2,6.7 C5.2,4.7 4.3,3.4 2.6,3.4"],
  p: [5, "M0,3.6 L0,13 M0,5.4 C0.5,4.2 1.4,3.4 2.6,3.4 C4.2,3.4 5,4.7 5,6.7 C5,8.7 4.2,10 2.6,10 C1.4,10 0.5,9.2 0,8"],
  q: [5, "M5,3.6 L5,13 M5,5.4 C4.5,4.2 3.6,3.4 2.4,3.4 C0.8,3.4 0,4.7 0,6.7 C0,8.7 0.8,10 2.4,10 C3.6,10 4.5,9.2 5,8"],
  r: [2.9, "M0,3.6 L0,10 M0,6 C0.4,4.3 1.4,3.3 2.9,3.6"],
  s: [
    4.2,
    "M4,4.5 C3.5,3.8 2.9,3.4 2.1,3.4 C0.9,3.4 0.2,4 0.2,5 C0.2,6.1 1,6.4 2.2,6.6 C3.5,6.9 4.2,7.3 4.2,8.3 C4.2,9.4 3.4,10 2.1,10 C1.2,10 0.5,9.6 0,8.9",
  ],
  t: [3, "M1,1.2 L1,8 C1,9.6 1.6,10.1 3,9.8 M0,3.6 L2.8,3.6"],
  u: [4.7, "M0,3.6 L0,7.4 C0,9.1 0.7,10 2.1,10 C3.3,10 4.2,9.2 4.7,7.8 M4.7,3.6 L4.7,10"],
  v: [4.6, "M0,3.6 L2.3,10 L4.6,3.6"],
  w: [7, "M0,3.6 L1.8,10 L3.5,4.6 L5.2,10 L7,3.6"],
  x: [4.4, "M0,3.6 L4.4,10 M4.4,3.6 L0,10"],
  y: [4.6, "M0,3.6 L2.4,10 M4.6,3.6 L2.1,11.4 C1.7,12.6 1.1,13 0,12.8"],
  z: [4.3, "M0.1,3.6 L4.2,3.6 L0,10 L4.3,10"],
  "0": [5.6, "M2.8,0 C1,0 0,2 0,5 C0,8 1,10 2.8,10 C4.6,10 5.6,8 5.6,5 C5.6,2 4.6,0 2.8,0"],
  "1": [5.6, "M1,2 L3.2,0 L3.2,10 M1.2,10 L5.2,10"],
  "2": [5.6, "M0.3,2.2 C0.6,0.8 1.5,0 2.8,0 C4.3,0 5.3,1 5.3,2.6 C5.3,4 4.5,5.1 3.2,6.4 L0.2,10 L5.5,10"],
  "3": [5.6, "M0.5,0 L5,0 L2.4,4 C4.4,4 5.4,5.2 5.4,6.9 C5.4,8.8 4.2,10 2.6,10 C1.3,10 0.5,9.4 0,8.4"],
  "4": [5.6, "M4.2,10 L4.2,0 L0,7 L5.6,7"],
  "5": [
    5.6,
    "M5,0 L1,0 L0.6,4.6 C1.2,4.1 1.9,3.8 2.7,3.8 C4.4,3.8 5.4,5 5.4,6.8 C5.4,8.8 4.3,10 2.6,10 C1.4,10 0.5,9.4 0,8.5",
  ],
  "6": [
    5.6,
    "M4.6,0 C2,1.4 0,4 0,6.8 C0,8.8 1.1,10 2.8,10 C4.5,10 5.6,8.8 5.6,6.9 C5.6,5.1 4.5,4 2.9,4 C1.6,4 0.6,4.7 0.1,5.9",
  ],
  "7": [5.6, "M0.2,0 L5.4,0 L1.8,10"],
  "8": [
    5.6,
    "M2.8,4.6 C1.3,4.6 0.4,3.7 0.4,2.3 C0.4,0.9 1.3,0 2.8,0 C4.3,0 5.2,0.9 5.2,2.3 C5.2,3.7 4.3,4.6 2.8,4.6 C1.1,4.6 0,5.7 0,7.3 C0,9 1.1,10 2.8,10 C4.5,10 5.6,9 5.6,7.3 C5.6,5.7 4.5,4.6 2.8,4.6",
  ],
  "9": [
    5.6,
    "M1,10 C3.6,8.6 5.6,6 5.6,3.2 C5.6,1.2 4.5,0 2.8,0 C1.1,0 0,1.2 0,3.1 C0,4.9 1.1,6 2.7,6 C4,6 5,5.3 5.5,4.1",
  ],
  " ": [2.6, ""],
  "<": [5.6, "M5.4,1.4 L0.4,5.2 L5.4,9"],
  ".": [0.6, "M0.3,9.9 L0.3,10"],
  ",": [0.8, "M0.6,9.8 L0.1,11.6"],
  ":": [0.6, "M0.3,4.6 L0.3,4.7 M0.3,9.8 L0.3,9.9"],
  "'": [0.6, "M0.3,0 L0.3,2.4"],
  "’": [0.8, "M0.6,0 L0.1,2.2"],
  "-": [3.4, "M0.3,5.6 L3.1,5.6"],
  "/": [4, "M4,-0.4 L0,10.6"],
  "(": [2, "M2,-0.6 C0.6,1 0,3 0,5 C0,7 0.6,9 2,10.6"],
  ")": [2, "M0,-0.6 C1.4,1 2,3 2,5 C2,7 1.4,9 0,10.6"],
  "+": [5, "M2.5,2.6 L2.5,8.2 M0,5.4 L5,5.4"],
  "*": [4, "M2,0.4 L2,4.6 M0.2,1.5 L3.8,3.5 M3.8,1.5 L0.2,3.5"],
  "#": [5.6, "M1.8,0.6 L1,9.4 M4.6,0.6 L3.8,9.4 M0.2,3.4 L5.6,3.4 M0,6.6 L5.4,6.6"],
};

/** Letters that Unicode does not decompose: a base letter and a bar across it. */
const BARRED: Readonly<Record<string, readonly [string, string]>> = {
  Ł: ["L", "M-1.2,6 L2.4,3.6"],
  ł: ["l", "M-0.9,6.2 L1.6,4.2"],
  Đ: ["D", "M-1.2,5 L2.6,5"],
  đ: ["d", "M2.6,1.4 L6,1.4"],
  Ð: ["D", "M-1.2,5 L2.6,5"],
  ð: ["o", "M3.4,3.6 L1.4,0.6 M1.2,2.6 L3.8,1.2"],
  Ø: ["O", "M6.2,-0.4 L0.4,10.4"],
  ø: ["o", "M4.9,3 L0.3,10.4"],
};

const WHOLE: Readonly<Record<string, readonly [number, string]>> = {
  Æ: [8.4, "M0,10 L3.8,0 L8.4,0 M4.4,0 L4.4,10 L8.4,10 M4.4,4.8 L7.8,4.8 M1.3,6.7 L4.4,6.7"],
  æ: [
    8.2,
    "M0.4,4.6 C0.9,3.8 1.5,3.4 2.3,3.4 C3.7,3.4 4.2,4.2 4.2,5.6 L4.2,8 M4.2,6.2 L2.4,6.3 C0.9,6.4 0,7 0,8.2 C0,9.3 0.7,10 1.8,10 C3.2,10 4,9.2 4.2,8 C4.4,9.3 5.1,10 6.2,10 C7.1,10 7.7,9.6 8.1,8.8 M4.2,6.5 L8.2,6.5 C8.2,4.5 7.4,3.4 6.1,3.4 C5,3.4 4.3,4.3 4.2,5.6",
  ],
  Þ: [5.6, "M0,0 L0,10 M0,2.2 L3,2.2 C4.8,2.2 5.6,3.3 5.6,4.9 C5.6,6.5 4.8,7.6 3,7.6 L0,7.6"],
  þ: [5, "M0,0 L0,13 M0,5.4 C0.5,4.2 1.4,3.4 2.6,3.4 C4.2,3.4 5,4.7 5,6.7 C5,8.7 4.2,10 2.6,10 C1.4,10 0.5,9.2 0,8"],
  ß: [
    5,
    "M0,10 L0,2.6 C0,0.9 0.9,0 2.3,0 C3.7,0 4.4,0.8 4.4,2 C4.4,3.2 2.6,3.8 2.6,4.9 C2.6,6 5,6.4 5,8.2 C5,9.4 4.2,10 3,10 C2.4,10 1.9,9.8 1.6,9.5",
  ],
  ẞ: [
    5.8,
    "M0,10 L0,3 C0,1 1.1,0 2.8,0 L5.2,0 L2.8,3.8 C4.8,3.9 5.8,5 5.8,6.9 C5.8,8.8 4.8,10 3,10 C2.4,10 1.9,9.8 1.6,9.5",
  ],
};

/** Combining marks, centred on x = 0, for a letter whose top is at y = 0; those below hang from the baseline at 10. */
const MARKS: Readonly<Record<string, string>> = {
  "\u0300": "M-1.2,-3 L0.4,-1.3", // grave
  "\u0301": "M1.2,-3 L-0.4,-1.3", // acute
  "\u0302": "M-1.6,-1.3 L0,-2.9 L1.6,-1.3", // circumflex
  "\u0303": "M-1.8,-1.4 C-1,-3.4 0.8,-0.6 1.8,-2.6", // tilde
  "\u0304": "M-1.6,-2 L1.6,-2", // macron
  "\u0306": "M-1.6,-2.9 C-1.2,-1.2 1.2,-1.2 1.6,-2.9", // breve
  "\u0307": "M0,-2.1 L0,-2", // dot
  "\u0308": "M-1.4,-2.1 L-1.4,-2 M1.4,-2.1 L1.4,-2", // diaeresis
  "\u0309": "M-0.7,-3.3 C0.8,-3.8 1,-2.4 0,-1.4", // hook
  "\u030a": "M0,-3.2 C-1.3,-3.2 -1.3,-1.1 0,-1.1 C1.3,-1.1 1.3,-3.2 0,-3.2", // ring
  "\u030b": "M-0.2,-3 L-1.2,-1.3 M1.6,-3 L0.6,-1.3", // double acute
  "\u030c": "M-1.6,-2.9 L0,-1.3 L1.6,-2.9", // caron
  "\u031b": "M2.4,1.2 C3.4,0.8 3.6,-0.2 3.3,-1", // horn
  "\u0323": "M0,12.1 L0,12.2", // dot below
  "\u0327": "M0.2,10.2 C1.6,11 1,12.8 -0.9,12.4", // cedilla
  "\u0328": "M1.4,10 C0,11.2 0.6,12.8 2,12.4", // ogonek
};

interface Glyph {
  readonly advance: number;
  readonly lines: readonly (readonly number[])[];
}

const BELOW = new Set(["\u0323", "\u0327", "\u0328"]);
const cache = new Map<string, Glyph>();

function shift(lines: readonly number[][], dx: number, dy: number): number[][] {
  return lines.map((line) => line.map((value, i) => value + (i % 2 === 0 ? dx : dy)));
}

/** Unknown characters become an empty box, as in any font. */
function makeGlyph(character: string): Glyph {
  const whole = GLYPHS[character] ?? WHOLE[character];
  if (whole) return { advance: whole[0], lines: parsePath(whole[1]) };
  const barred = BARRED[character];
  if (barred) {
    const base = glyph(barred[0]);
    return { advance: base.advance, lines: [...base.lines, ...parsePath(barred[1])] };
  }
  const [letter = "", ...marks] = character.normalize("NFD");
  if (marks.length === 0) return { advance: 5, lines: parsePath("M0,0 L5,0 L5,10 L0,10 L0,0") };
  const base = glyph(letter === "i" ? "ı" : letter);
  const small = letter === letter.toLowerCase();
  const lines = base.lines.map((line) => [...line]);
  let raised = small ? 3.3 : 0;
  for (const mark of marks) {
    const below = BELOW.has(mark);
    lines.push(...shift(parsePath(MARKS[mark] ?? ""), base.advance / 2, below ? 0 : raised));
    if (!below && mark !== "\u031b") raised -= 2.3; // the next mark goes on top of this one
  }
  return { advance: base.advance, lines };
}

function glyph(character: string): Glyph {
  let found = cache.get(character);
  if (!found) {
    found = makeGlyph(character);
    cache.set(character, found);
  }
  return found;
}

const GAP = 1.9;

export interface TextStyle {
  /** Height of a capital, in pixels. */
  readonly size: number;
  /** Width of the pen, in pixels. */
  readonly pen?: number;
  readonly color: number;
  readonly alpha?: number;
  readonly align?: "left" | "right" | "center";
  /** Squeezes the text to fit, in pixels. */
  readonly fit?: number;
  /** Radians, clockwise about the start of the text. */
  readonly angle?: number;
  /** Horizontal shift per unit of height: 0.2 leans like handwriting. */
  readonly slant?: number;
  /** Extra room between letters, as a part of the size. */
  readonly spacing?: number;
}

export function textWidth(text: string, size: number, spacing = 0): number {
  let units = 0;
  for (const character of text.normalize("NFC")) units += glyph(character).advance + GAP + spacing * 10;
  return (Math.max(0, units - GAP - spacing * 10) * size) / 10;
}

/** Writes one line; (x, y) is where its capitals' top left is, or top right or top centre as `align` says. */
export function write(canvas: Canvas, text: string, x: number, y: number, style: TextStyle): void {
  const { size, pen = size / 8, color, alpha = 1, align = "left", angle = 0, slant = 0, spacing = 0 } = style;
  const natural = textWidth(text, size, spacing);
  const squeeze = style.fit !== undefined && natural > style.fit ? style.fit / natural : 1;
  const width = natural * squeeze;
  const left = align === "left" ? 0 : align === "right" ? -width : -width / 2;
  const [cos, sin, scale] = [Math.cos(angle), Math.sin(angle), size / 10];
  const lines: number[][] = [];
  let at = 0;
  for (const character of text.normalize("NFC")) {
    const { advance, lines: strokes } = glyph(character);
    for (const stroke of strokes) lines.push(place(stroke, at));
    at += advance + GAP + spacing * 10;
  }
  canvas.stroke(lines, pen, color, alpha);

  function place(stroke: readonly number[], offset: number): number[] {
    const out: number[] = [];
    for (let i = 0; i < stroke.length; i += 2) {
      const px = left + (offset + stroke[i]! + (10 - stroke[i + 1]!) * slant) * scale * squeeze;
      const py = stroke[i + 1]! * scale;
      out.push(x + px * cos - py * sin, y + px * sin + py * cos);
    }
    return out;
  }
}

/** In a machine-readable zone every character has the same width, `I` has serifs, and wide letters are squeezed. */
export function writeMrz(canvas: Canvas, text: string, x: number, y: number, pitch: number, color: number): void {
  const size = pitch * 0.98;
  const width = pitch * 0.66;
  const lines: number[][] = [];
  [...text].forEach((character, position) => {
    const strokes = character === "I" ? parsePath("M1,0 L5,0 M3,0 L3,10 M1,10 L5,10") : glyph(character).lines;
    const advance = character === "I" ? 6 : glyph(character).advance;
    const wide = Math.min(width / advance, size / 10);
    const left = x + position * pitch + (pitch - advance * wide) / 2;
    for (const stroke of strokes) lines.push(stroke.map((v, i) => (i % 2 ? y + (v * size) / 10 : left + v * wide)));
  });
  canvas.stroke(lines, pitch * 0.125, color);
}
