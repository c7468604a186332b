/**
 * Parses an answer of a time-stamping authority (RFC 3161, TimeStampResp) without checking it. Reads the parts of CMS
 * (RFC 5652) that a time stamp has. The viewer in a bag uses this too, so it must not import node:crypto.
 */
import { HoldfastError } from "../../core/error.ts";
import { Der, hex, INTEGER, OCTETS, SEQUENCE, SET, TAGGED_0, TIME } from "./der.ts";

/** The largest answer, in bytes. One with a chain of certificates takes 2 to 8 kB. */
export const MAX_TOKEN = 64 * 1024;

const SIGNED_DATA = "2a864886f70d010702";
/** id-ct-TSTInfo: the signed content is a time stamp, and nothing else that the same key may sign. */
export const TST_INFO = "2a864886f70d0109100104";
const SHA256 = "608648016503040201";

export interface Token {
  /** RFC 3339 UTC, with the authority's precision. */
  readonly time: string;
  /** SHA-256 of the stamped data, in lower-case hex. */
  readonly imprint: string;
  /** The nonce's bytes in hex, or undefined. */
  readonly nonce: string | undefined;
  /** The exact bytes of TSTInfo, whose digest is in the signed attributes. */
  readonly content: Uint8Array;
  /** Certificates in the answer, in DER. */
  readonly certificates: readonly Uint8Array[];
  /** The parts of the only SignerInfo, from `sid` on. */
  readonly signer: {
    readonly sid: Der;
    readonly digest: string;
    /** The signed attributes as one SET, as they were signed. */
    readonly signed: Uint8Array;
    /** Values by type. */
    readonly attributes: ReadonlyMap<string, readonly Der[]>;
    readonly algorithm: string;
    readonly signature: Uint8Array;
  };
}

/** Parses an untrusted answer. Throws `malformed` if it is invalid, `unverified` if the authority refused. */
export function parseToken(bytes: Uint8Array): Token {
  if (bytes.length > MAX_TOKEN) throw malformed(`it is longer than ${MAX_TOKEN} bytes`);
  const [status, content] = Der.parse(bytes).parts(SEQUENCE, 1);
  const granted = status!.parts(SEQUENCE, 1)[0]!.integer();
  if (granted !== "00" && granted !== "01") {
    throw new HoldfastError(
      "unverified",
      `the time-stamping authority refused (status ${Number.parseInt(granted, 16)})`,
    );
  }
  if (content === undefined) throw malformed("it contains no token");
  const [type, data] = content.parts(SEQUENCE, 2);
  if (type!.oid() !== SIGNED_DATA) throw malformed("its token is not signed data");
  const [, , signed, ...more] = data!.parts(TAGGED_0, 1)[0]!.parts(SEQUENCE, 4);
  const [contentType, wrapped] = signed!.parts(SEQUENCE, 2);
  if (contentType!.oid() !== TST_INFO) throw malformed("the signed content is not a time stamp");
  const info = wrapped!.parts(TAGGED_0, 1)[0]!.is(OCTETS).value;
  const signers = more.at(-1)!.parts(SET);
  if (signers.length !== 1) throw malformed("it does not have exactly one signer");
  return {
    ...parseInfo(info),
    content: info,
    // Other certificate types than X.509 have other tags.
    certificates: more
      .slice(0, -1)
      .filter(({ tag }) => tag === TAGGED_0)
      .flatMap((set) => set.children())
      .filter(({ tag }) => tag === SEQUENCE)
      .map(({ bytes: der }) => der),
    signer: parseSigner(signers[0]!),
  };
}

function parseInfo(bytes: Uint8Array): Pick<Token, "time" | "imprint" | "nonce"> {
  const [version, , imprint, , time, ...optional] = Der.parse(bytes).parts(SEQUENCE, 5);
  if (version!.integer() !== "01") throw malformed("it is not of version 1");
  const [algorithm, digest] = imprint!.parts(SEQUENCE, 2);
  if (algorithm!.parts(SEQUENCE, 1)[0]!.oid() !== SHA256) throw malformed("its digest is not SHA-256");
  const value = digest!.is(OCTETS).value;
  if (value.length !== 32) throw malformed("its digest does not have 32 bytes");
  return {
    time: parseTime(time!),
    imprint: hex(value),
    nonce: optional.find(({ tag }) => tag === INTEGER)?.integer(),
  };
}

/** GeneralizedTime as in RFC 3161: in UTC, to the second or finer. */
function parseTime(element: Der): string {
  const text = new TextDecoder().decode(element.is(TIME).value);
  const [, year, month, day, hour, minute, second, fraction = ""] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{1,9})?Z$/.exec(text) ?? [];
  const time = `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}Z`;
  if (year === undefined || Number.isNaN(Date.parse(time))) throw malformed("its time is invalid");
  return time;
}

function parseSigner(info: Der): Token["signer"] {
  const [, sid, digest, attributes, algorithm, signature] = info.parts(SEQUENCE, 6);
  const parts = attributes!.parts(TAGGED_0, 1).map((each) => each.parts(SEQUENCE, 2));
  const types = parts.map(([type]) => type!.oid());
  if (new Set(types).size !== types.length) throw malformed("a signed attribute appears twice");
  const signed = Uint8Array.from(attributes!.bytes);
  // The signature covers it as a SET, but it is written as [0].
  signed[0] = SET;
  return {
    sid: sid!.is(SEQUENCE),
    digest: digest!.parts(SEQUENCE, 1)[0]!.oid(),
    signed,
    attributes: new Map(parts.map(([type, values]) => [type!.oid(), values!.parts(SET, 1)])),
    algorithm: algorithm!.parts(SEQUENCE, 1)[0]!.oid(),
    signature: signature!.is(OCTETS).value,
  };
}

function malformed(what: string): HoldfastError {
  return new HoldfastError("malformed", `invalid time stamp: ${what}`);
}
