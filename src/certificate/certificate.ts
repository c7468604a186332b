import { createHash } from "node:crypto";
import * as z from "zod";
import type { RecordPurged } from "../audit/entry.ts";
import { MAX_PROOF } from "../audit/merkle.ts";
import { MAX_SIGNED_NOTE } from "../audit/note.ts";
import { HoldfastError } from "../core/error.ts";
import { isInstant } from "../core/timestamp.ts";
import { parseKey } from "../vault/layout.ts";

const text = z.string().max(2_000);
const count = z.int().min(0);
const entry = z.string().max(65_535);
const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** The files of a certificate. The first two forms had no ENTRIES and no DESTROYED. */
export const CERTIFICATE = "certificate.json";
export const SIGNATURE = "certificate.json.note";
export const PAGE = "certificate.html";
export const ENTRIES = "entries.jsonl";
export const DESTROYED = "destroyed.csv";

const common = {
  client: text,
  /** The log's name, and its public key as the writer knew it. */
  origin: text,
  vkey: text,
  /** When this was made (RFC 3339 UTC). */
  made: z.string().refine(isInstant),
  /** The rules that the purge followed, in the words of `policy.changed`. */
  policy: z.record(text, text),
  legalBasis: z.array(text),
  totals: z.object({ subjects: count, records: count, files: count, bytes: count, versions: count }),
};

/** An entry of the log to the byte, and the proof that the log has it (C2SP tlog-proof). */
const proven = z.object({ index: count, entry, proof: z.string().max(2_000_000) });

const early = {
  ...common,
  run: text,
  /** Each `record.purged` of the run. */
  entries: z.array(proven),
};

const schema = z.discriminatedUnion("holdfast", [
  z.object({ holdfast: z.literal("certificate-of-destruction/1"), ...early }),
  z.object({
    holdfast: z.literal("certificate-of-destruction/2"),
    ...early,
    /** What the log says before that of these subjects and of the rules, so that a reader can replay it. */
    trail: z.array(proven),
  }),
  z.object({
    holdfast: z.literal("certificate-of-destruction/3"),
    ...common,
    /** The client as people outside know it; earlier versions wrote none. */
    company: z.object({ name: text, contact: text.optional() }).optional(),
    /** The purge, and those before it that were stopped, as the log names them. */
    runs: z.array(text).min(1),
    /** The log's signed checkpoint to the byte. Every entry is proven to be under it. */
    checkpoint: z.string().max(MAX_SIGNED_NOTE),
    /** SHA-256 of the other files. */
    files: z.object({ [ENTRIES]: digest, [DESTROYED]: digest }),
  }),
]);

/** What was destroyed, by whom it was decided and when: tokens, digests and dates, and nothing of anyone. */
export type Certificate = z.output<typeof schema>;
/** The form that this version writes. */
export type CertificateV3 = Extract<Certificate, { runs: unknown }>;

/** Each certificate's own: a purge has one, and its run is unique to the client. */
export function numberOf({ client, runs }: Pick<CertificateV3, "client" | "runs">): string {
  return `${client}/${runs.at(-1)}`;
}

/** One line of ENTRIES: an entry to the byte, and the hashes that lead from it to the checkpoint's root, base64. */
const line = z.object({ index: count, entry, hashes: z.array(z.string().max(44)).max(MAX_PROOF) });

/** Untrusted text. Throws `malformed`. */
export function parseCertificate(json: string): Certificate {
  try {
    return schema.parse(JSON.parse(json));
  } catch (cause) {
    throw new HoldfastError("malformed", `${CERTIFICATE} is not what a purge writes`, { cause });
  }
}

/** Untrusted text. Throws `malformed`. */
export function parseEntryLine(json: string): z.output<typeof line> {
  try {
    return line.parse(JSON.parse(json));
  } catch (cause) {
    throw new HoldfastError("malformed", `${ENTRIES} is not what a purge writes`, { cause });
  }
}

export function formatEntryLine(of: z.output<typeof line>): string {
  return `${JSON.stringify(of)}\n`;
}

/** Sums over purges as they come. How many subjects they are of is for others to count. */
export class DestroyedTotals {
  readonly #sums = { records: 0, files: 0, bytes: 0, versions: 0 };

  add({ objects }: Pick<RecordPurged, "objects">): void {
    for (const { key, size, versions } of objects) {
      this.#sums[parseKey(key)?.kind === "record" ? "records" : "files"] += 1;
      this.#sums.bytes += size;
      this.#sums.versions += versions;
    }
  }

  of(subjects: number): Certificate["totals"] {
    return { subjects, ...this.#sums };
  }
}

/** What is signed: the log's name, and the digests of the certificate and of its page. */
export function certificateNoteText(origin: string, certificate: string, page: string): string {
  const lines = [certificate, page].map((digest) => Buffer.from(digest, "hex").toString("base64"));
  return `${origin}/certificate-of-destruction\n${lines.join("\n")}\n`;
}

/** Lower-case hex. */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The head of the list that people open: a table of every object that is gone. Nothing in it needs quotes. */
export const DESTROYED_HEAD =
  "subject,object,destroyed,had_to_be_kept_until,relationship_ended,bytes,versions,sha256\n";

/** The rows of one purge, in its order. They follow from the entry alone, so that a reader can make them again. */
export function destroyedRows({ subject, time, ended = "", objects }: RecordPurged): string {
  return objects
    .map(
      ({ key, due, size, versions, sha256 }) =>
        `${[subject, key, time, due, ended, size, versions, sha256].join(",")}\n`,
    )
    .join("");
}
