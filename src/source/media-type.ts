/**
 * Media types of documents and recordings. The type is logged in clear text, so the list is closed: any other header
 * (free text, something personal) becomes `application/octet-stream`.
 */
const KNOWN: ReadonlySet<string> = new Set([
  ...["jpeg", "png", "webp", "gif", "heic", "heif", "avif", "tiff", "bmp", "jp2", "svg+xml"].map((of) => `image/${of}`),
  ...["mp4", "webm", "quicktime", "ogg", "mpeg", "3gpp", "x-matroska", "x-msvideo"].map((of) => `video/${of}`),
  ...["mpeg", "mp4", "ogg", "wav", "webm"].map((of) => `audio/${of}`),
  ...["pdf", "json", "xml", "zip"].map((of) => `application/${of}`),
  ...["plain", "html", "csv", "xml"].map((of) => `text/${of}`),
]);

const UNKNOWN_MEDIA_TYPE = "application/octet-stream";

/** Type and subtype of an untrusted Content-Type header, without its parameters. */
export function mediaTypeOf(header: unknown): string {
  if (typeof header !== "string") return UNKNOWN_MEDIA_TYPE;
  const type = header.split(";", 1)[0]!.trim().toLowerCase();
  return KNOWN.has(type) ? type : UNKNOWN_MEDIA_TYPE;
}
