import { createHash } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { type Operation, operationOf } from "./operation.ts";
import { Refusal } from "./refusal.ts";

export interface Request {
  readonly operation: Operation;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Target = Pick<Request, "operation" | "bucket" | "key" | "query">;

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=[^/,]+\/\d{8}\/[^/,]+\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$/;

/** Path-style only: `/bucket/key`. */
export function targetOf({ method = "", url = "/" }: IncomingMessage): Target {
  const { pathname, searchParams: query } = new URL(url, "http://localhost");
  const [, bucket = "", key = ""] = /^\/([^/]*)\/?(.*)$/s.exec(pathname)!.map(decodeURIComponent);
  return { operation: operationOf(method, key, query), bucket, key, query };
}

/** What AWS requires of every request, whatever the operation. Does not verify the signature itself. */
export function admit({ headers }: IncomingMessage, body: Buffer): void {
  const signed = AUTHORIZATION.exec(headers.authorization ?? "")?.[1]?.split(";");
  if (signed === undefined) throw new Refusal(403, "AccessDenied", "the request carries no signature");
  const unsigned = Object.keys(headers).find((name) => name.startsWith("x-amz-") && !signed.includes(name));
  if (unsigned !== undefined) throw new Refusal(403, "AccessDenied", `${unsigned} is not signed`);

  const digest = headers["x-amz-content-sha256"];
  if (digest === undefined) throw new Refusal(400, "InvalidRequest", "x-amz-content-sha256 is missing");
  // AWS accepts these. Older gateways that Holdfast supports do not, so it must never send them.
  if (
    String(digest).startsWith("STREAMING-") ||
    headers["x-amz-trailer"] !== undefined ||
    /aws-chunked/.test(headers["content-encoding"] ?? "")
  ) {
    throw new Refusal(501, "NotImplemented", "aws-chunked bodies and trailers are refused");
  }
  if (headers["transfer-encoding"] !== undefined) throw new Refusal(411, "MissingContentLength");
  if (digest !== "UNSIGNED-PAYLOAD" && digest !== createHash("sha256").update(body).digest("hex")) {
    throw new Refusal(400, "XAmzContentSHA256Mismatch");
  }
}
