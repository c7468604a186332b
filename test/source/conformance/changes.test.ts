import assert from "node:assert/strict";
import type { Source } from "../../../src/source/source.ts";
import { conformance } from "./conform.ts";
import { changed, compared, full, listed, withFiles } from "./reading.ts";
import type { Stage } from "./stage.ts";

/** How a change is found: by the list, by the changes that the provider names, and by the dossier. */
conformance((conforms, { can, parts, listTells, redacts, delays }) => {
  /** What can happen to a person, and whether the list and the changes show it. */
  const events: readonly (readonly [string, (stage: Stage, index: number) => void | Promise<void>, told: boolean])[] = [
    ...parts.map(
      ({ name, told }) =>
        [`a change of the ${name}`, (stage: Stage, at: number) => stage.change(at, name), told] as const,
    ),
    ["new pictures", (stage, index) => stage.recapture(index), listTells],
    ...(redacts ? [["a redaction", (stage: Stage, at: number) => stage.redact(at), true] as const] : []),
  ];
  const listedRaw = async (source: Source, id: string) => compared((await listed(source)).get(id)!.raw);

  for (const [name, happen, told] of events) {
    conforms(`${name} changes the dossier's content`, async ({ stage, source }) => {
      const index = await withFiles(stage);
      const before = await full(source, stage.id(index));
      const other = await full(source, stage.id(index + 1));
      stage.advance(60);
      await happen(stage, index);
      stage.advance(delays.redaction + delays.changes + (delays.reread ?? 0));
      const after = await full(source, stage.id(index));
      assert.notEqual(compared(after.content), compared(before.content));
      const untouched = await full(source, stage.id(index + 1));
      assert.equal(compared(untouched.content), compared(other.content), "someone else's content changed");
    });
    if (!told) continue;
    if (can.list) {
      conforms(`${name} changes the list's entry`, async ({ stage, source }) => {
        const index = await withFiles(stage);
        const before = await listedRaw(source, stage.id(index));
        stage.advance(60);
        await happen(stage, index);
        assert.notEqual(await listedRaw(source, stage.id(index)), before);
      });
    }
    if (can.changes) {
      conforms(`${name} is among the changes, and no one else is`, async ({ stage, source }) => {
        const index = await withFiles(stage);
        const since = stage.now();
        stage.advance(60);
        await happen(stage, index);
        stage.advance(delays.changes + 1);
        assert.deepEqual(await changed(source, since), new Set([stage.id(index)]));
      });
    }
  }

  if (!can.changes) {
    conforms("a source without changes asks for none", async ({ stage, source, refuses }) => {
      await refuses(() => changed(source, stage.now()), "internal");
      assert.equal(source.requests, 0);
    });
    return;
  }

  conforms("names everyone who changed, over several pages", { people: 250 }, async ({ stage, source }) => {
    const since = stage.now();
    const [part] = parts.filter(({ told }) => told);
    for (let index = 0; index < 250; index++) await stage.change(index, part!.name);
    stage.advance(delays.changes + 1);
    assert.deepEqual(await changed(source, since), new Set(stage.ids()));
    assert.ok(source.requests > 1, "one page held them all");
  });

  conforms("names those who are new", async ({ stage, source }) => {
    const since = stage.now();
    const indexes = await stage.add(3);
    stage.advance(delays.changes + 1);
    assert.deepEqual(await changed(source, since), new Set(indexes.map((index) => stage.id(index))));
  });

  conforms("names again, and with a time, what it named before", async ({ stage, source }) => {
    const since = stage.now();
    stage.advance(60);
    const [part] = parts.filter(({ told }) => told);
    await stage.change(2, part!.name);
    stage.advance(delays.changes + 1);
    for (let time = 0; time < 2; time++) {
      for await (const group of source.changes(since)) {
        for (const { id, at } of group) {
          assert.equal(id, stage.id(2));
          assert.ok(Temporal.Instant.compare(Temporal.Instant.from(at), since) > 0, `${at} is before ${since}`);
        }
      }
    }
  });

  conforms("names a change that the provider told late, since it asks with an overlap", async ({ stage, source }) => {
    const last = stage.now();
    const [part] = parts.filter(({ told }) => told);
    stage.advance(600);
    // The run asks a moment after the change, and the provider does not name it yet.
    await stage.change(2, part!.name);
    stage.advance(1);
    const run = stage.now();
    const early = await changed(source, last);
    if (delays.changes > 1)
      assert.deepEqual(early, new Set(), "the sandbox told it at once, so this test tries nothing");
    // The next run asks for what changed since the one before began.
    stage.advance(86_400);
    assert.ok((await changed(source, run)).has(stage.id(2)), "the change is lost");
  });
});
