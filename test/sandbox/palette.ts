/** Reduces a picture to at most 256 colours: a third of the bytes, and hardly visible on a printed document. */

export interface Indexed {
  /** RGB triples. */
  readonly palette: Buffer;
  /** One palette index per pixel. */
  readonly indexes: Uint8Array;
}

// Colours are distinguished by their upper five bits; each cell represents the mean of its pixels.
const CELLS = 1 << 15;

// Kept between pictures: fresh arrays of this size would cost more than the counting.
const count = new Uint32Array(CELLS);
const sums = new Uint32Array(CELLS * 3); // 255 times sixteen million pixels would fit

export function reduceColors(pixels: Uint8Array): Indexed {
  count.fill(0);
  sums.fill(0);
  const cells = new Uint16Array(pixels.length / 3);
  for (let i = 0, p = 0; i < cells.length; i++, p += 3) {
    const r = pixels[p]!;
    const g = pixels[p + 1]!;
    const b = pixels[p + 2]!;
    const cell = ((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3);
    cells[i] = cell;
    count[cell] = count[cell]! + 1;
    sums[cell * 3] = sums[cell * 3]! + r;
    sums[cell * 3 + 1] = sums[cell * 3 + 1]! + g;
    sums[cell * 3 + 2] = sums[cell * 3 + 2]! + b;
  }
  const used: number[] = [];
  for (let cell = 0; cell < CELLS; cell++) if (count[cell]! > 0) used.push(cell);
  // The most frequent colours stay; the others, mostly at edges, become the nearest of them.
  used.sort((a, b) => count[b]! - count[a]! || a - b);
  const kept = used.slice(0, 256);
  const palette = Buffer.alloc(kept.length * 3);
  const mean = (cell: number, part: number) => sums[cell * 3 + part]! / count[cell]!;
  kept.forEach((cell, i) => {
    for (let part = 0; part < 3; part++) palette[i * 3 + part] = Math.round(mean(cell, part));
  });
  const indexOf = new Uint8Array(CELLS);
  used.forEach((cell, i) => {
    indexOf[cell] = i < kept.length ? i : nearest(palette, mean(cell, 0), mean(cell, 1), mean(cell, 2));
  });
  const indexes = new Uint8Array(cells.length);
  for (let i = 0; i < cells.length; i++) indexes[i] = indexOf[cells[i]!]!;
  return { palette, indexes };
}

function nearest(palette: Buffer, r: number, g: number, b: number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < palette.length; i += 3) {
    const dr = palette[i]! - r;
    const dg = palette[i + 1]! - g;
    const db = palette[i + 2]! - b;
    const distance = 2 * dr * dr + 4 * dg * dg + db * db; // the eye sees green best
    if (distance < least) {
      least = distance;
      best = i / 3;
    }
  }
  return best;
}
