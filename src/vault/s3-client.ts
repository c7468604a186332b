import { S3Client } from "@aws-sdk/client-s3";
import { AwsCredentials, CREDENTIALS_REFUSED } from "../net/aws-credentials.ts";
import { awsAgents } from "../net/proxy.ts";
import { noteAddress } from "./s3-address.ts";
import { boundAnswers } from "./s3-bounds.ts";
import { BucketHeaders, type BucketTerms } from "./s3-headers.ts";

export interface S3Connection extends BucketTerms {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly forcePathStyle?: boolean | undefined;
  readonly maxSockets: number;
  /** How long a connection may be silent, in ms. */
  readonly idleTimeout?: number | undefined;
}

/** The SDK's client as Holdfast uses it: one attempt, bounded answers, and no checksums added by the SDK. */
export function s3Client(
  { endpoint, region, forcePathStyle, maxSockets, idleTimeout, ...terms }: S3Connection,
  headers = new BucketHeaders(terms),
): S3Client {
  const credentials = new AwsCredentials();
  const idle = idleTimeout ?? 60_000;
  const client = new S3Client({
    region: region ?? process.env.AWS_REGION ?? "us-east-1",
    ...(endpoint ? { endpoint } : {}),
    forcePathStyle: forcePathStyle ?? false,
    credentials: credentials.provide,
    // Older gateways refuse the trailers that the SDK sends by default. Every write has its own checksum.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: Math.min(10_000, idle),
      // Only silence is limited: on a slow line, a part may take long as long as bytes arrive.
      socketTimeout: idle,
      ...awsAgents(maxSockets),
    },
  });
  boundAnswers(client);
  // Before any answer: what fails here never reached the server, or the server said nothing.
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        noteAddress(error, args.request);
        throw error;
      }
    },
    { step: "deserialize", priority: "low", name: "noteAddress" },
  );
  // Retry once with fresh credentials: they may have been rotated.
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (!(error instanceof Error && CREDENTIALS_REFUSED.has(error.name)) || !credentials.expire()) throw error;
        return await next(args);
      }
    },
    { step: "build", priority: "high", name: "rotatedCredentials" },
  );
  headers.attach(client);
  signChecksums(client);
  return client;
}

/**
 * Uses a request's `x-amz-checksum-sha256` as the signed payload hash too. Every store checks the signature, even one
 * that does not know checksums (Ceph RGW 16), and the SDK need not hash the body again.
 */
function signChecksums(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      const checksum = headers["x-amz-checksum-sha256"];
      if (checksum !== undefined) headers["x-amz-content-sha256"] = Buffer.from(checksum, "base64").toString("hex");
      return next(args);
    },
    // At this step the checksum is set and the signature is not.
    { step: "finalizeRequest", priority: "high", name: "signChecksums" },
  );
}
