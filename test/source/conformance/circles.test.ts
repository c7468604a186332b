import assert from "node:assert/strict";
import { conformance } from "./conform.ts";
import * as the from "./faults.ts";
import { changed, full, walk, withFiles } from "./reading.ts";

/** A list, or changes, whose pages have no end. */
conformance((conforms, { can, emptyPages }) => {
  conforms("part: answers that always name one more page", async ({ stage, source, traffic, refuses }) => {
    const index = await withFiles(stage);
    traffic.rewrite("part", (text) => stage.goesOn(text));
    await refuses(() => full(source, stage.id(index)), "source-response");
    assert.ok(traffic.count("part") <= 210, `${traffic.count("part")} requests`);
  });

  const lists = [...(can.list ? (["list"] as const) : []), ...(can.changes ? (["changes"] as const) : [])];
  for (const of of lists) {
    for (const [name, page] of Object.entries<(count: number) => readonly [people: readonly number[], next: number]>({
      "one page that leads to itself": () => [[0, 1], 1],
      "one page that leads to itself, and is empty": () => [[], 1],
      "two pages that lead to each other": (count) => [[count % 2, 2 + (count % 2)], count % 2],
      "ever new cursors without people": (count) => [count === 1 ? [0, 1] : [], count],
      "ever new cursors with the same people": (count) => [[0, 1], count],
      "ever new cursors with people who alternate": (count) => [[count % 4], count],
    })) {
      conforms(`${of}: ${name}`, async ({ stage, source, traffic, refuses }) => {
        let count = 0;
        traffic.strike(of, (response, ...rest) => {
          count += 1;
          const [people, next] = page(count);
          const entries = people.map((index) => stage.entry(index, stage.id(index)));
          the.answers(stage.page(of, entries, next))(response, ...rest);
        });
        const all = () => (of === "list" ? walk(source) : changed(source, stage.now().subtract({ hours: 24 })));
        await refuses(all, "source-response");
        assert.ok(count <= 210, `${count} pages`);
      });
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
