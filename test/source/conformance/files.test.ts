import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { FileRef } from "../../../src/core/identity.ts";
import type { Dossier, Source } from "../../../src/source/source.ts";
import { ATTEMPTS, conformance } from "./conform.ts";
import * as the from "./faults.ts";
import { all, collect, full, withFiles } from "./reading.ts";
import type { Asked } from "./stage.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const named = ({ resource, id, updated }: FileRef): string => JSON.stringify([resource, id, updated]);

/** Fetches all files of a dossier: their digests, by the name under which a vault would keep them. */
async function fetched(source: Source, id: string, { files }: Dossier): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const file of files) {
    const name = named(file);
    assert.ok(!found.has(name), `two files are called ${name}`);
    found.set(name, sha256(await collect(await source.file(id, file))));
  }
  return found;
}

/** The files of an identity: all, once, to the byte, and by whatever way the provider hands them out. */
conformance((conforms, { filesElsewhere, hasVideos, delays }) => {
  conforms("has every file once, to the byte, with its media type", { people: 16 }, async ({ stage, source }) => {
    for (let index = 0; index < 16; index++) {
      const id = stage.id(index);
      const { files } = await full(source, id);
      const got: string[] = [];
      for (const file of files) {
        const answer = await source.file(id, file);
        got.push(`${answer.mediaType} ${sha256(await collect(answer))}`);
      }
      const expected = (await stage.files(index)).map(({ mediaType, bytes }) => `${mediaType} ${sha256(bytes)}`);
      assert.deepEqual(got.toSorted(), expected.toSorted(), `the files of person ${index}`);
    }
  });

  conforms("describes a file so that it can be logged and told apart", { people: 12 }, async ({ stage, source }) => {
    for (let index = 0; index < 12; index++) {
      const { files } = await full(source, stage.id(index));
      assert.equal(new Set(files.map(named)).size, files.length, "two files have the same name");
      for (const { type, page, updated, id, resource } of files) {
        assert.match(type, /^[a-z_]{3,40}$/);
        assert.ok(page === null || Number.isInteger(page));
        assert.match(updated, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
        assert.ok(id !== "" && resource !== "" && !`${id}${resource}`.includes("\0"));
      }
    }
  });

  conforms("names a file again only if its bytes are the same", { people: 16 }, async ({ stage, source }) => {
    for (let index = await withFiles(stage); index < 16; index++) {
      const id = stage.id(index);
      const before = await fetched(source, id, await full(source, id));
      if (before.size === 0) continue;
      stage.advance(60);
      stage.recapture(index);
      const after = await fetched(source, id, await full(source, id));
      for (const [name, digest] of after) {
        const old = before.get(name);
        assert.ok(old === undefined || old === digest, `${name} has new bytes under its old name: no one fetches them`);
      }
      const digests = (await stage.files(index)).map(({ bytes }) => sha256(bytes));
      assert.deepEqual([...after.values()].toSorted(), digests.toSorted());
      assert.notDeepEqual(
        [...after.values()].toSorted(),
        [...before.values()].toSorted(),
        "the sandbox took no new ones",
      );
    }
  });

  conforms("hands out a file that another source found", async ({ stage, source, open }) => {
    const index = await withFiles(stage);
    const id = stage.id(index);
    const dossier = await full(source, id);
    assert.deepEqual(await fetched(open(), id, dossier), await fetched(source, id, dossier));
  });

  if (hasVideos)
    conforms("hands out a large file in parts, as it arrives", { videoBytes: 3_000_000 }, async ({ stage, source }) => {
      const id = stage.id(await withFiles(stage));
      const lengths: number[] = [];
      for (const file of (await full(source, id)).files) {
        const chunks = await all((await source.file(id, file)).bytes);
        const length = Buffer.concat(chunks).length;
        if (length === 3_000_000) assert.ok(chunks.length > 10, `${chunks.length} parts`);
        lengths.push(length);
      }
      assert.ok(lengths.includes(3_000_000), `no video among ${lengths}`);
    });

  conforms(
    "frees the connection of a file that is not read to its end",
    {
      videoBytes: 20_000_000,
      http: { concurrency: 1 },
    },
    async ({ stage, source }) => {
      const id = stage.id(await withFiles(stage));
      for (const file of (await full(source, id)).files) {
        for (const chunks of [0, 1, 2]) {
          const bytes = (await source.file(id, file)).bytes[Symbol.asyncIterator]();
          for (let at = 0; at < chunks; at++) await bytes.next();
          await bytes.return?.();
          assert.notEqual((await source.project()).id, "");
        }
      }
    },
  );

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
      traffic.strike("file", the.status(status));
      await refuses(async () => collect(await source.file(id, files[0]!)), code);
      assert.ok(traffic.count("file") <= 2, `${traffic.count("file")} requests for it`);
      traffic.clear();
      assert.ok((await collect(await source.file(id, files.at(-1)!))).length > 0);
    });
  }

  conforms("a file of an identity that is gone is missing", async ({ stage, source, refuses }) => {
    const index = await withFiles(stage);
    const id = stage.id(index);
    const { files } = await full(source, id);
    stage.vanish(index);
    for (const file of files) await refuses(async () => collect(await source.file(id, file)), "source-missing");
  });

  conforms("a file that the source never named is missing or refused", async ({ stage, source, refuses }) => {
    const id = stage.id(await withFiles(stage));
    const [file] = (await full(source, id)).files;
    for (const other of [
      { ...file!, id: "unknown" },
      { ...file!, id: "unknown", resource: "unknown" },
    ])
      await refuses(async () => collect(await source.file(id, other)), "source-missing", "source-response");
  });

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
      {
        http: { maxFile: 2_000_000, timeouts: { connect: 2_000, headers: 2_000, body: 1_000 } },
      },
      async ({ stage, source, traffic, refuses }) => {
        const id = stage.id(await withFiles(stage));
        const { files } = await full(source, id);
        traffic.strike("file", fault);
        await refuses(async () => collect(await source.file(id, files[0]!)), code);
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
