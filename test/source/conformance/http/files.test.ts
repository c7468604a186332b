import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { collect, full, withFiles } from "../reading.ts";
import { ATTEMPTS, httpConformance } from "./conform.ts";
import * as the from "./faults.ts";
import type { Asked } from "./stage.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Files, by whatever way the provider hands them out, and what may go wrong on it. */
httpConformance((conforms, { filesElsewhere, delays }) => {
  conforms("passes on no media type that could name someone", async ({ stage, source, traffic }) => {
    const id = stage.id(await withFiles(stage));
    const [file] = (await full(source, id)).files;
    for (const [header, expected] of [
      ["Image/JPEG; charset=x", "image/jpeg"],
      ['"name" <mail@example.com>', "application/octet-stream"],
      ["image/eve-example-1980", "application/octet-stream"],
      [undefined, "application/octet-stream"],
    ] as const) {
      traffic.clear();
      traffic.strike("file", (response) =>
        response.writeHead(200, header === undefined ? {} : { "Content-Type": header }).end("bytes"),
      );
      const answer = await source.file(id, file!);
      assert.deepEqual([answer.mediaType, String(await collect(answer))], [expected, "bytes"]);
    }
  });

  for (const [status, code] of [
    [401, filesElsewhere ? "source-denied" : "source-key"],
    [403, "source-denied"],
    [404, "source-missing"],
    [410, "source-missing"],
  ] as const) {
    conforms(`a file that answers ${status} is ${code}, and the others are not`, async (place) => {
      const { stage, source, traffic, refuses } = place;
      const id = stage.id(await withFiles(stage));
      const { files } = await full(source, id);
      traffic.clear();
      traffic.strike("file", code === "source-missing" ? the.missing(status) : the.status(status));
      await refuses(async () => collect(await source.file(id, files[0]!)), code);
      // A link to it may be made once more.
      assert.ok(traffic.count("file") <= 3, `${traffic.count("file")} requests for it`);
      traffic.clear();
      assert.ok((await collect(await source.file(id, files.at(-1)!))).length > 0);
    });
  }

  conforms("a file with 500 is asked for again, and then unavailable", async ({ stage, source, traffic, refuses }) => {
    const id = stage.id(await withFiles(stage));
    const { files } = await full(source, id);
    traffic.clear();
    traffic.strike("file", the.status(500), { times: ATTEMPTS - 1 });
    assert.ok((await collect(await source.file(id, files[0]!))).length > 0);
    traffic.clear();
    traffic.strike("file", the.status(500));
    await refuses(async () => collect(await source.file(id, files[0]!)), "source-unavailable");
    assert.equal(traffic.count("file"), ATTEMPTS);
  });

  for (const [name, fault, code] of [
    ["is cut short", the.chunkedCut, "source-unavailable"],
    ["ends before its length", the.endsEarly, "source-unavailable"],
    ["stalls", the.saysTooMuch, "source-unavailable"],
    ["trickles", the.drip, "source-unavailable"],
    ["never ends", the.endless(Buffer.alloc(64 * 1024, 7)), "source-response"],
    ["is compressed", the.answersWith({ "content-encoding": "gzip" }), "source-response"],
    ["is partial", the.answersWith({ "content-range": "bytes 0-1/4096" }), "source-response"],
    ["is somewhere else", the.redirect("http://127.0.0.1:1/"), "source-rejected"],
  ] as const) {
    conforms(
      `a file that ${name} is ${code}`,
      { opening: { maxFile: 2_000_000 } },
      async ({ stage, source, open, traffic, refuses }) => {
        const id = stage.id(await withFiles(stage));
        const { files } = await full(source, id);
        traffic.strike("file", fault);
        const hasty = { timeouts: { connect: 10_000, headers: 2_000, body: 1_000 } };
        const asked = code === "source-unavailable" ? open(hasty) : source;
        await refuses(async () => collect(await asked.file(id, files[0]!)), code);
      },
    );
  }

  if (delays.urls === undefined) return;
  const after = delays.urls + 1;
  const resolves = (traffic: { count(...asked: Asked[]): number }) => traffic.count("identity", "part");

  conforms("asks for a new URL once when one has expired", async ({ stage, source, traffic }) => {
    const index = await withFiles(stage);
    const id = stage.id(index);
    const dossier = await full(source, id);
    const bytes = (await stage.files(index)).map((file) => sha256(file.bytes));
    stage.advance(after);
    for (const file of dossier.files) {
      traffic.clear();
      assert.ok(bytes.includes(sha256(await collect(await source.file(id, file)))));
      assert.ok(traffic.count("file") <= 2, `${traffic.count("file")} requests for one file`);
      assert.ok(resolves(traffic) <= 2, `${resolves(traffic)} requests to find its URL`);
    }
  });

  conforms("asks no more than once for a new URL of a file that is withheld", async (place) => {
    const { stage, source, traffic, refuses } = place;
    const id = stage.id(await withFiles(stage));
    const { files } = await full(source, id);
    stage.advance(after);
    traffic.clear();
    traffic.strike("file", the.status(403));
    await refuses(async () => collect(await source.file(id, files[0]!)), "source-denied");
    assert.deepEqual([traffic.count("file"), resolves(traffic) <= 2], [2, true]);
  });
});
