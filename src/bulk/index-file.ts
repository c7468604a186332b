import * as z from "zod";
import { HoldfastError } from "../core/error.ts";
import { isInstant } from "../core/timestamp.ts";
import { readBounded } from "../io/bounded-file.ts";
import { fileError } from "../io/file-error.ts";

/** The index of a folder of manifests. */
export const INDEX = "index.json";
const FORMAT = "holdfast-extension/1";
/** Largest index, in bytes: 256 manifests with their commands. */
const LIMIT = 4 * 1024 ** 2;

const instant = z.string().refine(isInstant);

/** It lies on a disk, and is read again later: anyone with that disk may have changed it. */
const schema = z.object({
  format: z.literal(FORMAT),
  client: z.string(),
  /** `s3://bucket/prefix` */
  vault: z.string(),
  made: instant,
  /** Due objects that are in no manifest: the nightly run extends them. */
  left: z.int().min(0),
  manifests: z
    .array(
      z.object({
        file: z.string().regex(/^[a-z]+-until-[0-9TZ]+\.csv$/),
        lockedUntil: instant,
        lockMode: z.enum(["governance", "compliance"]),
        objects: z.int().min(1),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        /** For a shell: uploads it and creates its job. */
        command: z.string(),
      }),
    )
    .max(256),
});

export type Index = z.output<typeof schema>;
export type ManifestFile = Index["manifests"][number];

export function indexText(index: Omit<Index, "format">): string {
  return `${JSON.stringify({ format: FORMAT, ...index }, undefined, 2)}\n`;
}

/** Reads and checks an index. Throws `usage`. */
export async function readIndex(path: string, of: Pick<Index, "client" | "vault">): Promise<Index> {
  const { bytes } = await readBounded(path, LIMIT).catch((cause: unknown) => {
    throw fileError(cause, path, "read", "Name the folder that `retention extend --manifest` wrote.");
  });
  const index = parsed(bytes);
  if (index === undefined) throw unfit(`${path} is not what \`retention extend --manifest\` writes`);
  if (index.client !== of.client || index.vault !== of.vault)
    throw unfit(`${path} is of client ${index.client} and the vault ${index.vault}`);
  return index;
}

function parsed(bytes: Buffer | undefined): Index | undefined {
  try {
    return schema.safeParse(JSON.parse(bytes?.toString("utf8") ?? "")).data;
  } catch {
    return undefined;
  }
}

export function unfit(what: string, cause?: unknown): HoldfastError {
  return new HoldfastError("usage", `the manifests cannot be used: ${what}`, {
    cause,
    hint: "Name the folder as `retention extend --manifest` wrote it. Without it, the nightly run extends what is still due.",
  });
}
