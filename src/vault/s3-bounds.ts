import { pipeline, Readable, Transform } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { HoldfastError } from "../core/error.ts";

/** Bytes of the longest answer that is not an object: some ten times a page of 1,000 versions with the longest keys. */
export const MAX_ANSWER = 16 * 1024 * 1024;

/** The SDK gathers every answer but an object's body in memory, however long it goes on. From here on it is cut off. */
export function boundAnswers(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const output = await next(args);
        const response = output.response as { statusCode: number; headers: Record<string, string>; body?: unknown };
        const isObject = commandName === "GetObjectCommand" && response.statusCode < 300;
        // What is said to be short is cut off there by HTTP itself, as the answer to every PUT is.
        const isShort = Number(response.headers["content-length"] ?? MAX_ANSWER) < MAX_ANSWER;
        if (!isObject && !isShort && response.body instanceof Readable) response.body = bounded(response.body);
        return output;
      },
    // After the SDK has taken the answer apart is too late: nearest to the wire.
    { step: "deserialize", priority: "low", name: "boundAnswers" },
  );
}

/** With the SDK's mark of an error of its own: to others it adds words for whoever debugs the SDK. */
function tooLong(): HoldfastError {
  const error = new HoldfastError("vault-rejected", `the store's answer is longer than ${MAX_ANSWER} bytes`);
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
  // Whoever reads the gate is told; the pipeline only takes the connection down with it.
  return pipeline(body, gate, () => {});
}
