import assert from "node:assert/strict";
import { full } from "../reading.ts";
import { used } from "../used.ts";
import { httpConformance } from "./conform.ts";

/** A source holds what it is asked for, and forgets it: it may run for days over a million people. */
httpConformance((conforms) => {
  /** A text that makes one person's answers large enough to be seen, if they were kept. */
  const BALLAST = 128 * 1024;
  const swollen = (text: string): string => {
    const end = text.lastIndexOf("}");
    // An empty list stays as it is.
    return end < 0 ? text : `${text.slice(0, end)},"x-ballast":"${"x".repeat(BALLAST)}"${text.slice(end)}`;
  };

  conforms("forgets a dossier that no one holds", { people: 150 }, async ({ stage, source, traffic }) => {
    // So is every URL of a file.
    const origin = stage.filesOrigin;
    const long = (text: string) => (origin ? text.replaceAll(origin, `${origin}/${"x".repeat(8_000)}`) : text);
    const read = async (from: number, to: number) => {
      for (let index = from; index < to; index++) {
        traffic.clear();
        traffic.rewrite("identity", (text) => swollen(long(text)));
        traffic.rewrite("part", long);
        await full(source, stage.id(index));
      }
      traffic.clear();
    };
    await read(0, 25);
    const early = await used();
    await read(25, 150);
    const grown = (await used()) - early;
    // 125 of them would take 16 MiB.
    assert.ok(grown < 3, `${grown.toFixed(1)} MiB more after 125 dossiers`);
  });
}, 1);
