import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { checkAuthority } from "../../src/audit/timestamp/authority.ts";
import { hasCode } from "../../src/core/error.ts";
import { Openssl } from "../servers/tsa.ts";

const CA = ["basicConstraints = critical,CA:TRUE", "keyUsage = critical,keyCertSign,cRLSign"];
const ca = (limit: string, ...more: string[]) => [`basicConstraints = critical,CA:TRUE${limit}`, CA[1]!, ...more];
const PURPOSE = "extendedKeyUsage = critical,timeStamping";
const TSA = ["basicConstraints = critical,CA:FALSE", "keyUsage = critical,digitalSignature", PURPOSE];
const uses = (usage: string) => [TSA[0]!, `keyUsage = critical,${usage}`, PURPOSE];
const UNKNOWN = "1.2.3.4.5 = ASN1:UTF8String:whatever";

interface Chain {
  /** Extensions of the root, the CAs below it, and the signer. */
  readonly root?: readonly string[];
  readonly between?: readonly (readonly string[])[];
  readonly leaf?: readonly string[];
  /** Names of the CAs between and of the signer, if they matter. */
  readonly names?: readonly string[];
  readonly refused?: RegExp;
  /** Whether openssl accepts it, if that differs from us. */
  readonly openssl?: boolean;
}

const chains: Record<string, Chain> = {
  "a root and a signer": {},
  "a CA between": { between: [CA] },
  "three intermediate CAs": { between: [CA, CA, CA] },
  "a root that allows no CA below it, without one": { root: ca(",pathlen:0") },
  "a root that allows no CA below it, with one": {
    root: ca(",pathlen:0"),
    between: [CA],
    refused: /path length.*CN=root/,
  },
  "a root that allows one CA, with one": { root: ca(",pathlen:1"), between: [ca(",pathlen:0")] },
  "a root that allows one CA, with two": { root: ca(",pathlen:1"), between: [CA, CA], refused: /path length.*CN=root/ },
  "a CA that allows no CA below it, with one": {
    between: [CA, ca(",pathlen:0"), CA],
    refused: /path length.*CN=between1/,
  },
  "a CA that only changes its own key is not counted": {
    ...{ root: ca(",pathlen:1"), between: [ca(",pathlen:1"), ca(",pathlen:0")], names: ["same", "same"] },
  },
  "name constraints that are violated": {
    between: [ca("", "nameConstraints = critical,permitted;dirName:only", "[only]", "CN = someone else")],
    refused: /name constraints/,
  },
  "name constraints that are violated, not critical": {
    between: [ca("", "nameConstraints = permitted;dirName:only", "[only]", "CN = someone else")],
    refused: /name constraints/,
  },
  "name constraints that are satisfied: not checked here": {
    ...{ between: [ca("", "nameConstraints = critical,permitted;dirName:only", "[only]", "CN = leaf")] },
    ...{ refused: /name constraints/, openssl: true },
  },
  "name constraints of the root": {
    root: ca("", "nameConstraints = critical,permitted;dirName:only", "[only]", "CN = someone else"),
    refused: /name constraints.*CN=root/,
  },
  "an unknown critical extension of a CA": {
    between: [ca("", UNKNOWN.replace("=", "= critical,"))],
    refused: /critical extension/,
  },
  "an unknown critical extension of the root": {
    root: ca("", UNKNOWN.replace("=", "= critical,")),
    refused: /critical extension/,
  },
  "an unknown critical extension of the signer": {
    leaf: [...TSA, UNKNOWN.replace("=", "= critical,")],
    refused: /critical extension/,
  },
  "unknown extensions that are not critical": { between: [ca("", UNKNOWN)], leaf: [...TSA, UNKNOWN] },
  "critical policies of a CA: not checked here": {
    ...{ between: [ca("", "certificatePolicies = critical,1.2.3.4")], refused: /critical extension/, openssl: true },
  },
  "a signer for digitalSignature and nonRepudiation": { leaf: uses("digitalSignature,nonRepudiation") },
  "a signer for nonRepudiation": { leaf: uses("nonRepudiation") },
  "a signer without a key usage": { leaf: [TSA[0]!, PURPOSE] },
  "a signer for keyEncipherment": { leaf: uses("keyEncipherment"), refused: /key usage/ },
  "a signer also for keyEncipherment": { leaf: uses("digitalSignature,keyEncipherment"), refused: /key usage/ },
  "a signer also for keyCertSign": { leaf: uses("digitalSignature,keyCertSign"), refused: /key usage/ },
  "a signer for cRLSign": { leaf: uses("cRLSign"), refused: /key usage/ },
  "a signer also for decipherOnly: a bit in the second byte": {
    ...{ leaf: uses("digitalSignature,decipherOnly"), refused: /key usage/ },
  },
  "a signer for another purpose": {
    leaf: [TSA[0]!, TSA[1]!, "extendedKeyUsage = critical,codeSigning"],
    refused: /limited to time stamps/,
  },
  "a CA without keyCertSign": {
    between: [[CA[0]!, "keyUsage = critical,digitalSignature"]],
    refused: /not chain to/,
  },
  "a CA only for cRLSign": { between: [[CA[0]!, "keyUsage = critical,cRLSign"]], refused: /not chain to/ },
  "a CA without a key usage": { between: [[CA[0]!]] },
  "a certificate that is not a CA": { between: [["basicConstraints = critical,CA:FALSE"]], refused: /not chain to/ },
  "a root without keyCertSign": { root: [CA[0]!, "keyUsage = critical,cRLSign"], refused: /not chain to/ },
};

describe("a chain of certificates: accepted and refused as openssl does, or refused with a reason", () => {
  let openssl: Openssl;
  before(async () => {
    openssl = await Openssl.make();
  });
  after(() => openssl[Symbol.asyncDispose]());

  const read = async (name: string) => new X509Certificate(await readFile(openssl.path(`${name}.pem`)));

  for (const [what, { root = CA, between = [], leaf = TSA, names, refused, openssl: taken }] of Object.entries(
    chains,
  )) {
    test(what, async () => {
      await openssl.certify("root", root, undefined, names?.[0] ?? "root");
      let issuer = "root";
      for (const [at, extensions] of between.entries()) {
        await openssl.certify(`between${at}`, extensions, issuer, names?.[at] ?? `between${at}`);
        issuer = `between${at}`;
      }
      await openssl.certify("leaf", leaf, issuer);
      const others = between.map((_, at) => `between${at}`);
      const offered = await Promise.all(others.map(read));
      const anchors = [await read("root")];
      const signer = await read("leaf");
      const check = () => checkAuthority(signer, [signer, ...offered], anchors, new Date());
      if (refused === undefined) check();
      else assert.throws(check, (error) => hasCode(error, "unverified") && refused.test((error as Error).message));
      assert.equal(await openssl.takesForTimestamps("root", others, "leaf"), taken ?? refused === undefined);
    });
  }
});
