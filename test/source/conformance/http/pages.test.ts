import assert from "node:assert/strict";
import { httpConformance } from "./conform.ts";

/** The requests for the list. */
httpConformance((conforms, { can }) => {
  if (!can.list) return;

  conforms("asks for a page when the one before is used up", { people: 230 }, async ({ source, traffic }) => {
    const pages = source.pages()[Symbol.asyncIterator]();
    assert.equal(traffic.count("list"), 0, "it asks before anyone wants a page");
    for (let wanted = 1; ; wanted++) {
      const { done } = await pages.next();
      if (done) break;
      // Anything requested ahead would reach the sandbox before another request is answered.
      await source.project();
      assert.equal(traffic.count("list"), wanted, `requests for ${wanted} pages`);
    }
  });
});
