/** The printed blank of a document without a person: security background, frame and specimen notes. */
import { Canvas, mix } from "./canvas.ts";
import { write } from "./font.ts";
import { ellipse, roundedRectangle } from "./path.ts";
import type { IssuingState } from "./states.ts";

export const PASSPORT_SIZE = [860, 606] as const; // 125 × 88 mm, a TD3 page
export const CARD_SIZE = [820, 517] as const; // 85.6 × 54 mm, a TD1 card

const DESK = 0xc9c6c0;

/** Bands of interleaved waves over the whole width. */
function waves(canvas: Canvas, color: number, phase: number): void {
  const { width, height } = canvas;
  for (let band = 0; band < 7; band++) {
    const middle = ((band + 0.5) * height) / 7;
    const lines: number[][] = [];
    for (let strand = 0; strand < 6; strand++) {
      const line: number[] = [];
      for (let x = 0; x <= width; x += 4) {
        const swell = 0.5 + 0.5 * Math.sin((x / width) * 5 + band * 1.3 + phase);
        const y = middle + (height / 15) * swell * Math.sin(x / 34 + (strand * Math.PI) / 3 + band * 0.9 + phase);
        line.push(x, y);
      }
      lines.push(line);
    }
    canvas.stroke(lines, 0.9, color, 0.3);
  }
}

/** A rosette as an engraver's lathe turns it: one hypotrochoid, many petals. */
export function rosette(
  canvas: Canvas,
  cx: number,
  cy: number,
  radius: number,
  petals: number,
  color: number,
  alpha: number,
) {
  for (const [size, depth] of [
    [1, 0.28],
    [0.72, 0.4],
    [0.44, 0.55],
  ] as const) {
    const line: number[] = [];
    const turns = 3;
    const steps = 900;
    for (let i = 0; i <= steps; i++) {
      const angle = (i / steps) * 2 * Math.PI * turns;
      const r = radius * size * (1 - depth / 2 + (depth / 2) * Math.cos((petals + 1 / turns) * angle));
      line.push(cx + r * Math.cos(angle), cy + r * Math.sin(angle));
    }
    canvas.stroke([line], 0.9, color, alpha);
  }
}

function microprint(canvas: Canvas, y: number, color: number): void {
  write(canvas, "SPECIMEN NOT A DOCUMENT ".repeat(14), 26, y, {
    size: 3.6,
    pen: 0.7,
    color,
    alpha: 0.75,
    fit: canvas.width - 52,
  });
}

export type Blank = "passport" | "card" | "licence" | "back";

function print(state: IssuingState, blank: Blank): Canvas {
  const [width, height] = blank === "passport" ? PASSPORT_SIZE : CARD_SIZE;
  const paper = new Canvas(width, height);
  paper.clear(blank === "licence" ? mix(state.paper, 0xf3d9dd, 0.6) : state.paper);
  const kind = ["passport", "card", "licence", "back"].indexOf(blank);
  waves(paper, state.line, kind * 1.7);
  rosette(paper, width * 0.6, height * 0.47, height * 0.36, 11 + kind * 2, state.accent, 0.34);
  rosette(paper, width * 0.93, height * 0.3, height * 0.15, 8, state.line, 0.3);
  if (blank === "passport" || blank === "back") {
    const zone = height * (blank === "passport" ? 0.2 : 0.31);
    paper.rectangle(0, height - zone, width, zone, 0xfbfbf8, 0.86);
    microprint(paper, height - zone - 6, state.ink);
  }
  if (blank !== "back") {
    paper.rectangle(0, 0, width, 64, state.line, 0.22);
    paper.rectangle(0, 63, width, 1.6, state.line, 0.8);
    microprint(paper, 70, state.ink);
  }
  // The document's surroundings: a desk, so that its rounded corners are visible.
  const card = new Canvas(width, height);
  card.clear(DESK);
  card.fill(roundedRectangle(5, 6, width - 10, height - 9, 20), 0x6f6b64, 0.5);
  const cut = new Canvas(width, height);
  cut.fill(roundedRectangle(4, 4, width - 9, height - 9, 20), 0xffffff);
  for (let i = 0; i < card.pixels.length; i++) {
    const inside = cut.pixels[i]! / 255;
    card.pixels[i] = paper.pixels[i]! * inside + card.pixels[i]! * (1 - inside);
  }
  return card;
}

const printed = new Map<string, Canvas>();

/** A fresh copy to write on. There are few states and kinds, so each blank is drawn once. */
export function takeBlank(state: IssuingState, blank: Blank): Canvas {
  const key = `${state.code} ${blank}`;
  let paper = printed.get(key);
  if (!paper) {
    paper = print(state, blank);
    printed.set(key, paper);
  }
  return paper.copy();
}

/** Across the page, so that every crop of it contains the word. */
export function overprint(canvas: Canvas): void {
  const { width, height } = canvas;
  const angle = -Math.atan2(height * 0.62, width);
  write(canvas, "SPECIMEN", width * 0.53, height * 0.49, {
    size: 92,
    pen: 11,
    color: 0xc0202c,
    alpha: 0.26,
    align: "center",
    angle,
    spacing: 0.12,
  });
  write(canvas, "NO VALUE - SYNTHETIC TEST DATA", width * 0.53 + 80, height * 0.49 + 108, {
    size: 15,
    pen: 2,
    color: 0xc0202c,
    alpha: 0.45,
    align: "center",
    angle,
    spacing: 0.12,
  });
}

/** A contact chip, as on a card with a chip. */
export function chip(canvas: Canvas, x: number, y: number): void {
  canvas.fill(roundedRectangle(x, y, 66, 52, 9), 0xd8b764);
  canvas.stroke(
    [
      [x + 22, y, x + 22, y + 52],
      [x + 44, y, x + 44, y + 52],
      [x, y + 18, x + 22, y + 18],
      [x, y + 35, x + 22, y + 35],
      [x + 44, y + 18, x + 66, y + 18],
      [x + 44, y + 35, x + 66, y + 35],
      ellipse(x + 33, y + 26, 11, 14),
    ],
    1.3,
    0x7c6224,
  );
}
