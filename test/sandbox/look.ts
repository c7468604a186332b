/** The look of a drawn face, chosen by the seed, so that a person has the same face on every document. */
import { mix } from "./canvas.ts";
import { Random } from "./random.ts";

export type Hair = "cropped" | "parted" | "curly" | "bob" | "long" | "bun" | "bald";
export type Clothes = "shirt" | "sweater" | "blazer" | "blouse";

export interface Look {
  readonly skin: number;
  readonly hairColor: number;
  readonly hair: Hair;
  readonly eyes: number;
  readonly clothes: Clothes;
  readonly cloth: number;
  readonly backdrop: number;
  readonly beard: "none" | "stubble" | "full" | "moustache";
  readonly glasses: boolean;
  readonly freckles: boolean;
  readonly wrinkles: boolean;
  /**
   * About 1 each: how wide the jaw is, how long the face, how far apart the eyes, how full lips and brows, how long the
   * nose.
   */
  readonly jaw: number;
  readonly length: number;
  readonly spread: number;
  readonly lips: number;
  readonly brows: number;
  readonly nose: number;
  /** -1 to 1: which way the brows tilt and the mouth bends. */
  readonly mood: number;
}

const SKINS = [0xf6d7c3, 0xeec1a2, 0xe0ac84, 0xc98d62, 0xa86d45, 0x8a5433, 0x6b4027, 0xf1cfae];
const HAIRS = [0x2a1d16, 0x15120f, 0x4a3020, 0x6e4a2c, 0xa7793f, 0xd2ae6d, 0x8c3b1f, 0x3b2a22];
const EYES = [0x4b3621, 0x5a4028, 0x6c7a4a, 0x4f7ca0, 0x7d9aa5, 0x35261a];
const CLOTHS = [0x2f4256, 0x5d3a46, 0x3f5d4c, 0x6a6f76, 0x7c4f2e, 0x39375b, 0x8b2f39, 0xb7a588];
const BACKDROPS = [0xdfe6ea, 0xe6e4de, 0xdde4e0, 0xe8e2e6];

export function makeLook(seed: number, index: number, sex: string, birth: string): Look {
  const random = new Random(seed, 40, index);
  const man = sex === "male" || (sex !== "female" && random.chance(50));
  const year = Number(birth.slice(0, 4));
  const grey = year < 1958 ? 0.85 : year < 1970 ? random.between(0, 0.7) : 0;
  const skin = random.pick(SKINS);
  // Dark skin goes with dark hair; the first two hair colours and the last are dark.
  const hair =
    SKINS.indexOf(skin) >= 3 && skin !== SKINS[7] ? random.pick([0, 1, 7].map((i) => HAIRS[i]!)) : random.pick(HAIRS);
  return {
    skin,
    hairColor: mix(hair, 0xc9c7c4, grey),
    hair: man
      ? random.weighted<Hair>([
          ["cropped", 30],
          ["parted", 34],
          ["curly", 20],
          ["bald", year < 1975 ? 30 : 6],
          ["long", 5],
        ])
      : random.weighted<Hair>([
          ["long", 34],
          ["bob", 26],
          ["bun", 22],
          ["curly", 14],
          ["parted", 6],
        ]),
    eyes: SKINS.indexOf(skin) >= 3 && skin !== SKINS[7] ? EYES[random.pick([0, 5])]! : random.pick(EYES),
    clothes: man
      ? random.pick(["shirt", "sweater", "blazer"] as const)
      : random.pick(["blouse", "sweater", "blazer"] as const),
    cloth: random.pick(CLOTHS),
    backdrop: random.pick(BACKDROPS),
    beard: man
      ? random.weighted([
          ["none", 50],
          ["stubble", 18],
          ["full", 20],
          ["moustache", 12],
        ] as const)
      : "none",
    glasses: random.chance(25),
    freckles: SKINS.indexOf(skin) < 2 && random.chance(30),
    wrinkles: year < 1966,
    jaw: man ? random.between(0.96, 1.1) : random.between(0.88, 1.02),
    length: random.between(0.95, 1.06),
    spread: random.between(0.93, 1.08),
    lips: man ? random.between(0.7, 1) : random.between(0.95, 1.35),
    brows: man ? random.between(1, 1.5) : random.between(0.6, 0.95),
    nose: random.between(0.88, 1.14),
    mood: random.between(-1, 1),
  };
}
