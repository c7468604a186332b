import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseSigner, signNote } from "../../src/audit/note.ts";
import { formatProof } from "../../src/audit/proof.ts";
import {
  CERTIFICATE,
  type CertificateV3,
  certificateNoteText,
  DESTROYED,
  ENTRIES,
  PAGE,
  SIGNATURE,
  sha256,
} from "../../src/certificate/certificate.ts";

/** A line of ENTRIES as anyone reads it. */
export interface Line {
  readonly index: number;
  readonly entry: string;
  readonly hashes: readonly string[];
}

export async function readCertificate(folder: string): Promise<CertificateV3> {
  return JSON.parse(await readFile(join(folder, CERTIFICATE), "utf8"));
}

export async function readLines(folder: string): Promise<Line[]> {
  const text = await readFile(join(folder, ENTRIES), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Keys of the objects that a certificate's table has. */
export async function destroyedKeys(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, DESTROYED), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((row) => row.split(",")[1]!);
}

/** The certificate and its lines, changed, with digests and a signature as someone with the log key makes them. */
export async function resign(
  folder: string,
  skey: string,
  change: { certificate?: (of: CertificateV3) => unknown; lines?: (of: Line[]) => Line[] },
): Promise<void> {
  const lines = (change.lines ?? ((of) => of))(await readLines(folder));
  const entries = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  await writeFile(join(folder, ENTRIES), entries);
  const list = await readFile(join(folder, DESTROYED));
  const of = { ...(await readCertificate(folder)), files: { [ENTRIES]: sha256(entries), [DESTROYED]: sha256(list) } };
  await sign(folder, skey, (change.certificate ?? ((same) => same))(of));
}

/** As an earlier version of Holdfast wrote it: all in one file. */
export async function asEarlier(folder: string, skey: string, version: 1 | 2): Promise<void> {
  const { runs, checkpoint, files: _, ...of } = await readCertificate(folder);
  const proven = (await readLines(folder)).map(({ index, entry, hashes }) => ({
    ...{ index, entry },
    proof: formatProof({ index, checkpoint, hashes: hashes.map((hash) => Buffer.from(hash, "base64")) }),
  }));
  const isPurge = ({ entry }: { entry: string }): boolean => entry.includes('"type":"record.purged"');
  const trail = version === 2 ? { trail: proven.filter((each) => !isPurge(each)) } : {};
  for (const name of [ENTRIES, DESTROYED]) await rm(join(folder, name));
  await sign(folder, skey, {
    ...{ ...of, holdfast: `certificate-of-destruction/${version}`, run: runs[0] },
    ...{ entries: proven.filter(isPurge), ...trail },
  });
}

async function sign(folder: string, skey: string, certificate: unknown): Promise<void> {
  const json = JSON.stringify(certificate);
  const signer = parseSigner(skey);
  const page = await readFile(join(folder, PAGE));
  await writeFile(join(folder, CERTIFICATE), json);
  await writeFile(
    join(folder, SIGNATURE),
    signNote(certificateNoteText(signer.name, sha256(json), sha256(page)), [signer]),
  );
}
