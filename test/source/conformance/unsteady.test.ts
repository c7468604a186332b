import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Source } from "../../../src/source/source.ts";
import { conformance } from "./conform.ts";
import * as the from "./faults.ts";
import { collect, compared, full, listed } from "./reading.ts";
import type { Stage } from "./stage.ts";

const PEOPLE = 24;
const FAULTS: readonly the.Fault[] = [
  the.status(500),
  the.status(429, { "Retry-After": "0" }),
  the.reset,
  the.status(503),
  the.endsEarly,
  the.status(429),
  the.chunkedCut,
  the.noHttp,
];

/** A night as it is: many calls at once, and a provider that fails now and then. */
conformance((conforms, { can }) => {
  const RETRY = { retries: 12, minDelay: 1, maxDelay: 8, maxRetryAfter: 2_000 };
  const http = { concurrency: 8, retry: RETRY };

  conforms(
    "keeps people apart when many are asked for at once",
    { people: PEOPLE, http },
    async ({ stage, source }) => {
      const together = await Promise.all(
        Array.from({ length: PEOPLE }, (_, index) => everything(source, stage, index)),
      );
      for (const [index, found] of together.entries())
        assert.deepEqual(found, await everything(source, stage, index), `person ${index}`);
    },
  );

  conforms("finds the same when every fifth request fails", { people: PEOPLE, http }, async (place) => {
    const { stage, source, open, traffic } = place;
    const calm: unknown[] = [];
    for (let index = 0; index < PEOPLE; index++) calm.push(await everything(source, stage, index));
    let count = 0;
    traffic.strike(
      () => ++count % 5 === 0,
      (...given) => FAULTS[((count / 5) % FAULTS.length) | 0]!(...given),
    );
    const other = open();
    if (can.list) assert.deepEqual(new Set((await listed(other)).keys()), new Set(stage.ids()));
    const found = await Promise.all(Array.from({ length: PEOPLE }, (_, index) => everything(other, stage, index)));
    assert.deepEqual(found, calm);
    assert.ok(count > 100, `only ${count} requests`);
  });
});

/** What there is of a person: what is compared, and the digest of each file. A file cut on its way is asked for again. */
async function everything(source: Source, stage: Stage, index: number): Promise<unknown> {
  const id = stage.id(index);
  const { content, files } = await full(source, id);
  const digests: string[] = [];
  for (const file of files) {
    for (let attempt = 1; ; attempt++) {
      try {
        const bytes = await collect(await source.file(id, file));
        digests.push(createHash("sha256").update(bytes).digest("hex"));
        break;
      } catch (error) {
        if (attempt === 10 || (error as { code?: string }).code !== "source-unavailable") throw error;
      }
    }
  }
  return [compared(content), files, digests];
}
