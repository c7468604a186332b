import assert from "node:assert/strict";
import { test } from "node:test";
import { pair, sealerFor } from "./pair.ts";

const MB = 1024 * 1024;

test("sealing a stream of 1 GB keeps one chunk in memory, not the stream", async () => {
  const sealer = await sealerFor(await pair(), await pair());
  const source = async function* (size: number) {
    for (let at = 0; at < size; at += MB) yield new Uint8Array(MB);
  };
  let sealed = 0;
  let peak = 0;
  const drain = async (size: number): Promise<void> => {
    for await (const chunk of await sealer.sealStream(source(size))) {
      sealed += chunk.length;
      peak = Math.max(peak, process.memoryUsage.rss());
    }
  };
  // Warm up, so that uncollected garbage is part of the baseline.
  await drain(200 * MB);
  const before = peak;
  sealed = 0;
  await drain(1000 * MB);
  assert.ok(sealed > 1000 * MB);
  assert.ok(peak - before < 60 * MB, `${Math.round((peak - before) / MB)} MB more`);
});
