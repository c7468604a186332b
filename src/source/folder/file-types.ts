import { mediaTypeOf } from "../media-type.ts";

const BY_EXTENSION: Readonly<Record<string, string>> = {
  ...{ jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png", webp: "image/webp", gif: "image/gif" },
  ...{ heic: "image/heic", heif: "image/heif", avif: "image/avif", tif: "image/tiff", tiff: "image/tiff" },
  ...{ bmp: "image/bmp", jp2: "image/jp2", svg: "image/svg+xml" },
  ...{ mp4: "video/mp4", webm: "video/webm", mov: "video/quicktime", mkv: "video/x-matroska", avi: "video/x-msvideo" },
  ...{ mp3: "audio/mpeg", m4a: "audio/mp4", wav: "audio/wav", ogg: "audio/ogg" },
  ...{ pdf: "application/pdf", json: "application/json", xml: "application/xml", zip: "application/zip" },
  ...{ txt: "text/plain", html: "text/html", csv: "text/csv" },
};

/** How the commonest files begin, for names without an extension. */
const BY_BEGINNING: readonly (readonly [begins: string, type: string])[] = [
  ["ffd8ff", "image/jpeg"],
  ["89504e470d0a1a0a", "image/png"],
  ["25504446", "application/pdf"],
];

/** By the name's extension; undefined if that says nothing. */
export function typeByName(name: string): string | undefined {
  const [, extension = ""] = /\.([a-z0-9]+)$/i.exec(name) ?? [];
  const lower = extension.toLowerCase();
  return Object.hasOwn(BY_EXTENSION, lower) ? mediaTypeOf(BY_EXTENSION[lower]) : undefined;
}

export function typeByBeginning(first: Buffer): string {
  const begins = first.toString("hex");
  return mediaTypeOf(BY_BEGINNING.find(([bytes]) => begins.startsWith(bytes))?.[1]);
}
