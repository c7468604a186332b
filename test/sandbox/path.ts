/** Outlines as flat lists of x, y pairs: what the canvas fills and strokes. */

export type Path = readonly number[];

export function ellipse(cx: number, cy: number, rx: number, ry: number, from = 0, to = 2 * Math.PI): number[] {
  const steps = Math.max(12, Math.ceil(Math.sqrt(Math.max(rx, ry)) * 6));
  const out: number[] = [];
  for (let i = 0; i <= steps; i++) {
    const angle = from + ((to - from) * i) / steps;
    out.push(cx + rx * Math.cos(angle), cy + ry * Math.sin(angle));
  }
  return out;
}

export function roundedRectangle(x: number, y: number, width: number, height: number, radius: number): number[] {
  const quarter = Math.PI / 2;
  return [
    ...ellipse(x + width - radius, y + radius, radius, radius, -quarter, 0),
    ...ellipse(x + width - radius, y + height - radius, radius, radius, 0, quarter),
    ...ellipse(x + radius, y + height - radius, radius, radius, quarter, 2 * quarter),
    ...ellipse(x + radius, y + radius, radius, radius, 2 * quarter, 3 * quarter),
  ];
}

/** A closed smooth outline through the given points (Catmull-Rom). */
export function smooth(points: Path, closed = true): number[] {
  const count = points.length / 2;
  const at = (i: number): [number, number] => {
    const k = closed ? (i + count) % count : Math.min(count - 1, Math.max(0, i));
    return [points[2 * k]!, points[2 * k + 1]!];
  };
  const out: number[] = [];
  for (let i = 0; i < (closed ? count : count - 1); i++) {
    const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    for (let step = 0; step < 8; step++) {
      const t = step / 8;
      const spline = (a: number, b: number, c: number, d: number) =>
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t * t * t);
      out.push(spline(x0, x1, x2, x3), spline(y0, y1, y2, y3));
    }
  }
  if (!closed) out.push(...at(count - 1));
  return out;
}

/** Reads `M`, `L` and `C` with absolute coordinates, as SVG writes them, into one polyline per `M`. */
export function parsePath(text: string): number[][] {
  const lines: number[][] = [];
  for (const [, command, rest] of text.matchAll(/([MLC])([^MLC]*)/g)) {
    const numbers = (rest!.match(/-?[\d.]+/g) ?? []).map(Number);
    if (command === "M") lines.push(numbers);
    else if (command === "L") lines.at(-1)!.push(...numbers);
    else {
      const line = lines.at(-1)!;
      const [x0, y0] = [line.at(-2)!, line.at(-1)!];
      const [x1, y1, x2, y2, x3, y3] = numbers as [number, number, number, number, number, number];
      for (let step = 1; step <= 7; step++) {
        const t = step / 7;
        const u = 1 - t;
        line.push(
          u * u * u * x0 + 3 * u * u * t * x1 + 3 * u * t * t * x2 + t * t * t * x3,
          u * u * u * y0 + 3 * u * u * t * y1 + 3 * u * t * t * y2 + t * t * t * y3,
        );
      }
    }
  }
  return lines;
}
