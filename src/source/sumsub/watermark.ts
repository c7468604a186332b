import { hasCode } from "../../core/error.ts";
import { object, word } from "../answer.ts";
import type { FetchedFile, SourceCheck } from "../source.ts";
import { idOf, parseItems } from "./answers.ts";
import { applicantCall, imageCall, imagesCall } from "./calls.ts";
import { type Ask, applicantIn } from "./gathering.ts";

/** Kinds of files on which Sumsub can print. */
const PICTURE = /^(image\/)?(jpe?g|png|heic|webp)$/i;
const WHERE = `"Image watermarks" in the app token's settings in Sumsub's dashboard`;

/** An image's bytes by the ids of its inspection and its own. */
export type Fetch = (call: ReturnType<typeof imageCall>) => Promise<FetchedFile>;

/**
 * Whether Sumsub prints COPY on images: then an image has another size than what was sent. No request asks for the
 * setting, so it takes an image of someone who is known.
 */
export async function watermarkCheck(ask: Ask, fetch: Fetch, known: readonly string[]): Promise<SourceCheck> {
  for (const id of known) {
    const image = await imageOf(ask, id);
    if (image === undefined) continue;
    const received = await sizeOf(fetch, image, 2 * image.size + 1_000_000);
    if (received === undefined) continue;
    if (received === image.size)
      return { outcome: "ok", message: "images have the size that was sent: no COPY on them" };
    return {
      outcome: "warning",
      message: `an image has ${received} bytes, and ${image.size} were sent: Sumsub prints COPY on images, or changes them otherwise`,
      hint: `Switch off ${WHERE}. Images that were exported before that are no copies of what was sent.`,
    };
  }
  return {
    outcome: "unknown",
    message: `whether Sumsub prints COPY on images could not be checked: make sure that ${WHERE} is off`,
  };
}

interface Image {
  readonly inspection: string;
  readonly id: string;
  readonly size: number;
}

async function imageOf(ask: Ask, id: string): Promise<Image | undefined> {
  try {
    const inspection = idOf(applicantIn(await ask(applicantCall(id)), id).inspectionId);
    if (inspection === undefined) return undefined;
    const { name } = imagesCall(id);
    for (const { id: image, fileMetadata } of parseItems(name, await ask(imagesCall(id)))) {
      const { fileType, fileSize } = object(fileMetadata);
      const [named, kind] = [idOf(image), word(fileType) ?? ""];
      if (named === undefined || !PICTURE.test(kind) || !Number.isSafeInteger(fileSize)) continue;
      return { inspection, id: named, size: fileSize as number };
    }
    return undefined;
  } catch (error) {
    return passedOver(error);
  }
}

/** How many bytes came; more than `most` are not read. */
async function sizeOf(fetch: Fetch, { inspection, id }: Image, most: number): Promise<number | undefined> {
  try {
    let size = 0;
    for await (const chunk of (await fetch(imageCall(inspection, id))).bytes) {
      size += chunk.length;
      if (size > most) break;
    }
    return size;
  } catch (error) {
    return passedOver(error);
  }
}

/** Someone else may show it. */
function passedOver(error: unknown): undefined {
  if (!hasCode(error, "source-missing", "source-denied", "source-rejected", "source-response")) throw error;
  return undefined;
}
