import { HoldfastError } from "../../error.ts";
import type { SealedRecord } from "../../record/record.ts";
import { Opener, parseIdentityFile } from "../../seal/open.ts";
import { digestOf } from "./digest.ts";
import { wordsOf } from "./finding.ts";
import { Json } from "./json.ts";
import type { SealedObject, SealedVersion } from "./sealed-record.ts";

/** A version of a record, decrypted; or why it is not. */
export interface OpenedVersion {
  readonly sealed: SealedVersion;
  readonly record: SealedRecord | null;
  readonly problem: string | null;
}

export interface OpenedFile {
  readonly type: string;
  readonly page: number | null;
  readonly mediaType: string;
  readonly bytes: Uint8Array | null;
  readonly problem: string | null;
  /** Destroyed at the end of its time: as it should be. */
  readonly purged: boolean;
}

const MAX_RECORD = 64 * 1024 ** 2;

/** The private keys of an identity file; they stay in this page's memory. */
export function openerFrom(text: string): Opener {
  return new Opener(parseIdentityFile(text, (key) => ({ reveal: () => key })));
}

/** Only what the log vouches for is decrypted: age says nothing about who sealed a thing. */
async function unseal({ file, unproven, purged }: SealedObject, opener: Opener): Promise<Uint8Array> {
  if (purged !== null)
    throw new HoldfastError("incomplete", `Destroyed at the end of its time, as line ${purged} of the log says.`);
  if (file === undefined || unproven !== null) throw new HoldfastError("unverified", `Not opened. ${unproven}`);
  return opener.open(await (file.opens ?? file).read());
}

export async function openVersion(sealed: SealedVersion, client: string, opener: Opener): Promise<OpenedVersion> {
  try {
    const bytes = await unseal(sealed, opener);
    if (bytes.length > MAX_RECORD) throw new HoldfastError("malformed", "The record is too large to be shown.");
    const json = Json.parse(bytes, "The record");
    if (json.member("holdfast").value !== "record/1")
      throw new HoldfastError("malformed", "The record is of a version that this page does not know.");
    if (json.member("client").value !== client)
      throw new HoldfastError("unverified", "The record is another client's than the bag says.");
    json.member("fetched").text(40);
    json.member("identity").member("verified");
    for (const file of json.member("files").items(5_000)) {
      for (const name of ["type", "mediaType", "key"]) file.member(name).text(500);
    }
    json.member("withheld").items(5_000);
    for (const basis of json.member("legalBasis").items(100)) basis.text();
    return { sealed, record: json.value as SealedRecord, problem: null };
  } catch (error) {
    return { sealed, record: null, problem: wordsOf(error) };
  }
}

/** A file of a record. `versions`: all of the subject, because a file's digest stands with the record it came with. */
export async function openFile(
  listed: SealedRecord["files"][number],
  { sealed }: OpenedVersion,
  versions: readonly OpenedVersion[],
  opener: Opener,
): Promise<OpenedFile> {
  const object = sealed.files.find(({ key }) => key === listed.key);
  const head = {
    purged: typeof object?.purged === "number",
    type: listed.type,
    page: typeof listed.page === "number" ? listed.page : null,
    mediaType: listed.mediaType,
  };
  try {
    if (object === undefined) throw new HoldfastError("incomplete", "The bag does not hold it.");
    const bytes = await unseal(object, opener);
    const said =
      listed.sha256 ??
      versions.flatMap(({ record }) => record?.files ?? []).find(({ key, sha256 }) => key === listed.key && sha256)
        ?.sha256;
    if (typeof said === "string" && said !== (await digestOf(bytes)))
      throw new HoldfastError("unverified", "Its content is not what the record says was received.");
    return { ...head, bytes, problem: null };
  } catch (error) {
    return { ...head, bytes: null, problem: wordsOf(error) };
  }
}
