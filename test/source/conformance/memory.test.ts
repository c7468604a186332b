import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { conformance } from "./conform.ts";
import { full } from "./reading.ts";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** Heap and buffers in use, in MiB. */
async function used(): Promise<number> {
  // What ended a moment ago is free after a turn of the event loop.
  for (let turn = 0; turn < 3; turn++) {
    await new Promise(setImmediate);
    gc();
  }
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

/** A source holds what it is asked for, and forgets it: it may run for days over a million people. */
conformance((conforms, { can }) => {
  /** A text that makes one person's answers large enough to be seen, if they were kept. */
  const BALLAST = 64 * 1024;
  const swollen = (text: string): string => {
    const end = text.lastIndexOf("}");
    // An empty list stays as it is.
    return end < 0 ? text : `${text.slice(0, end)},"x-ballast":"${"x".repeat(BALLAST)}"${text.slice(end)}`;
  };

  if (can.list) {
    conforms("holds one page of a long list", { people: 3_000 }, async ({ source, traffic }) => {
      let page = 0;
      let early = 0;
      for await (const { identities } of source.pages()) {
        assert.ok(identities.length > 0);
        page += 1;
        traffic.seen.length = 0;
        traffic.answers.length = 0;
        if (page === 3) early = await used();
        if (page === 25) {
          const grown = (await used()) - early;
          // 22 pages of entries take more than 5 MiB.
          assert.ok(grown < 3, `${grown.toFixed(1)} MiB more after 22 pages`);
        }
      }
      assert.ok(page >= 25, `${page} pages`);
    });
  }

  conforms("forgets a dossier that no one holds", { people: 500 }, async ({ stage, source, traffic }) => {
    // So is every URL of a file.
    const origin = stage.filesOrigin;
    const long = (text: string) => (origin ? text.replaceAll(origin, `${origin}/${"x".repeat(4_000)}`) : text);
    const read = async (from: number, to: number) => {
      for (let index = from; index < to; index++) {
        traffic.clear();
        traffic.rewrite("identity", (text) => swollen(long(text)));
        traffic.rewrite("part", long);
        await full(source, stage.id(index));
      }
      traffic.clear();
    };
    await read(0, 100);
    const early = await used();
    await read(100, 500);
    const grown = (await used()) - early;
    // 400 of them would take 25 MiB.
    assert.ok(grown < 6, `${grown.toFixed(1)} MiB more after 400 dossiers`);
  });
}, 1);
