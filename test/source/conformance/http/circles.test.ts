import assert from "node:assert/strict";
import { changed, full, walk, withFiles } from "../reading.ts";
import { httpConformance } from "./conform.ts";
import * as the from "./faults.ts";

/** The most requests, and what page is the answer to each. The numbers of people are their indexes. */
type Circle = readonly [most: number, (count: number) => readonly [people: readonly number[], next: number]];
const MOST = 210;

/** A list, or changes, whose pages have no end. */
httpConformance((conforms, { can, emptyPages, partsHavePages }) => {
  if (partsHavePages)
    conforms("part: answers that always name one more page", async ({ stage, source, traffic, refuses }) => {
      const index = await withFiles(stage);
      traffic.strike("part", the.status(418), { from: MOST });
      let paged = 0;
      traffic.rewrite("part", (text) => {
        const longer = stage.goesOn(text);
        if (longer !== text) paged += 1;
        return longer;
      });
      const work = full(source, stage.id(index));
      const outcome = await work.catch(() => undefined);
      if (paged === 0) assert.ok(outcome, "no part has pages, and still it fails");
      else await refuses(() => work, "source-response");
    });

  const lists = [...(can.list ? (["list"] as const) : []), ...(can.changes ? (["changes"] as const) : [])];
  for (const of of lists) {
    for (const [name, [most, page]] of Object.entries<Circle>({
      "one page that leads to itself": [3, () => [[0, 1], 1]],
      "one page that leads to itself, and is empty": [3, () => [[], 1]],
      "two pages that lead to each other": [4, (count) => [[count % 2, 2 + (count % 2)], count % 2]],
      "ever new cursors without people": [MOST, (count) => [count === 1 ? [0, 1] : [], count]],
      "ever new cursors with the same people": [MOST, (count) => [[0, 1], count]],
      "ever new cursors with people who alternate": [MOST, (count) => [[count % 4], count]],
    })) {
      conforms(`${of}: ${name}`, async ({ stage, source, traffic, refuses }) => {
        let count = 0;
        traffic.strike(of, (response, ...rest) => {
          count += 1;
          if (count > most) return the.status(418)(response, ...rest);
          const [people, next] = page(count);
          const entries = people.map((index) => stage.entry(index, stage.id(index)));
          the.answers(stage.page(of, entries, next))(response, ...rest);
        });
        const all = () => (of === "list" ? walk(source) : changed(source, stage.now().subtract({ hours: 24 })));
        // 418, source-rejected, says that it asked for one page too many.
        await refuses(all, "source-response");
      });
    }

    if (of === "list") {
      conforms(
        "list: a walk that goes on from a cursor, which comes back",
        async ({ stage, source, traffic, refuses }) => {
          const again = stage.page("list", [stage.entry(0, stage.id(0))], 1);
          const struck = traffic.strike("list", the.answers(again));
          const { value: first } = await source.pages()[Symbol.asyncIterator]().next();
          await refuses(() => walk(source, { cursor: first!.cursor! }), "source-response");
          // A source that counts pages itself sees it one page later.
          assert.ok(struck() <= 3, `${struck()} requests`);
        },
      );
    }

    if (!emptyPages) continue;
    conforms(`${of}: a few pages that are empty or repeated are no circle`, async ({ stage, source, traffic }) => {
      let count = 0;
      traffic.strike(of, (response, ...rest) => {
        count += 1;
        const people = count % 10 === 0 ? [count / 10 - 1] : count < 15 ? [] : [0];
        const entries = people.map((index) => stage.entry(index, stage.id(index)));
        the.answers(stage.page(of, entries, count === 40 ? null : count))(response, ...rest);
      });
      const ids =
        of === "list"
          ? new Set((await walk(source)).flatMap(({ identities }) => identities.map(({ id }) => id)))
          : await changed(source, stage.now().subtract({ hours: 24 }));
      assert.deepEqual(ids, new Set([0, 1, 2, 3].map((index) => stage.id(index))));
    });
  }
});
