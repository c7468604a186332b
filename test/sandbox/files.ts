/** The bytes of a file. */
import type { Readable } from "node:stream";
import type { FileContent } from "./resource.ts";

export interface FileBody {
  readonly mediaType: string;
  readonly size: number;
  readonly bytes: Buffer | Readable;
}

export function makeFileBody(content: FileContent): FileBody {
  const bytes = Buffer.from(`specimen ${content.file.id} ${content.recaptured}`);
  return { mediaType: content.document ? "image/png" : "video/mp4", size: bytes.length, bytes };
}
