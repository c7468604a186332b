/** A picture to draw on: filled and stroked outlines with smooth edges, in 24-bit colour. */
import type { Path } from "./path.ts";

const SUBROWS = 4; // samples per row when filling; across a row coverage is exact

export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  /** Coverage of the current shape, 0 to 255; all zero between two shapes. */
  readonly #mask: Uint8Array;

  constructor(width: number, height: number, pixels?: Uint8Array) {
    this.width = width;
    this.height = height;
    this.pixels = pixels ? Uint8Array.from(pixels) : new Uint8Array(width * height * 3);
    this.#mask = new Uint8Array(width * height);
  }

  copy(): Canvas {
    return new Canvas(this.width, this.height, this.pixels);
  }

  clear(color: number): void {
    const { pixels } = this;
    for (let i = 0; i < pixels.length; i += 3) {
      pixels[i] = color >> 16;
      pixels[i + 1] = (color >> 8) & 255;
      pixels[i + 2] = color & 255;
    }
  }

  rectangle(x: number, y: number, width: number, height: number, color: number, alpha = 1): void {
    this.fill([x, y, x + width, y, x + width, y + height, x, y + height], color, alpha);
  }

  /** Fills a closed outline, even-odd. */
  fill(path: Path, color: number, alpha = 1): void {
    let [top, bottom, left, right] = [this.height, 0, this.width, 0];
    for (let i = 0; i < path.length; i += 2) {
      left = Math.min(left, path[i]!);
      right = Math.max(right, path[i]!);
      top = Math.min(top, path[i + 1]!);
      bottom = Math.max(bottom, path[i + 1]!);
    }
    const [x0, x1] = [Math.max(0, Math.floor(left)), Math.min(this.width, Math.ceil(right))];
    const [y0, y1] = [Math.max(0, Math.floor(top)), Math.min(this.height, Math.ceil(bottom))];
    if (x0 >= x1 || y0 >= y1) return;
    const row = new Float32Array(x1 - x0 + 1);
    const crossings: number[] = [];
    for (let y = y0; y < y1; y++) {
      row.fill(0);
      for (let sub = 0; sub < SUBROWS; sub++) {
        crossings.length = 0;
        cross(path, y + (sub + 0.5) / SUBROWS, crossings);
        for (let i = 0; i + 1 < crossings.length; i += 2)
          cover(row, crossings[i]! - x0, crossings[i + 1]! - x0, x1 - x0);
      }
      const at = y * this.width + x0;
      for (let x = 0; x < x1 - x0; x++) this.#mask[at + x] = Math.min(255, (row[x]! * 255) / SUBROWS);
    }
    this.#paint(x0, y0, x1, y1, color, alpha);
  }

  /** Strokes open lines with a round pen; overlaps do not get darker. */
  stroke(paths: readonly Path[], width: number, color: number, alpha = 1): void {
    const reach = width / 2 + 0.5;
    let [x0, y0, x1, y1] = [this.width, this.height, 0, 0];
    for (const path of paths) {
      for (let i = 0; i + 3 < path.length; i += 2) {
        const [ax, ay, bx, by] = [path[i]!, path[i + 1]!, path[i + 2]!, path[i + 3]!];
        const left = Math.max(0, Math.floor(Math.min(ax, bx) - reach));
        const right = Math.min(this.width, Math.ceil(Math.max(ax, bx) + reach) + 1);
        const top = Math.max(0, Math.floor(Math.min(ay, by) - reach));
        const bottom = Math.min(this.height, Math.ceil(Math.max(ay, by) + reach) + 1);
        if (left >= right || top >= bottom) continue;
        this.#segment(ax, ay, bx, by, reach, Math.min(1, width), left, top, right, bottom);
        x0 = Math.min(x0, left);
        y0 = Math.min(y0, top);
        x1 = Math.max(x1, right);
        y1 = Math.max(y1, bottom);
      }
    }
    if (x0 < x1 && y0 < y1) this.#paint(x0, y0, x1, y1, color, alpha);
  }

  /** Draws another picture over this one; `tint` first turns it to one colour, dark parts strongest. */
  lay(picture: Canvas, x: number, y: number, alpha = 1, tint?: number): void {
    for (let row = 0; row < picture.height; row++) {
      for (let column = 0; column < picture.width; column++) {
        const from = (row * picture.width + column) * 3;
        const to = ((y + row) * this.width + x + column) * 3;
        const [r, g, b] = [picture.pixels[from]!, picture.pixels[from + 1]!, picture.pixels[from + 2]!];
        if (tint === undefined) this.#mix(to, (r << 16) | (g << 8) | b, alpha);
        else this.#mix(to, tint, alpha * (1 - (0.3 * r + 0.6 * g + 0.1 * b) / 255));
      }
    }
  }

  /** The distance of each pixel's centre from the segment decides how much of it the pen covers. */
  #segment(
    ax: number,
    ay: number,
    bx: number,
    by: number,
    reach: number,
    full: number,
    left: number,
    top: number,
    right: number,
    bottom: number,
  ): void {
    const [dx, dy] = [bx - ax, by - ay];
    const square = dx * dx + dy * dy || 1;
    for (let y = top; y < bottom; y++) {
      const py = y + 0.5 - ay;
      for (let x = left; x < right; x++) {
        const px = x + 0.5 - ax;
        const along = (px * dx + py * dy) / square;
        const t = along < 0 ? 0 : Math.min(along, 1);
        const ex = px - t * dx;
        const ey = py - t * dy;
        const distance = ex * ex + ey * ey;
        if (distance >= reach * reach) continue;
        const coverage = Math.min(full, reach - Math.sqrt(distance)) * 255;
        const at = y * this.width + x;
        if (coverage > this.#mask[at]!) this.#mask[at] = coverage;
      }
    }
  }

  #paint(x0: number, y0: number, x1: number, y1: number, color: number, alpha: number): void {
    for (let y = y0; y < y1; y++) {
      for (let at = y * this.width + x0; at < y * this.width + x1; at++) {
        const coverage = this.#mask[at]!;
        if (coverage === 0) continue;
        this.#mix(at * 3, color, (coverage / 255) * alpha);
        this.#mask[at] = 0;
      }
    }
  }

  #mix(at: number, color: number, alpha: number): void {
    const { pixels } = this;
    pixels[at] = pixels[at]! + ((color >> 16) - pixels[at]!) * alpha + 0.5;
    pixels[at + 1] = pixels[at + 1]! + (((color >> 8) & 255) - pixels[at + 1]!) * alpha + 0.5;
    pixels[at + 2] = pixels[at + 2]! + ((color & 255) - pixels[at + 2]!) * alpha + 0.5;
  }
}

/** Where the closed outline crosses the height `y`, from left to right. */
function cross(path: Path, y: number, crossings: number[]): void {
  let ax = path[path.length - 2]!;
  let ay = path[path.length - 1]!;
  for (let i = 0; i < path.length; i += 2) {
    const bx = path[i]!;
    const by = path[i + 1]!;
    if (ay <= y !== by <= y) {
      const x = ax + ((y - ay) / (by - ay)) * (bx - ax);
      let at = crossings.length; // few crossings: inserting beats sorting
      while (at > 0 && crossings[at - 1]! > x) {
        crossings[at] = crossings[at - 1]!;
        at--;
      }
      crossings[at] = x;
    }
    ax = bx;
    ay = by;
  }
}

/** Adds the span from `from` to `to` to a row of `width` pixels; the pixels at its ends count in part. */
function cover(row: Float32Array, from: number, to: number, width: number): void {
  const [start, end] = [Math.max(0, from), Math.min(width, to)];
  if (start >= end) return;
  const [first, last] = [Math.floor(start), Math.floor(end)];
  if (first === last) {
    row[first]! += end - start;
    return;
  }
  row[first]! += first + 1 - start;
  for (let x = first + 1; x < last; x++) row[x]! += 1;
  row[last]! += end - last;
}

/** A colour between two, `t` of the way. */
export function mix(a: number, b: number, t: number): number {
  const part = (shift: number) => {
    const [from, to] = [(a >> shift) & 255, (b >> shift) & 255];
    return Math.round(from + (to - from) * t) << shift;
  };
  return part(16) | part(8) | part(0);
}
