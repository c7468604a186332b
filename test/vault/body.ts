import { HoldfastError } from "../../src/core/error.ts";
import type { BodyProducer } from "../../src/vault/vault.ts";

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A stream of `size` bytes in odd-sized chunks, the same bytes each time. Throws `failure` at `failAt`. */
export function produce(
  size: number,
  failAt = Number.POSITIVE_INFINITY,
  failure: Error = new HoldfastError("source-unavailable", "cut"),
): BodyProducer {
  return async () =>
    (async function* () {
      for (let sent = 0; sent < size; ) {
        if (sent >= failAt) throw failure;
        const chunk = Buffer.alloc(Math.min(99_991, size - sent), sent & 0xff);
        sent += chunk.length;
        yield chunk;
      }
    })();
}
