import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { signCheckpoint } from "../../src/audit/checkpoint.ts";
import { leafHash, rootOf } from "../../src/audit/merkle.ts";
import { generateKey, parseSigner } from "../../src/audit/note.ts";
import { formatProof, inclusionProof } from "../../src/audit/proof.ts";
import { commitment } from "../../src/bag/retrieval.ts";
import { parseRecipients } from "../../src/config/recipients.ts";
import { Sealer } from "../../src/seal/seal.ts";
import { resign } from "./bag-lists.ts";

/**
 * Makes bags as someone does who has a log key of their own and knows the officer's public key: everything fits
 * everything else, and every word is the forger's.
 */

// biome-ignore lint/suspicious/noExplicitAny: a forger is held to no schema
type Anything = any;

export const SUBJECTS = ["a", "b", "c"].map((digit) => digit.repeat(32));
export const VERSION = "20260101T000000Z-0123456789ab";
const WORDS = { case: "1", requestedBy: "Mallory", reason: "why" };
const TIME = "2026-11-23T10:15:00.000Z";
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export const recordKey = (subject: string, version = VERSION): string =>
  `records/${subject.slice(0, 2)}/${subject}/${version}.age`;
export const fileKey = (subject: string, n: number): string =>
  `files/${subject.slice(0, 2)}/${subject}/${n.toString(16).padStart(32, "0")}.age`;

/** What is to be in a bag. All of it may be changed before it is written. */
export interface Forged {
  client: string;
  people: {
    subject: string;
    version: string;
    /** The record before it is sealed; bytes are sealed as they are. */
    record: Anything;
    recordKey: string;
    files: { key: string; plain: Uint8Array; sealed?: Uint8Array }[];
    /** How many of the files are in entries of their own, so many in each. */
    apart?: { count: number; each: number };
  }[];
  /** Changes an entry before it is logged. */
  entry: (entry: Anything) => Anything;
  retrieval: (retrieval: Anything) => Anything;
  /** Where an object is put in the folder, if not at its key. */
  place: (key: string) => string;
}

/** Three people with a record and two files each, all in order. */
export function inOrder(): Forged {
  return {
    client: "acme-bank",
    people: SUBJECTS.map((subject) => {
      const files = [1, 2].map((n) => ({ key: fileKey(subject, n), plain: Buffer.from(`file ${n} of ${subject}`) }));
      return { subject, version: VERSION, record: recordOf(files), recordKey: recordKey(subject), files };
    }),
    entry: (entry) => entry,
    retrieval: (retrieval) => retrieval,
    place: (key) => key,
  };
}

export function recordOf(files: readonly { key: string; plain: Uint8Array }[]): Anything {
  return {
    ...{ holdfast: "record/2", client: "acme-bank", fetched: TIME, collect: "full", legalBasis: [] },
    source: { name: "passbase", kind: "passbase", api: "http://127.0.0.1", project: "p" },
    identity: { id: "1", status: "approved", verified: true, updated: "2026-01-01T00:00:00Z", documents: [] },
    files: files.map(({ key, plain }, n) => ({
      ...{ id: String(n), resource: "r", type: "document_image", page: 1, mediaType: "image/png" },
      ...{ size: plain.length, sha256: sha256(plain), key },
    })),
    withheld: [],
  };
}

/** Writes the bag, signed with a log key of its own; gives that key's public half. */
export async function forge(folder: string, recipient: string, { people, ...of }: Forged): Promise<string> {
  const sealer = new Sealer(await parseRecipients([recipient]));
  const { skey, vkey } = generateKey("acme-bank.example/holdfast");
  const signer = parseSigner(skey);
  const salt = "0".repeat(64);
  const put = async (path: string, content: Uint8Array | string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  };
  const entries: Anything[] = [];
  const subjects: Anything[] = [];
  const common = { time: TIME, run: "20261123T101500Z-abcdef" };
  for (const { subject, version, record, recordKey: key, files, apart } of people) {
    const stored = async (name: string, sealed: Uint8Array) => {
      await put(`data/${of.place(name)}`, sealed);
      return { key: name, versionId: "1", size: sealed.length, sha256: sha256(sealed) };
    };
    const plain = record instanceof Uint8Array ? record : Buffer.from(JSON.stringify(record));
    const object = await stored(key, await sealer.seal(plain));
    const listed: Anything[] = [];
    for (const { key: name, plain: content, sealed } of files) {
      const file = await stored(name, sealed ?? (await sealer.seal(content)));
      listed.push({ ...file, type: "document_image", mediaType: "image/png", lockedUntil: "2030-01-01T00:00:00Z" });
    }
    const trail: number[] = [];
    const more = apart ? listed.splice(0, apart.count) : [];
    for (let at = 0; apart && at < apart.count; at += apart.each) {
      trail.push(entries.length);
      const part = more.slice(at, at + apart.each);
      entries.push(of.entry({ type: "record.files", ...common, subject, version, files: part }));
    }
    trail.push(entries.length);
    subjects.push({ subject, records: [{ version, entry: entries.length }], trail });
    entries.push(
      of.entry({
        ...{ type: "record.stored", ...common, subject, version, updated: "2026-01-01T00:00:00Z", object },
        ...{ files: listed, withheld: 0, recipients: [], lockedUntil: "2030-01-01T00:00:00Z", lookups: {} },
        ...(apart ? { moreFiles: apart.count } : {}),
      }),
    );
  }
  const told = { type: "retrieval.prepared", ...common, subjects: people.map(({ subject }) => subject) };
  entries.push(of.entry({ ...told, records: people.length, files: 0, commitment: commitment(WORDS, salt) }));

  const bytes = entries.map((entry) => Buffer.from(JSON.stringify(entry)));
  const leaves = bytes.map(leafHash);
  const size = leaves.length;
  const checkpoint = signCheckpoint({ origin: signer.name, size, root: rootOf(leaves) }, signer);
  for (const [index, entry] of bytes.entries()) {
    const hashes = await inclusionProof(index, size, async () => Buffer.concat(leaves));
    await put(`evidence/entries/${index}.json`, entry);
    await put(`evidence/proofs/${index}.tlog-proof`, formatProof({ index, hashes, checkpoint }));
  }
  await put("evidence/checkpoint", checkpoint);
  const log = { origin: signer.name, vkey };
  await put(
    "evidence/vault.json",
    JSON.stringify({
      ...{ format: "holdfast-vault/1", client: of.client, created: TIME, log, recipients: [recipient] },
      lookups: { check: "0".repeat(16) },
    }),
  );
  const retrieval = {
    ...{ holdfast: "bag/1", client: of.client, ...WORDS, prepared: TIME, salt, retrieval: [size - 1] },
    subjects: subjects.map((each) => ({ ...each, trail: [...each.trail, size - 1] })),
  };
  await put("evidence/retrieval.json", JSON.stringify(of.retrieval(retrieval)));
  await put("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
  await put("bag-info.txt", "Source-Organization: acme-bank\n");
  await put("README.txt", "forged\n");
  await put("viewer.html", "forged\n");
  await resign(folder, skey);
  return vkey;
}
