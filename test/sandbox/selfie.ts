import { Canvas } from "./canvas.ts";
import { drawnOnce } from "./drawn.ts";
import { makeLook } from "./look.ts";
import { encodePng } from "./png.ts";
import { drawPortrait, FACING } from "./portrait.ts";

const [WIDTH, HEIGHT] = [160, 200];

/** A face as PNG, as a camera or a chip gives it. `turn` as in `Pose`. */
export function drawSelfie(seed: number, index: number, sex: string, birth: string, turn: number): Buffer {
  return drawnOnce(["selfie", seed, index, sex, birth, turn], () => {
    const canvas = new Canvas(WIDTH, HEIGHT);
    drawPortrait(canvas, 0, 0, WIDTH, makeLook(seed, index, sex, birth), { ...FACING, turn });
    return encodePng(canvas.width, canvas.height, canvas.pixels, "Specimen selfie");
  });
}
