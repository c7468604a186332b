import { HoldfastError } from "../core/error.ts";
import type { SealedRecord } from "../record/record.ts";
import { Opener, parseIdentityFile } from "../seal/open.ts";
import { type BagFile, MAX_IN_MEMORY } from "./bag-file.ts";
import { digestOf } from "./digest.ts";
import { blames, wordsOf } from "./finding.ts";
import { bytes } from "./format.ts";
import { Json } from "./json.ts";
import type { SealedObject, SealedVersion } from "./sealed-record.ts";

/** A version of a record, decrypted; or why it is not. */
export interface OpenedVersion {
  readonly sealed: SealedVersion;
  readonly record: SealedRecord | null;
  readonly problem: string | null;
  /** The problem is this machine's, or the page's: it speaks neither against the record nor against the key. */
  readonly unchecked: boolean;
}

export interface OpenedFile {
  readonly id: string;
  readonly resource: string;
  readonly type: string;
  readonly page: number | null;
  readonly mediaType: string;
  readonly bytes: Uint8Array | null;
  readonly problem: string | null;
  /** The problem is this machine's, or the page's. */
  readonly unchecked: boolean;
  /** Destroyed after its retention period: as it should be. */
  readonly purged: boolean;
}

const MAX_RECORD = 64 * 1024 ** 2;

/** The private keys of an identity file; they stay in this page's memory. */
export function openerFrom(text: string): Opener {
  return new Opener(parseIdentityFile(text, (key) => ({ reveal: () => key })));
}

/** Only what the log vouches for is decrypted: age says nothing about who sealed a thing. */
async function unseal({ file, unproven, unchecked, purged }: SealedObject, opener: Opener): Promise<Uint8Array> {
  if (purged !== null)
    throw new HoldfastError("incomplete", `Destroyed after its retention period, as line ${purged} of the log says.`);
  if (file === undefined || unproven !== null)
    throw new HoldfastError(unchecked ? "state" : "unverified", `Not opened. ${unproven}`);
  return opener.open(await readSealed(file.opens ?? file));
}

/** All of it, in memory: within a bound. */
async function readSealed(file: BagFile): Promise<Uint8Array> {
  if (file.size <= MAX_IN_MEMORY) return file.read(0, file.size);
  const size = `${bytes(file.size)}, and this page opens up to ${bytes(MAX_IN_MEMORY)}`;
  throw new HoldfastError("state", `Checked, but too large to open here: it has ${size}.`, {
    hint: "Open it on the command line: holdfast open.",
  });
}

export async function openVersion(sealed: SealedVersion, client: string, opener: Opener): Promise<OpenedVersion> {
  try {
    const content = await unseal(sealed, opener);
    if (content.length > MAX_RECORD) throw new HoldfastError("state", "The record is too large to be shown.");
    const json = Json.parse(content, "The record");
    if (json.member("holdfast").value !== "record/1" && json.member("holdfast").value !== "record/2")
      throw new HoldfastError("malformed", "This page does not know this version of a record.");
    if (json.member("client").value !== client)
      throw new HoldfastError("unverified", "The record belongs to a different client than the bag says.");
    json.member("fetched").text(40);
    json.member("identity").member("verified");
    for (const file of json.member("files").items(5_000)) {
      for (const name of ["type", "mediaType", "key"]) file.member(name).text(500);
    }
    for (const file of json.member("withheld").items(5_000))
      for (const name of ["id", "resource", "reason"]) file.member(name).text(2_000);
    for (const basis of json.member("legalBasis").items(100)) basis.text();
    return { sealed, record: json.value as SealedRecord, problem: null, unchecked: false };
  } catch (error) {
    return { sealed, record: null, problem: wordsOf(error), unchecked: !blames(error) };
  }
}

/** A file of a record. `versions`: all of the subject, because the record that a file came with has its digest. */
export async function openFile(
  listed: SealedRecord["files"][number],
  { sealed }: OpenedVersion,
  versions: readonly OpenedVersion[],
  opener: Opener,
): Promise<OpenedFile> {
  const object = sealed.files.find(({ key }) => key === listed.key);
  const head = {
    purged: typeof object?.purged === "number",
    id: typeof listed.id === "string" ? listed.id : "",
    resource: typeof listed.resource === "string" ? listed.resource : "",
    type: listed.type,
    page: typeof listed.page === "number" ? listed.page : null,
    mediaType: listed.mediaType,
  };
  try {
    if (object === undefined) throw new HoldfastError("incomplete", "It is not in the bag.");
    const content = await unseal(object, opener);
    const said =
      listed.sha256 ??
      versions.flatMap(({ record }) => record?.files ?? []).find(({ key, sha256 }) => key === listed.key && sha256)
        ?.sha256;
    if (typeof said === "string" && said !== (await digestOf(content)))
      throw new HoldfastError("unverified", "Its content differs from what the record says was received.");
    return { ...head, bytes: content, problem: null, unchecked: false };
  } catch (error) {
    return { ...head, bytes: null, problem: wordsOf(error), unchecked: !blames(error) };
  }
}
