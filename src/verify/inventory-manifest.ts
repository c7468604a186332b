import { createHash } from "node:crypto";
import * as z from "zod";
import { HoldfastError } from "../core/error.ts";

/** The columns that are used. An inventory may have more. */
export const COLUMNS = [
  ...(["Bucket", "Key", "VersionId", "IsDeleteMarker", "Size"] as const),
  ...(["ObjectLockRetainUntilDate", "ObjectLockMode", "ObjectLockLegalHoldStatus"] as const),
];

/** Largest manifest, in bytes: some 40,000 files. */
export const MAX_INVENTORY_MANIFEST = 16 * 1024 ** 2;

const HOW =
  "Configure S3 Inventory with the format CSV, all versions (IncludedObjectVersions: All), and the optional fields Size, ObjectLockRetainUntilDate, ObjectLockMode and ObjectLockLegalHoldStatus.";

/** Untrusted: it lies in a bucket of its own. */
const schema = z.object({
  // An error shows it, and the format.
  sourceBucket: z.string().max(255),
  creationTimestamp: z.string().regex(/^\d{12,14}$/),
  fileFormat: z.string().max(20),
  fileSchema: z.string(),
  files: z.array(
    z.object({
      // The last part also names a file on this machine.
      key: z
        .string()
        .max(1024)
        .regex(/^(?:.*\/)?[A-Za-z0-9_-][A-Za-z0-9._-]*$/s),
      size: z.int().min(0),
      MD5checksum: z.string().regex(/^[0-9a-fA-F]{32}$/),
    }),
  ),
});

export interface InventoryManifest {
  readonly created: Temporal.Instant;
  readonly columns: readonly string[];
  readonly files: readonly { readonly key: string; readonly size: number; readonly md5: string }[];
}

/**
 * Checks the manifest of an S3 Inventory. Throws `usage`.
 * @param checksum the content of `manifest.checksum` beside it
 * @param bucket that the inventory must be of
 */
export function parseInventoryManifest(
  bytes: Uint8Array,
  checksum: string,
  { bucket, now }: { readonly bucket: string; readonly now: Temporal.Instant },
): InventoryManifest {
  const md5 = createHash("md5").update(bytes).digest("hex");
  if (md5 !== checksum.trim().toLowerCase())
    throw unusable("its manifest does not match manifest.checksum", "Copy the inventory again.");
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw unusable("its manifest is not JSON");
  }
  const read = schema.safeParse(json);
  if (!read.success) throw unusable("its manifest is not one that S3 Inventory writes");
  const { sourceBucket, creationTimestamp, fileFormat, fileSchema, files } = read.data;
  if (sourceBucket !== bucket)
    throw unusable(`it is of bucket ${sourceBucket}, and the vault is in ${bucket}`, "Name the vault's own inventory.");
  // Parquet names its columns in another way, and has no small reader.
  if (fileFormat !== "CSV") throw unusable(`its format is ${fileFormat}, which Holdfast does not read`, HOW);
  const columns = fileSchema.split(",").map((name) => name.trim());
  const missing = COLUMNS.filter((name) => !columns.includes(name));
  if (missing.length > 0) throw unusable(`it lacks ${missing.join(", ")}`, HOW);
  const created = Temporal.Instant.fromEpochMilliseconds(Number(creationTimestamp));
  if (Temporal.Instant.compare(created, now.add({ hours: 24 })) > 0)
    throw unusable(`it was made ${created}, which is in the future`, "Check this machine's clock.");
  return {
    created,
    columns,
    files: files.map(({ key, size, MD5checksum }) => ({ key, size, md5: MD5checksum.toLowerCase() })),
  };
}

export function unusable(what: string, hint?: string, cause?: unknown): HoldfastError {
  return new HoldfastError("usage", `the inventory cannot be used: ${what}`, {
    cause,
    hint: hint ?? "Name the manifest.json of an inventory, or the folder that has it.",
  });
}
