import assert from "node:assert/strict";
import { conformance } from "./conform.ts";
import { everything } from "./reading.ts";

const PEOPLE = 24;

/** A night as it is: many calls at once. */
conformance((conforms) => {
  conforms(
    "keeps people apart when many are asked for at once",
    { people: PEOPLE, opening: { concurrency: 8 } },
    async ({ stage, source }) => {
      const together = await Promise.all(
        Array.from({ length: PEOPLE }, (_, index) => everything(source, stage, index)),
      );
      for (const [index, found] of together.entries())
        assert.deepEqual(found, await everything(source, stage, index), `person ${index}`);
    },
  );
});
