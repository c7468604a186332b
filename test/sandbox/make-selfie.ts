/**
 * Makes selfie.mp4, the sandbox's clip for every selfie video: a drawn face that turns, blinks and smiles for four
 * seconds. Run `node test/sandbox/make-selfie.ts` to make it again; it needs ffmpeg with libx264.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Canvas } from "./canvas.ts";
import { write } from "./font.ts";
import { makeLook } from "./look.ts";
import { ellipse } from "./path.ts";
import { drawPortrait, type Pose } from "./portrait.ts";

const [WIDTH, HEIGHT, RATE, SECONDS] = [288, 360, 15, 4];
const target = new URL("selfie.mp4", import.meta.url).pathname;

/** 0 outside, up to 1 in the middle of the time from `from` to `to`. */
const bump = (t: number, from: number, to: number) =>
  t > from && t < to ? Math.sin(((t - from) / (to - from)) * Math.PI) : 0;

function pose(t: number): Pose {
  return {
    turn: 0.9 * bump(t, 0.4, 1.6) - 0.9 * bump(t, 1.6, 2.8),
    blink: Math.max(bump(t, 0.15, 0.4), bump(t, 1.5, 1.75), bump(t, 3.1, 3.35)),
    smile: bump(t, 2.7, 4.2),
    nod: 0.7 * Math.sin(t * 2),
  };
}

const ffmpeg = spawn(
  "ffmpeg",
  [
    ..."-hide_banner -loglevel error -y -f rawvideo -pix_fmt rgb24".split(" "),
    ...["-s", `${WIDTH}x${HEIGHT}`, "-r", String(RATE), "-i", "-"],
    ..."-c:v libx264 -profile:v main -preset veryslow -crf 26 -pix_fmt yuv420p -movflags +faststart".split(" "),
    ..."-threads 1 -fflags +bitexact -flags:v +bitexact -map_metadata -1".split(" "),
    target,
  ],
  { stdio: ["pipe", "inherit", "inherit"] },
);
const look = makeLook(1, 5, "female", "1991-04-02");
for (let frame = 0; frame < RATE * SECONDS; frame++) {
  const canvas = new Canvas(WIDTH, HEIGHT);
  drawPortrait(canvas, 0, 0, WIDTH, look, pose(frame / RATE));
  canvas.stroke([ellipse(WIDTH / 2, HEIGHT * 0.46, WIDTH * 0.36, HEIGHT * 0.38)], 3, 0xffffff, 0.75);
  write(canvas, "SPECIMEN", WIDTH / 2, HEIGHT - 40, {
    size: 24,
    pen: 3.2,
    color: 0xc0202c,
    alpha: 0.75,
    align: "center",
    spacing: 0.15,
  });
  if (!ffmpeg.stdin.write(canvas.pixels)) await once(ffmpeg.stdin, "drain");
}
ffmpeg.stdin.end();
const [code] = (await once(ffmpeg, "close")) as [number];
process.exitCode = code;
