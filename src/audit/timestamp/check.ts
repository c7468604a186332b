import { createHash, verify, X509Certificate } from "node:crypto";
import { HoldfastError } from "../../core/error.ts";
import { checkAuthority } from "./authority.ts";
import { Der, hex, OCTETS, OID, SEQUENCE, TAGGED_0 } from "./der.ts";
import { parseToken, type Token, TST_INFO } from "./token.ts";

const CONTENT_TYPE = "2a864886f70d010903";
const MESSAGE_DIGEST = "2a864886f70d010904";
/** RFC 2634 has the SHA-1 of the signer's certificate; RFC 5035 names the digest. */
const SIGNING_CERTIFICATE = "2a864886f70d010910020c";
const SIGNING_CERTIFICATE_V2 = "2a864886f70d010910022f";

const DIGESTS: Readonly<Record<string, string>> = {
  "608648016503040201": "sha256",
  "608648016503040202": "sha384",
  "608648016503040203": "sha512",
};
/** ECDSA and RSA. If the algorithm names no digest, the one of the attributes applies. */
const SIGNATURES: Readonly<Record<string, string | "as-digest">> = {
  "2a8648ce3d040302": "sha256",
  "2a8648ce3d040303": "sha384",
  "2a8648ce3d040304": "sha512",
  "2a864886f70d01010b": "sha256",
  "2a864886f70d01010c": "sha384",
  "2a864886f70d01010d": "sha512",
  "2a8648ce3d0201": "as-digest",
  "2a864886f70d010101": "as-digest",
};

/** A time stamp that passed all checks. */
export interface Timestamp {
  /** RFC 3339 UTC: the stamped data existed at this time. */
  readonly time: string;
  /** Name in the signer's certificate. */
  readonly authority: string;
}

export interface Stamped {
  /** SHA-256 that the stamp must be about, in lower-case hex. */
  readonly digest: string;
  /** The request's nonce in hex, if this answers a request. */
  readonly nonce?: string;
  readonly anchors: readonly X509Certificate[];
}

/**
 * Checks an untrusted answer of a time-stamping authority: it stamps this digest, its signature is valid, and its
 * signer's certificate chains to one of the anchors, all valid at its time. Throws `malformed` or `unverified`.
 */
export function checkTimestamp(bytes: Uint8Array, { digest, nonce, anchors }: Stamped): Timestamp {
  const token = parseToken(bytes);
  if (token.imprint !== digest) throw unverified("it is about other data");
  if (nonce !== undefined && token.nonce !== nonce) throw unverified("it answers another request");
  const offered = token.certificates.map(readCertificate);
  const signer = signerOf(token, offered);
  checkSignature(token, signer);
  checkAuthority(signer, offered, anchors, new Date(token.time));
  return { time: token.time, authority: signer.subject.replaceAll("\n", ", ") };
}

/** The certificate that the signed attributes name by digest. Its issuer and number must match the unsigned ones. */
function signerOf({ signer }: Token, offered: readonly X509Certificate[]): X509Certificate {
  const v2 = signer.attributes.get(SIGNING_CERTIFICATE_V2);
  const [attribute] = v2 ?? signer.attributes.get(SIGNING_CERTIFICATE) ?? [];
  if (attribute === undefined) throw unverified("it does not say which certificate signed it");
  const first = attribute.parts(SEQUENCE, 1)[0]!.parts(SEQUENCE, 1)[0]!.parts(SEQUENCE, 1);
  const named = first[0]!.tag === SEQUENCE ? DIGESTS[first[0]!.parts(SEQUENCE, 1)[0]!.oid()] : undefined;
  const algorithm = v2 === undefined ? "sha1" : (named ?? "sha256");
  const hash = hex(first.find(({ tag }) => tag === OCTETS)?.value ?? new Uint8Array());
  const [issuer, number] = signer.sid.parts(SEQUENCE, 2);
  const found = offered.find(({ raw }) => {
    const parts = Der.parse(raw).parts(SEQUENCE, 3)[0]!.parts(SEQUENCE, 6);
    // The version, [0], is optional.
    const [serial, , issuedBy] = parts.slice(parts[0]!.tag === TAGGED_0 ? 1 : 0);
    return (
      createHash(algorithm).update(raw).digest("hex") === hash &&
      Buffer.compare(serial!.bytes, number!.bytes) === 0 &&
      Buffer.compare(issuedBy!.bytes, issuer!.bytes) === 0
    );
  });
  if (found === undefined) throw unverified("it does not contain the signer's certificate");
  return found;
}

function checkSignature({ signer, content }: Token, { publicKey }: X509Certificate): void {
  const digest = DIGESTS[signer.digest];
  const named = SIGNATURES[signer.algorithm];
  if (digest === undefined || named === undefined) throw unverified("its signature algorithm is not supported");
  const [type] = signer.attributes.get(CONTENT_TYPE) ?? [];
  if (type?.tag !== OID || type.oid() !== TST_INFO)
    throw unverified("the signed content is not declared as a time stamp");
  const [said] = signer.attributes.get(MESSAGE_DIGEST) ?? [];
  if (said === undefined || createHash(digest).update(content).digest("hex") !== hex(said.is(OCTETS).value)) {
    throw unverified("its content does not match the signature");
  }
  if (!verify(named === "as-digest" ? digest : named, signer.signed, publicKey, signer.signature)) {
    throw unverified("its signature is invalid");
  }
}

function readCertificate(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (cause) {
    throw new HoldfastError("malformed", "the time stamp holds an invalid certificate", { cause });
  }
}

function unverified(what: string): HoldfastError {
  return new HoldfastError("unverified", `the time stamp is not valid: ${what}`);
}
