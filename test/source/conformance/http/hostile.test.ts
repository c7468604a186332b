import assert from "node:assert/strict";
import { all, changed, collect, full, listed, walk, withFiles } from "../reading.ts";
import { httpConformance } from "./conform.ts";
import * as the from "./faults.ts";

/** Ids that a hostile provider, or a broken one, may put into its answers. */
const HOSTILE: Readonly<Record<string, unknown>> = {
  "a way up": "../settings",
  "two ways up": "../../etc/passwd",
  "a way up in escapes": "..%2f..%2fsettings",
  "the folder itself": ".",
  "the folder above": "..",
  "an escaped folder above": "%2e%2e",
  "a path": "a/b",
  "a backslash": "..\\settings",
  "a query": "x?include=y&z=1",
  "a fragment": "x#y",
  "another host": "//elsewhere.example/x",
  "a URL": "http://elsewhere.example/x",
  NUL: "a\0b",
  "CR and LF": "a\r\nHost: elsewhere.example\r\n\r\nGET /x",
  "half a surrogate pair": "a\ud800",
  "the other half": "\udfffa",
  "no characters": "",
  blank: " ",
  "a right-to-left mark": "a\u202eb",
  "very many characters": "x".repeat(100_000),
  "a few too many": "x".repeat(201),
  "a name of JavaScript": "__proto__",
  "a number": 17,
  null: null,
  "an object": { id: "x" },
  "a list": ["x"],
};

httpConformance((conforms, { can }) => {
  for (const [name, id] of Object.entries(HOSTILE)) {
    const named = typeof id === "string" ? id : String(JSON.stringify(id));

    if (can.list) {
      conforms(`an id with ${name} stops no one else in the list`, async ({ stage, source, traffic }) => {
        const entries = [stage.entry(0, stage.id(0)), stage.entry(1, id), stage.entry(2, stage.id(2))];
        traffic.strike("list", the.answers(stage.page("list", entries, null)));
        const [page, ...others] = await walk(source);
        assert.equal(others.length, 0);
        const ids = page!.identities.map((identity) => identity.id);
        assert.deepEqual(
          ids.filter((one) => one !== id),
          [stage.id(0), stage.id(2)],
        );
        const known = ids.length - 2 + page!.unread.length + page!.unreadable;
        assert.equal(known, 1, "the one with the strange id is neither listed, nor unread, nor counted");
        for (const one of [...ids, ...page!.unread]) assert.ok(isUsable(one), `it passes on ${JSON.stringify(one)}`);
      });
    }

    if (can.changes) {
      conforms(`an id with ${name} stops no one else in the changes`, async ({ stage, source, traffic }) => {
        const entries = [stage.entry(0, stage.id(0)), stage.entry(1, id), stage.entry(2, stage.id(2))];
        traffic.strike("changes", the.answers(stage.page("changes", entries, null)));
        const ids = await changed(source, stage.now().subtract({ hours: 24 }));
        assert.ok(ids.has(stage.id(0)) && ids.has(stage.id(2)), `only ${ids.size} are named`);
        for (const one of ids) assert.ok(isUsable(one), `it passes on ${JSON.stringify(one)}`);
      });
    }

    if (typeof id !== "string") continue;

    conforms(`an id with ${name} stays one step of the path`, async ({ stage, source, traffic, refuses }) => {
      await full(source, stage.id(0));
      const usual = traffic.seen.find(({ asked }) => asked === "identity")!.path.replace(stage.id(0), "{id}");
      traffic.clear();
      const error = await refuses(() => full(source, id), "source-missing", "source-rejected", "source-response");
      for (const { path } of traffic.seen) {
        const step = encodeURIComponent(id);
        assert.ok(!/^\.{1,2}$/.test(step), `${path} leads elsewhere`);
        assert.equal(path.replace(step, "{id}"), usual);
      }
      // Shorter ones may be in a message by chance.
      if (id.length > 8) assert.ok(!`${error.message} ${error.hint}`.includes(named), "the message shows the id");
    });

    conforms(`a file id with ${name} stays one step of the path`, async ({ stage, source, traffic }) => {
      const person = stage.id(await withFiles(stage));
      const [file] = (await full(source, person)).files;
      await collect(await source.file(person, file!));
      const steps = (path: string) => path.split("?")[0]!.split("/").length;
      const usual = new Set(traffic.seen.map(({ path }) => steps(path)));
      traffic.clear();
      for (const wrong of [
        { ...file!, id },
        { ...file!, resource: id },
        { ...file!, id, resource: id },
      ]) {
        await source.file(person, wrong).then(
          ({ bytes }) => all(bytes).catch(() => {}),
          () => {},
        );
      }
      for (const { path } of traffic.seen) {
        assert.ok(usual.has(steps(path)), `${path} has another number of steps`);
        assert.doesNotMatch(path.split("?")[0]!, /\/\.{1,2}(\/|$)/, `${path} leads elsewhere`);
      }
    });
  }

  if (!can.list) return;

  conforms("a list entry that is no identity is counted, and stops no one", async ({ stage, source, traffic }) => {
    const strange = ["null", "17", '"x"', "[]", "{}", "[[[]]]", '{"type":"x"}'];
    const entries = [stage.entry(0, stage.id(0)), ...strange, stage.entry(2, stage.id(2))];
    traffic.strike("list", the.answers(stage.page("list", entries, null)));
    const [page] = await walk(source);
    assert.deepEqual(
      page!.identities.map(({ id }) => id),
      [stage.id(0), stage.id(2)],
    );
    assert.equal(page!.unread.length + page!.unreadable, strange.length);
  });

  for (const [name, ballast] of Object.entries({
    "a megabyte of text": JSON.stringify("x".repeat(1024 * 1024)),
    "a hundred thousand objects": `[${"{},".repeat(100_000)}{}]`,
    "deep nesting": "[".repeat(30_000) + "]".repeat(30_000),
  })) {
    conforms(`a list entry with ${name} is known by its id, and stops no one`, async (place) => {
      const { stage, source, traffic } = place;
      const large = stage.entry(1, stage.id(1)).replace(/\}$/, `,"ballast":${ballast}}`);
      const entries = [stage.entry(0, stage.id(0)), large, stage.entry(2, stage.id(2))];
      traffic.strike("list", the.answers(stage.page("list", entries, null)));
      const [page] = await walk(source);
      assert.deepEqual(
        page!.identities.map(({ id }) => id),
        [stage.id(0), stage.id(2)],
      );
      assert.deepEqual([page!.unread, page!.unreadable], [[stage.id(1)], 0]);
    });
  }

  conforms("a person who is listed twice on a page is there with both entries or one", async (place) => {
    const { stage, source, traffic } = place;
    const twice = [0, 1, 0].map((index) => stage.entry(index, stage.id(index)));
    traffic.strike("list", the.answers(stage.page("list", twice, null)));
    assert.deepEqual(new Set((await listed(source)).keys()), new Set([stage.id(0), stage.id(1)]));
  });
});

/** Ids are joined by NUL when tokens are made of them, and put into URLs. */
const isUsable = (id: string): boolean =>
  id !== "" && id.length <= 200 && !id.includes("\0") && id.isWellFormed() && id !== "." && id !== "..";
