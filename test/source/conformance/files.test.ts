import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { FileRef } from "../../../src/core/identity.ts";
import type { Dossier, Source } from "../../../src/source/source.ts";
import { conformance } from "./conform.ts";
import { collect, full, withFiles } from "./reading.ts";

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

/** The files of an identity: all, once, to the byte. */
conformance((conforms, { hasVideos, delays }) => {
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
      await stage.recapture(index);
      stage.advance(delays.reread ?? 0);
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
    conforms(
      "hands out a large file in parts, as it arrives",
      { videoBytes: 20_000_000 },
      async ({ stage, source }) => {
        const id = stage.id(await withFiles(stage));
        const lengths: number[] = [];
        for (const file of (await full(source, id)).files) {
          let length = 0;
          for await (const chunk of (await source.file(id, file)).bytes) {
            assert.ok(chunk.length <= 5_000_000, `a part of ${chunk.length} bytes`);
            length += chunk.length;
          }
          lengths.push(length);
        }
        assert.ok(lengths.includes(20_000_000), `no video among ${lengths}`);
      },
    );

  conforms(
    "waits for no file that is not read to its end",
    {
      videoBytes: 20_000_000,
      opening: { concurrency: 1 },
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

  conforms("a file of an identity that is gone is missing", async ({ stage, source, refuses }) => {
    const index = await withFiles(stage);
    const id = stage.id(index);
    const { files } = await full(source, id);
    await stage.vanish(index);
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
});
