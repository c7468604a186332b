import { createHash } from "node:crypto";
import { z } from "zod";
import type { RecordPurged } from "../audit/entry.ts";
import { isInstant } from "../audit/time.ts";
import { HoldfastError } from "../error.ts";

const text = z.string().max(2_000);
const count = z.int().min(0);

/** An entry of the log to the byte, and the proof that the log has it (C2SP tlog-proof). */
const proven = z.object({ index: count, entry: z.string().max(65_535), proof: z.string().max(2_000_000) });

const common = {
  client: text,
  /** The log's name, and its public key as whoever made this knew it. */
  origin: text,
  vkey: text,
  /** The purge, as the log names it, and when this was made (RFC 3339 UTC). */
  run: text,
  made: z.string().refine(isInstant),
  /** The rules that the purge followed, in the words of `policy.changed`. */
  policy: z.record(text, text),
  legalBasis: z.array(text),
  totals: z.object({ subjects: count, records: count, files: count, bytes: count, versions: count }),
  /** Each `record.purged` of the run. */
  entries: z.array(proven),
};

const schema = z.discriminatedUnion("holdfast", [
  z.object({ holdfast: z.literal("certificate-of-destruction/1"), ...common }),
  z.object({
    holdfast: z.literal("certificate-of-destruction/2"),
    ...common,
    /** What the log says before that of these subjects and of the rules, so that a reader can replay it. */
    trail: z.array(proven),
  }),
]);

export type ProvenEntry = z.output<typeof proven>;

/** What was destroyed, by whom it was decided and when: tokens, digests and dates, and nothing of anybody. */
export type Certificate = z.output<typeof schema>;

export const CERTIFICATE = "certificate.json";
export const SIGNATURE = "certificate.json.note";
export const PAGE = "certificate.html";

/** Untrusted text. Throws `malformed`. */
export function parseCertificate(json: string): Certificate {
  try {
    return schema.parse(JSON.parse(json));
  } catch (cause) {
    throw new HoldfastError("malformed", `${CERTIFICATE} is not what a purge writes`, { cause });
  }
}

export function totalsOf(purged: readonly RecordPurged[]): Certificate["totals"] {
  const objects = purged.flatMap((entry) => entry.objects);
  const records = objects.filter(({ key }) => key.startsWith("records/")).length;
  return {
    subjects: new Set(purged.map(({ subject }) => subject)).size,
    ...{ records, files: objects.length - records },
    bytes: objects.reduce((sum, { size }) => sum + size, 0),
    versions: objects.reduce((sum, { versions }) => sum + versions, 0),
  };
}

/** What is signed: the log's name, and the digests of the certificate and of its page. */
export function noteText(origin: string, certificate: string, page: string): string {
  const lines = [certificate, page].map((digest) => Buffer.from(digest, "hex").toString("base64"));
  return `${origin}/certificate-of-destruction\n${lines.join("\n")}\n`;
}

/** Lower-case hex. */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
