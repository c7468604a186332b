import assert from "node:assert/strict";
import { conformance } from "./conform.ts";
import { used } from "./used.ts";

/** A source holds what it is asked for, and forgets it: it may run for days over a million people. */
conformance((conforms, { can }) => {
  if (!can.list) return;

  conforms("holds one page of a long list", { people: 3_000 }, async ({ source }) => {
    let page = 0;
    let early = 0;
    let listed = 0;
    for await (const { identities } of source.pages()) {
      listed += identities.length;
      page += 1;
      if (page === 3) early = await used();
      if (page === 25) {
        const grown = (await used()) - early;
        // 22 pages of entries take more than 5 MiB.
        assert.ok(grown < 3, `${grown.toFixed(1)} MiB more after 22 pages`);
      }
    }
    assert.ok(page >= 25 && listed === 3_000, `${listed} people on ${page} pages`);
  });
}, 1);
