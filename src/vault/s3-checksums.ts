import type { S3Client } from "@aws-sdk/client-s3";

/**
 * Signs the SHA-256 that a request carries of its body (`x-amz-checksum-sha256`) as the payload's too: every store checks
 * what is signed, also one that knows nothing of checksums (Ceph RGW 16), and the SDK need not hash the body once more.
 */
export function signChecksums(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      const checksum = headers["x-amz-checksum-sha256"];
      if (checksum !== undefined) headers["x-amz-content-sha256"] = Buffer.from(checksum, "base64").toString("hex");
      return next(args);
    },
    // The checksum is there by then, and the signature is not.
    { step: "finalizeRequest", priority: "high", name: "signChecksums" },
  );
}
