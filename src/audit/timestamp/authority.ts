import { X509Certificate } from "node:crypto";
import { HoldfastError } from "../../core/error.ts";
import { readBounded } from "../../io/bounded-file.ts";
import { BOOLEAN, Der, hex, INTEGER, OCTETS, SEQUENCE, TAGGED_0, TAGGED_3 } from "./der.ts";

/** Most certificates in a chain, including the authority's own and the trusted one. */
const LONGEST_CHAIN = 8;
const MAX_FILE = 1024 * 1024;

/** BIT STRING. */
const BITS = 0x03;

const BASIC_CONSTRAINTS = "551d13";
const NAME_CONSTRAINTS = "551d1e";
const EXTENDED_KEY_USAGE = "551d25";
const TIME_STAMPING = "2b06010505070308";
const KEY_USAGE = "551d0f";
const KEY_CERT_SIGN = 0x04;
/** digitalSignature and nonRepudiation: the key usages for signing time stamps. */
const SIGNING = 0xc0;
/** Extensions that are checked here. A critical one of another type may forbid what this code would accept. */
const KNOWN: ReadonlySet<string> = new Set([BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE]);

/** Reads the certificates that a person trusts for time stamps, in PEM. Throws `config` if the file has none. */
export async function readAnchors(path: string): Promise<X509Certificate[]> {
  const hint = "Name a PEM file with the root certificate of the time-stamping authority.";
  let text: string;
  try {
    text = (await readBounded(path, MAX_FILE)).bytes?.toString("utf8") ?? "";
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new HoldfastError("config", `${path} cannot be read (${code})`, { cause, hint });
  }
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  try {
    if (found?.length) return found.map((pem) => new X509Certificate(pem));
  } catch (cause) {
    throw new HoldfastError("config", `${path} holds an invalid certificate`, { cause, hint });
  }
  throw new HoldfastError("config", `${path} holds no certificate`, { hint });
}

/**
 * Checks that the certificate may sign time stamps and chains to a trusted one, all valid at that time and allowed by
 * their issuers. Refuses what `openssl verify -purpose timestampsign` refuses, and also name constraints and unknown
 * critical extensions. Throws `unverified`. Does not check revocation: that needs a network, and the answer from years
 * ago.
 */
export function checkAuthority(
  signer: X509Certificate,
  offered: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  at: Date,
): void {
  const own = checkExtensions(signer);
  const usage = own.get(EXTENDED_KEY_USAGE);
  const purposes = usage && Der.parse(usage.value).parts(SEQUENCE, 1);
  if (!usage?.critical || purposes?.length !== 1 || purposes[0]!.oid() !== TIME_STAMPING) {
    throw unverified("its certificate is not limited to time stamps (critical extended key usage timeStamping)");
  }
  const [bits = SIGNING, ...more] = keyUsage(own.get(KEY_USAGE)) ?? [];
  if ((bits & SIGNING) === 0 || (bits & ~SIGNING) !== 0 || more.some((byte) => byte !== 0)) {
    throw unverified("its certificate has key usages other than digitalSignature and nonRepudiation");
  }
  checkValid(signer, at);
  const chain = [signer];
  /** CAs below the issuer, without those that only change their own key. */
  let below = 0;
  for (let last = signer; !anchors.some((anchor) => anchor.raw.equals(last.raw)); chain.push(last)) {
    if (chain.length === LONGEST_CHAIN) throw unverified("its chain of certificates is too long");
    const issuer = [...anchors, ...offered].find((each) => issued(each, last));
    if (issuer === undefined || chain.includes(issuer))
      throw unverified("its certificate does not chain to a trusted one");
    checkValid(issuer, at);
    if (pathLength(checkExtensions(issuer).get(BASIC_CONSTRAINTS)) < below) {
      throw unverified(`a certificate allows fewer CAs below it (path length): ${named(issuer)}`);
    }
    if (!isSelfIssued(issuer)) below += 1;
    last = issuer;
  }
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  if (!issuer.ca || !subject.checkIssued(issuer) || !subject.verify(issuer.publicKey)) return false;
  const usage = keyUsage(extensions(issuer).find(({ oid }) => oid === KEY_USAGE));
  return usage === undefined || ((usage[0] ?? 0) & KEY_CERT_SIGN) !== 0;
}

function checkValid(certificate: X509Certificate, at: Date): void {
  if (at >= certificate.validFromDate && at <= certificate.validToDate) return;
  throw unverified(`a certificate was not valid at ${at.toISOString()}: ${named(certificate)}`);
}

/** The extensions by type. Throws if one could forbid something that is not checked here. */
function checkExtensions(certificate: X509Certificate): Map<string, Extension> {
  const found = extensions(certificate);
  const byKind = new Map(found.map((each) => [each.oid, each]));
  if (byKind.size !== found.length) throw unverified(`a certificate has an extension twice: ${named(certificate)}`);
  if (byKind.has(NAME_CONSTRAINTS)) {
    throw unverified(`a certificate has name constraints, which Holdfast does not check: ${named(certificate)}`);
  }
  if (found.some(({ oid, critical }) => critical && !KNOWN.has(oid))) {
    throw unverified(`a certificate has a critical extension that Holdfast does not know: ${named(certificate)}`);
  }
  return byKind;
}

/** How many CAs may be below one; without a limit, infinitely many. */
function pathLength(constraints: Extension | undefined): number {
  const limit =
    constraints &&
    Der.parse(constraints.value)
      .parts(SEQUENCE)
      .find(({ tag }) => tag === INTEGER);
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  return (limit.value[0] ?? 0x80) & 0x80 ? -1 : Number.parseInt(hex(limit.value), 16);
}

/** The bits of a BIT STRING, highest first, without the leading count of unused bits. */
function keyUsage(usage: Extension | undefined): Uint8Array | undefined {
  return usage && Der.parse(usage.value).is(BITS).value.subarray(1);
}

function isSelfIssued({ raw }: X509Certificate): boolean {
  const parts = Der.parse(raw).parts(SEQUENCE, 3)[0]!.parts(SEQUENCE, 6);
  // After the optional version, [0]: number, algorithm, issuer, validity, subject.
  const [, , issuer, , subject] = parts.slice(parts[0]!.tag === TAGGED_0 ? 1 : 0);
  return Buffer.compare(issuer!.bytes, subject!.bytes) === 0;
}

function named({ subject }: X509Certificate): string {
  return subject.replaceAll("\n", ", ");
}

interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** Node shows a certificate's purposes, but not whether that extension is critical. */
function extensions({ raw }: X509Certificate): Extension[] {
  const certificate = Der.parse(raw).parts(SEQUENCE, 3)[0]!.parts(SEQUENCE, 6);
  const list = certificate.find(({ tag }) => tag === TAGGED_3)?.parts(TAGGED_3, 1) ?? [];
  return list
    .flatMap((all) => all.parts(SEQUENCE))
    .map((each) => {
      const [oid, ...rest] = each.parts(SEQUENCE, 2);
      // DER only allows 0xff for true. Other readers accept 0x01 as true, so this must not read it as false.
      const critical = rest.length > 1 && rest[0]!.is(BOOLEAN).value.some((byte) => byte !== 0);
      return { oid: oid!.oid(), critical, value: rest.at(-1)!.is(OCTETS).value };
    });
}

function unverified(what: string): HoldfastError {
  return new HoldfastError("unverified", `the time stamp is not valid: ${what}`);
}
