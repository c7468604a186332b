/** Draws a face, head and shoulders, in the plain style of a picture book: no one could mistake it for a photograph. */
import { type Canvas, mix } from "./canvas.ts";
import type { Hair, Look } from "./look.ts";
import { ellipse, type Path, smooth } from "./path.ts";

export interface Pose {
  /** -1 to 1: the head turns to its right or left. */
  readonly turn: number;
  /** 0 open, 1 shut. */
  readonly blink: number;
  /** 0 to 1. */
  readonly smile: number;
  /** How far the head sinks, in hundredths of the picture's width. */
  readonly nod: number;
}

export const FACING: Pose = { turn: 0, blink: 0, smile: 0, nod: 0 };

/** A pen whose unit is a hundredth of the picture's width; `parallax` is how far a part follows the turning head. */
interface Pen {
  fill(path: Path, color: number, alpha?: number, parallax?: number): void;
  line(path: Path, width: number, color: number, alpha?: number, parallax?: number): void;
}

function penFor(canvas: Canvas, x: number, y: number, width: number, pose: Pose): Pen {
  const unit = width / 100;
  const put = (path: Path, parallax: number) =>
    path.map((v, i) =>
      i % 2 ? y + (v + (parallax > 0 ? pose.nod : 0)) * unit : x + (v + pose.turn * parallax) * unit,
    );
  return {
    fill: (path, color, alpha = 1, parallax = 0) => canvas.fill(put(path, parallax), color, alpha),
    line: (path, penWidth, color, alpha = 1, parallax = 0) =>
      canvas.stroke([put(path, parallax)], penWidth * unit, color, alpha),
  };
}

const HEAD = 2; // how far the head itself shifts when it turns; features lie further in front
const FACE = 6;

function body(pen: Pen, look: Look): void {
  const shade = mix(look.cloth, 0, 0.25);
  pen.fill(
    [4, 126, ...smooth([4, 126, 9, 112, 24, 103, 40, 97, 60, 97, 76, 103, 91, 112, 96, 126], false)],
    look.cloth,
  );
  pen.fill(smooth([39, 76, 61, 76, 63, 97, 50, 106, 37, 97]), mix(look.skin, 0x5a2a1a, 0.22));
  if (look.clothes === "shirt") {
    pen.fill([37, 95, 50, 110, 42, 118, 31, 100], 0xf4f4f1);
    pen.fill([63, 95, 50, 110, 58, 118, 69, 100], 0xf4f4f1);
    pen.line([50, 110, 50, 126], 0.7, shade);
  } else if (look.clothes === "blazer") {
    pen.fill([37, 95, 50, 126, 63, 95, 58, 103, 50, 107, 42, 103], 0xf4f4f1);
    pen.fill([36, 95, 30, 104, 37, 112, 33, 115, 48, 127, 50, 126], shade);
    pen.fill([64, 95, 70, 104, 63, 112, 67, 115, 52, 127, 50, 126], shade);
  } else if (look.clothes === "sweater") {
    pen.line(smooth([36, 95, 42, 103, 50, 106, 58, 103, 64, 95], false), 4.5, shade);
  } else {
    pen.line(smooth([36, 96, 43, 108, 50, 114, 57, 108, 64, 96], false), 1.6, mix(look.cloth, 0xffffff, 0.55));
  }
}

function behind(pen: Pen, { hair, hairColor }: Look): void {
  const dark = mix(hairColor, 0, 0.22);
  if (hair === "long") {
    pen.fill(
      smooth([50, 15, 26, 24, 20, 50, 18, 82, 20, 108, 34, 112, 66, 112, 80, 108, 82, 82, 80, 50, 74, 24]),
      dark,
      1,
      HEAD,
    );
  } else if (hair === "bob") {
    pen.fill(smooth([50, 15, 25, 24, 19, 50, 20, 74, 27, 86, 50, 82, 73, 86, 80, 74, 81, 50, 75, 24]), dark, 1, HEAD);
  } else if (hair === "bun") pen.fill(ellipse(50, 16, 13, 11), dark, 1, HEAD);
  else if (hair === "curly") {
    for (let i = 0; i <= 10; i++) {
      const angle = Math.PI * (0.88 + (i / 10) * 1.24);
      pen.fill(ellipse(50 + 25 * Math.cos(angle), 46 + 27 * Math.sin(angle), 8.5, 8.5), dark, 1, HEAD);
    }
  }
}

function head(pen: Pen, look: Look): void {
  const { skin, jaw, length } = look;
  const shadow = mix(skin, 0x6b2f1c, 0.28);
  const chin = 60 + 32 * length;
  for (const side of [-1, 1]) {
    pen.fill(ellipse(50 + side * 24.5, 59, 4.2, 7), skin, 1, HEAD);
    pen.fill(ellipse(50 + side * 24.8, 59.5, 2.1, 4.2), shadow, 0.6, HEAD);
  }
  const outline = (grow: number) =>
    smooth([
      50,
      22 - grow,
      33,
      28,
      26 - grow,
      44,
      26.5 - grow,
      60,
      50 - 20.5 * jaw,
      76,
      50 - 11 * jaw,
      chin - 3.5,
      50,
      chin + grow,
      50 + 11 * jaw,
      chin - 3.5,
      50 + 20.5 * jaw,
      76,
      73.5 + grow,
      60,
      74 + grow,
      44,
      67,
      28,
    ]);
  pen.fill(outline(0), skin, 1, HEAD);
  // Light falls from the left: the right cheek and the temple lie in shade.
  pen.fill(
    smooth([70, 34, 74, 46, 73.5, 60, 50 + 20.5 * jaw, 76, 50 + 11 * jaw, chin - 3.5, 58, 86, 66, 70, 68, 50]),
    shadow,
    0.3,
    HEAD,
  );
  for (const side of [-1, 1]) pen.fill(ellipse(50 + side * 14, 70, 6, 4), 0xd9705a, 0.13, FACE);
}

function eyes(pen: Pen, look: Look, pose: Pose): void {
  const dark = mix(look.skin, 0x2a140c, 0.75);
  for (const side of [-1, 1]) {
    const cx = 50 + side * 11.2 * look.spread;
    const open = 1 - pose.blink;
    const height = 3.1 * open;
    if (open > 0.15) {
      const [l, r] = [cx - 5.2, cx + 5.2];
      const almond = smooth([
        l,
        56.4,
        cx - 2.2,
        56 - height * 0.9,
        cx + 2.2,
        56 - height * 0.9,
        r,
        56.2,
        cx + 2,
        56 + height * 0.75,
        cx - 2,
        56 + height * 0.75,
      ]);
      pen.fill(almond, 0xfbfaf7, 1, FACE);
      pen.fill(ellipse(cx, 55.9, 2.7, Math.min(2.7, height)), look.eyes, 1, FACE + 1);
      pen.fill(ellipse(cx, 55.9, 1.3, Math.min(1.3, height)), 0x0d0a08, 1, FACE + 1);
      pen.fill(ellipse(cx - 0.9, 54.9, 0.7, 0.7 * open), 0xffffff, 0.95, FACE + 1);
      pen.line(
        smooth([l - 0.4, 56.6, cx - 2.4, 55.7 - height * 0.9, cx + 2.4, 55.7 - height * 0.9, r + 0.4, 56.2], false),
        1.1,
        dark,
        1,
        FACE,
      );
    } else pen.line(smooth([cx - 5.4, 56.4, cx, 57.8, cx + 5.4, 56.4], false), 1.1, dark, 1, FACE);
    const tilt = look.mood * 0.8;
    pen.line(
      smooth([cx - side * 5.6, 49.2 + tilt, cx, 47 - 0.4 * look.brows, cx + side * 6.4, 49.6 - tilt], false),
      1.7 * look.brows,
      mix(look.hairColor, 0x120b07, 0.35),
      0.9,
      FACE,
    );
    if (look.wrinkles) {
      pen.line(smooth([cx - 4.4, 61.6, cx, 62.8, cx + 4.4, 61.4], false), 0.5, dark, 0.4, FACE);
      pen.line([cx + side * 7.4, 56, cx + side * 10, 54.6], 0.45, dark, 0.4, FACE);
      pen.line([cx + side * 7.4, 57.4, cx + side * 10, 58], 0.45, dark, 0.4, FACE);
    }
  }
  if (look.wrinkles)
    for (const y of [36, 39.6]) pen.line(smooth([39, y + 0.7, 50, y, 61, y + 0.7], false), 0.5, dark, 0.3, FACE);
}

function noseAndMouth(pen: Pen, look: Look, pose: Pose): void {
  const shadow = mix(look.skin, 0x5a2514, 0.5);
  const tip = 56 + 15 * look.nose;
  pen.line(
    smooth([51.5, 57, 53, 63, 54.4, tip - 3, 53, tip, 50, tip + 0.8, 47, tip - 0.4], false),
    0.9,
    shadow,
    0.75,
    FACE + 2,
  );
  pen.fill(smooth([46.4, tip - 1.6, 45.2, tip - 3, 46, tip - 4.6, 47.4, tip - 2.4]), shadow, 0.35, FACE + 2);
  const y = 79.5;
  const bend = look.mood * 0.7 + pose.smile * 2.2;
  const half = 7.4 + pose.smile * 1.8;
  const red = mix(look.skin, 0xa33a3f, 0.55);
  const full = look.lips;
  pen.fill(
    smooth([
      50 - half,
      y - bend,
      46.5,
      y - 2 * full,
      50,
      y - 1.3 * full,
      53.5,
      y - 2 * full,
      50 + half,
      y - bend,
      50,
      y + 0.7,
    ]),
    mix(red, 0x3a0d10, 0.15),
    1,
    FACE,
  );
  pen.fill(
    smooth([
      50 - half,
      y - bend,
      50,
      y + 0.5,
      50 + half,
      y - bend,
      54,
      y + 2.6 * full,
      50,
      y + 3.1 * full,
      46,
      y + 2.6 * full,
    ]),
    red,
    1,
    FACE,
  );
  pen.line(
    smooth([50 - half, y - bend, 46, y + 0.2, 50, y + 0.5, 54, y + 0.2, 50 + half, y - bend], false),
    0.7,
    mix(red, 0x24080a, 0.6),
    1,
    FACE,
  );
  if (look.wrinkles) {
    for (const side of [-1, 1])
      pen.line(smooth([50 + side * 7, 71, 50 + side * 10.6, 75, 50 + side * 11, 79], false), 0.6, shadow, 0.5, FACE);
  }
  if (look.freckles) {
    for (let i = 0; i < 14; i++)
      pen.fill(ellipse(50 + ((i * 37) % 30) - 15, 63 + ((i * 23) % 8), 0.5, 0.5), 0xa8653d, 0.5, FACE);
  }
}

function beard(pen: Pen, look: Look): void {
  const chin = 60 + 32 * look.length;
  const color = look.hairColor;
  const jaw = smooth([
    50 - 23.6,
    62,
    50 - 20.5 * look.jaw,
    76,
    50 - 11 * look.jaw,
    chin - 3,
    50,
    chin + 1,
    50 + 11 * look.jaw,
    chin - 3,
    50 + 20.5 * look.jaw,
    76,
    50 + 23.6,
    62,
    50 + 16,
    74,
    50 + 8,
    76,
    50,
    74.6,
    50 - 8,
    76,
    50 - 16,
    74,
  ]);
  if (look.beard === "stubble") pen.fill(jaw, mix(color, look.skin, 0.4), 0.3, HEAD + 1);
  if (look.beard === "full") pen.fill(jaw, color, 0.94, HEAD + 1);
  if (look.beard === "moustache") {
    pen.fill(smooth([41, 78.4, 45, 75, 50, 75.4, 55, 75, 59, 78.4, 54, 77.8, 50, 77.6, 46, 77.8]), color, 0.95, FACE);
  }
}

function hairInFront(pen: Pen, { hair, hairColor, skin }: Look): void {
  const light = mix(hairColor, 0xffffff, 0.13);
  if (hair === "bald") {
    for (const side of [-1, 1]) {
      pen.fill(
        smooth([50 + side * 24.5, 40, 50 + side * 26, 50, 50 + side * 24.6, 58, 50 + side * 22.8, 50]),
        hairColor,
        0.9,
        HEAD,
      );
    }
    pen.fill(ellipse(42, 30, 7, 3), mix(skin, 0xffffff, 0.5), 0.35, HEAD);
    return;
  }
  const caps: Record<Exclude<Hair, "bald">, Path> = {
    cropped: [24.5, 52, 25, 36, 33, 23, 50, 17.5, 67, 23, 75, 36, 75.5, 52, 72, 42, 65, 33, 50, 30.5, 35, 33, 28, 42],
    parted: [
      24, 54, 23.5, 36, 32, 20, 52, 13.5, 70, 20, 77, 36, 76, 54, 72.5, 42, 68, 35, 54, 32, 40, 25, 35, 34, 28, 41,
    ],
    curly: [
      24.5, 52, 24, 36, 33, 22, 50, 17, 67, 22, 76, 36, 75.5, 52, 72, 42, 66, 37, 58, 33, 50, 36, 42, 33, 34, 37, 28,
      42,
    ],
    bob: [22, 72, 21, 44, 30, 20, 50, 13, 70, 20, 79, 44, 78, 72, 74, 60, 73, 45, 60, 40, 42, 41, 27, 44, 26, 60],
    long: [
      21, 80, 20, 46, 30, 20, 50, 13.5, 70, 20, 80, 46, 79, 80, 74.5, 62, 71, 44, 62, 33, 50, 25, 38, 33, 29, 44, 25.5,
      62,
    ],
    bun: [25, 54, 24.5, 38, 33, 22, 50, 16.5, 67, 22, 75.5, 38, 75, 54, 72, 40, 62, 30, 50, 27, 38, 30, 28, 40],
  };
  pen.fill(smooth(caps[hair]), hairColor, 1, HEAD);
  if (hair === "curly") {
    for (let i = 0; i < 7; i++)
      pen.fill(ellipse(31 + i * 6.3, 31 - Math.sin((i / 6) * Math.PI) * 8, 6, 6), i % 2 ? light : hairColor, 1, HEAD);
  } else {
    pen.line(smooth([33, 28, 42, 20.5, 55, 18.5], false), 1.6, light, 0.8, HEAD);
    pen.line(smooth([36, 30, 45, 23.5, 58, 21.5], false), 0.9, light, 0.6, HEAD);
  }
}

function glasses(pen: Pen, look: Look): void {
  for (const side of [-1, 1]) {
    const cx = 50 + side * 11.2 * look.spread;
    pen.fill(ellipse(cx, 56.5, 8, 6.6), 0xffffff, 0.12, FACE);
    pen.line(ellipse(cx, 56.5, 8, 6.6), 1, 0x26221f, 1, FACE);
    pen.line([cx + side * 8, 55.5, 50 + side * 25, 55], 0.9, 0x26221f, 1, HEAD);
  }
  pen.line(smooth([50 - 3.4, 55.6, 50, 54.6, 50 + 3.4, 55.6], false), 1, 0x26221f, 1, FACE);
}

/** Fills the rectangle from (x, y) that is `width` wide and 1.25 times as high. */
export function drawPortrait(
  canvas: Canvas,
  x: number,
  y: number,
  width: number,
  look: Look,
  pose: Pose = FACING,
): void {
  const pen = penFor(canvas, x, y, width, pose);
  pen.fill([0, 0, 100, 0, 100, 125, 0, 125], look.backdrop);
  for (const radius of [48, 40, 32]) pen.fill(ellipse(50, 58, radius, radius * 1.15), 0xffffff, 0.14);
  behind(pen, look);
  body(pen, look);
  head(pen, look);
  beard(pen, look);
  noseAndMouth(pen, look, pose);
  eyes(pen, look, pose);
  hairInFront(pen, look);
  if (look.glasses) glasses(pen, look);
}
