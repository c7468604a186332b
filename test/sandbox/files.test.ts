import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, inflateSync } from "node:zlib";
import { ask, filePath, first } from "./ask.ts";
import { startSandbox } from "./server.ts";

/** Reads a PNG strictly: signature, every chunk's CRC, the header, and the right number of pixels. */
function readPng(png: Buffer): { width: number; height: number } {
  assert.equal(png.subarray(0, 8).toString("latin1"), "\x89PNG\r\n\x1a\n");
  const chunks: [string, Buffer][] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const end = at + 8 + png.readUInt32BE(at);
    assert.equal(png.readUInt32BE(end), crc32(png.subarray(at + 4, end)));
    chunks.push([png.toString("latin1", at + 4, at + 8), png.subarray(at + 8, end)]);
  }
  const [header, last] = [chunks[0]!, chunks.at(-1)!];
  assert.deepEqual([header[0], last[0]], ["IHDR", "IEND"]);
  const [width, height] = [header[1].readUInt32BE(0), header[1].readUInt32BE(4)];
  const [, data] = chunks.find(([type]) => type === "IDAT")!;
  assert.equal(inflateSync(data).length, (width + 1) * height);
  return { width, height };
}

/** The top-level boxes of an MP4 with their sizes. */
function readBoxes(mp4: Buffer): [string, number][] {
  const boxes: [string, number][] = [];
  for (let at = 0; at < mp4.length; at += boxes.at(-1)![1]) {
    const short = mp4.readUInt32BE(at);
    boxes.push([mp4.toString("latin1", at + 4, at + 8), short === 1 ? Number(mp4.readBigUInt64BE(at + 8)) : short]);
  }
  return boxes;
}

test("every page of every kind of document is a valid PNG of its own", async () => {
  await using sandbox = await startSandbox({ identities: 12 });
  const seen = new Set<string>();
  for (let index = 0; index < 12; index++) {
    for (const resource of sandbox.resources(index)) {
      for (const file of resource.resource_files.filter(({ type }) => type === "document_image")) {
        const png = await sandbox.file(index, resource.id, file.id);
        const { width, height } = readPng(png);
        assert.deepEqual([width, height], (resource.type ?? resource.step) === "PASSPORT" ? [860, 606] : [820, 517]);
        assert.ok(png.length > 30_000 && png.length < 200_000, `${png.length} bytes`);
        assert.ok(!seen.has(png.toString("base64")));
        seen.add(png.toString("base64"));
      }
    }
  }
  assert.ok(seen.size > 12);
});

test("plain images are valid and differ too", async () => {
  await using sandbox = await startSandbox({ plainImages: true });
  const type = (index: number) => sandbox.resources(index)[0]?.type;
  const one = first(sandbox, (i) => type(i) === "PASSPORT");
  const two = first(sandbox, (i) => i > one && type(i) === "PASSPORT");
  const [a, b] = await Promise.all([one, two].map(async (i) => (await ask(sandbox, filePath(sandbox, i))).bytes()));
  assert.deepEqual(readPng(Buffer.from(a!)), readPng(Buffer.from(b!)));
  assert.notDeepEqual(a, b);
});

test("a selfie video is an MP4 whose last box names its file", async () => {
  await using sandbox = await startSandbox();
  const path = filePath(sandbox, 0, "face_video");
  const response = await ask(sandbox, path);
  const video = Buffer.from(await response.bytes());
  assert.equal(response.headers.get("content-type"), "video/mp4");
  assert.equal(response.headers.get("content-length"), String(video.length));
  const boxes = readBoxes(video);
  assert.deepEqual(
    boxes.map(([type]) => type),
    ["ftyp", "moov", "free", "mdat", "free"],
  );
  assert.ok(video.subarray(-boxes.at(-1)![1]).includes(path.split("/").at(-1)!));
  assert.ok(video.length < 60_000);
});

test("a video has exactly the requested length, and its boxes fill it", async () => {
  const videoBytes = 3 * 1024 * 1024 + 5;
  await using sandbox = await startSandbox({ videoBytes });
  const response = await ask(sandbox, filePath(sandbox, 0, "face_video"));
  assert.equal(response.headers.get("content-length"), String(videoBytes));
  const video = Buffer.from(await response.bytes());
  assert.equal(video.length, videoBytes);
  assert.equal(
    readBoxes(video).reduce((sum, [, size]) => sum + size, 0),
    videoBytes,
  );
  const chunk = (n: number) => video.subarray(videoBytes - 200_000 + n * 65_536).subarray(0, 65_536);
  assert.notDeepEqual(chunk(0), chunk(1));
});

test("without files there are resources, but they have no files", async () => {
  await using sandbox = await startSandbox({ files: false });
  await using full = await startSandbox();
  assert.ok(sandbox.resources(0).length > 0);
  assert.deepEqual(
    sandbox.resources(0).flatMap((resource) => resource.resource_files),
    [],
  );
  assert.equal((await ask(sandbox, filePath(full, 0))).status, 404);
});
