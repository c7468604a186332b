import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { HoldfastError } from "../../error.ts";
import { BOOLEAN, Der, OCTETS, SEQUENCE, TAGGED_3 } from "./der.ts";

/** Certificates between the authority's own and the one that is trusted, and these two, at most. */
const LONGEST_CHAIN = 8;
const MAX_FILE = 1024 * 1024;

const EXTENDED_KEY_USAGE = "551d25";
const TIME_STAMPING = "2b06010505070308";
const KEY_USAGE = "551d0f";
const KEY_CERT_SIGN = 0x04;

/** The certificates that a person trusts to vouch for time stamps, PEM. "config" for a file that has none. */
export async function readAnchors(path: string): Promise<X509Certificate[]> {
  const mend = "Name a file with the certificate of the time-stamping authority's root, PEM.";
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new HoldfastError("config", `${path} cannot be read (${code})`, { cause, mend });
  }
  const found = text.length > MAX_FILE ? [] : text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  try {
    if (found?.length) return found.map((pem) => new X509Certificate(pem));
  } catch (cause) {
    throw new HoldfastError("config", `${path} holds a certificate that cannot be read`, { cause, mend });
  }
  throw new HoldfastError("config", `${path} holds no certificate`, { mend });
}

/**
 * That the certificate may sign time stamps, and leads to one that is trusted, each valid at that time. Throws
 * "unverified". Whether one was revoked is not asked: that takes a network, and the answer of years ago.
 */
export function checkAuthority(
  signer: X509Certificate,
  offered: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  at: Date,
): void {
  const [usage, ...others] = extensions(signer).filter(({ oid }) => oid === EXTENDED_KEY_USAGE);
  const purposes = usage && Der.parse(usage.value).parts(SEQUENCE, 1);
  if (!usage?.critical || others.length > 0 || purposes?.length !== 1 || purposes[0]!.oid() !== TIME_STAMPING) {
    throw unverified("its certificate is not one for time stamps alone (critical extended key usage timeStamping)");
  }
  checkValid(signer, at);
  const chain = [signer];
  for (let last = signer; !anchors.some((anchor) => anchor.raw.equals(last.raw)); chain.push(last)) {
    if (chain.length === LONGEST_CHAIN) throw unverified("its chain of certificates is too long");
    const issuer = [...anchors, ...offered].find((each) => issued(each, last));
    if (issuer === undefined || chain.includes(issuer))
      throw unverified("its certificate does not lead to one that is trusted");
    checkValid(issuer, at);
    last = issuer;
  }
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  if (!issuer.ca || !subject.checkIssued(issuer) || !subject.verify(issuer.publicKey)) return false;
  const usage = extensions(issuer).find(({ oid }) => oid === KEY_USAGE);
  // BIT STRING: unused bits, then the bits from the highest on.
  return usage === undefined || ((Der.parse(usage.value).value[1] ?? 0) & KEY_CERT_SIGN) !== 0;
}

function checkValid({ validFromDate, validToDate, subject }: X509Certificate, at: Date): void {
  if (at >= validFromDate && at <= validToDate) return;
  throw unverified(`a certificate was not valid at ${at.toISOString()}: ${subject.replaceAll("\n", ", ")}`);
}

interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** Node shows which purposes a certificate has, not whether that is critical. */
function extensions({ raw }: X509Certificate): Extension[] {
  const certificate = Der.parse(raw).parts(SEQUENCE, 3)[0]!.parts(SEQUENCE, 6);
  const list = certificate.find(({ tag }) => tag === TAGGED_3)?.parts(TAGGED_3, 1) ?? [];
  return list
    .flatMap((all) => all.parts(SEQUENCE))
    .map((each) => {
      const [oid, ...rest] = each.parts(SEQUENCE, 2);
      const critical = rest.length > 1 && rest[0]!.is(BOOLEAN).value[0] === 0xff;
      return { oid: oid!.oid(), critical, value: rest.at(-1)!.is(OCTETS).value };
    });
}

function unverified(what: string): HoldfastError {
  return new HoldfastError("unverified", `the time stamp does not check: ${what}`);
}
