/** The entries on a blank document: labelled fields, photograph, signature. */
import { Canvas, mix } from "./canvas.ts";
import { write } from "./font.ts";
import { makeLook } from "./look.ts";
import { smooth } from "./path.ts";
import type { Person } from "./person.ts";
import { drawPortrait } from "./portrait.ts";
import { Random } from "./random.ts";

export interface Writer {
  readonly canvas: Canvas;
  readonly seed: number;
  readonly person: Person;
  /** Tells one capture of a document from the next. */
  readonly recaptured: number;
}

/** A small label with its value below. */
export function field(
  { canvas, person }: Writer,
  label: string,
  value: string,
  x: number,
  y: number,
  fit: number,
): void {
  const { ink, line } = person.state;
  write(canvas, label, x, y, { size: 8.5, pen: 1.1, color: mix(line, ink, 0.4), fit });
  write(canvas, value, x, y + 17, { size: 16, pen: 2.1, color: ink, fit });
}

export function dateText(iso: string): string {
  const months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
  const [year, month, day] = iso.split("-");
  return `${day} ${months[Number(month) - 1]} ${year}`;
}

export function sexText(person: Person): string {
  return { male: "M", female: "F", unspecified: "X" }[person.sex];
}

export function photograph({ canvas, seed, person }: Writer, x: number, y: number, width: number): void {
  canvas.rectangle(x - 2, y - 2, width + 4, width * 1.25 + 4, person.state.line, 0.8);
  drawPortrait(canvas, x, y, width, makeLook(seed, person.index, person.sex, person.birth));
}

/** The faint second portrait that forgers find hard to change. */
export function ghost({ canvas, seed, person }: Writer, x: number, y: number, width: number): void {
  const small = new Canvas(width, Math.round(width * 1.25));
  drawPortrait(small, 0, 0, width, makeLook(seed, person.index, person.sex, person.birth));
  canvas.lay(small, x, y, 0.85, person.state.line);
}

/** A pen line that starts like writing and ends in a flourish; not a real signature. */
export function signature({ canvas, seed, person, recaptured }: Writer, x: number, y: number, width: number): void {
  const random = new Random(seed, 50, person.index);
  const points = [x, y + 20];
  const loops = Math.min(11, 4 + Math.floor(person.printedFamily.length / 2));
  for (let i = 0; i < loops; i++) {
    const at = x + (width * 0.72 * (i + 0.5)) / loops;
    const tall = i === 0 ? 26 : random.between(5, 18) * (1 - i / (2 * loops));
    points.push(at, y + 20 - tall, at + random.between(4, 11), y + 22 + random.between(-2, i === 0 ? 10 : 4));
  }
  points.push(
    x + width * 0.8,
    y + 20,
    x + width,
    y + random.between(2, 14),
    x + width * 0.35,
    y + 31,
    x + width * 0.9,
    y + 29,
  );
  canvas.stroke([smooth(points, false)], 1.7 + (recaptured % 5) * 0.15, 0x1b2a63, 0.9);
}

/** A square of dark and light cells without meaning. */
export function matrixCode({ canvas, seed, person, recaptured }: Writer, x: number, y: number, cell: number): void {
  const random = new Random(seed, 51, person.index, recaptured);
  const side = 22;
  canvas.rectangle(x - cell, y - cell, (side + 2) * cell, (side + 2) * cell, 0xffffff, 0.9);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const edge =
        column === 0 || row === side - 1 || (row === 0 && column % 2 === 0) || (column === side - 1 && row % 2 === 1);
      const inner = row > 0 && column < side - 1 && random.chance(50);
      if (edge || inner) canvas.rectangle(x + column * cell, y + row * cell, cell, cell, 0x15181c);
    }
  }
}
