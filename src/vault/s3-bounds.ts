import { pipeline, Readable, Transform } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { HoldfastError } from "../core/error.ts";

/**
 * The longest answer that is not an object, in bytes: about ten times a page of 1,000 versions with the longest keys.
 */
export const MAX_ANSWER = 16 * 1024 * 1024;

/** The SDK buffers every answer except an object's body in memory, without a limit. This adds the limit. */
export function boundAnswers(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const output = await next(args);
        const response = output.response as { statusCode: number; headers: Record<string, string>; body?: unknown };
        const isObject = commandName === "GetObjectCommand" && response.statusCode < 300;
        // HTTP itself enforces a short Content-Length, which the answer to every PUT has.
        const isShort = Number(response.headers["content-length"] ?? MAX_ANSWER) < MAX_ANSWER;
        if (!isObject && !isShort && response.body instanceof Readable) response.body = bounded(response.body);
        return output;
      },
    // Closest to the wire: after the SDK has parsed the answer is too late.
    { step: "deserialize", priority: "low", name: "boundAnswers" },
  );
}

/** Marked as one of the SDK's own errors. To others the SDK adds text for debugging the SDK. */
function tooLong(): HoldfastError {
  const error = new HoldfastError("vault-rejected", `the store's answer exceeds ${MAX_ANSWER} bytes`);
  return Object.assign(error, { $metadata: {} });
}

function bounded(body: Readable): Readable {
  let size = 0;
  const gate = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      size += chunk.length;
      if (size <= MAX_ANSWER) done(null, chunk);
      else done(tooLong());
    },
  });
  // The gate's reader gets the error. The pipeline only closes the connection.
  return pipeline(body, gate, () => {});
}
