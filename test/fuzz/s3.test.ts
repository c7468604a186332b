import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { after, afterEach, before, test } from "node:test";
import { hasCode } from "../../src/core/error.ts";
import { S3Vault } from "../../src/vault/s3.ts";
import { code } from "../vault/refusal.ts";
import "../servers/s3.ts";

/** A server that sends anything: `answer` writes to the bare connection. */
let server: Server;
let answer: (socket: Socket) => void;
let sent = 0;
let vault: S3Vault;
const sockets = new Set<Socket>();

before(async () => {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.once("data", () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  vault = new S3Vault({
    ...{ bucket: "b", prefix: "p", endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    ...{ forcePathStyle: true, concurrency: 2, idleTimeout: 2000 },
    retry: { retries: 0, minDelay: 1, maxDelay: 1, maxRetryAfter: 0 },
  });
});
afterEach(() => {
  sent = 0;
  for (const socket of sockets) socket.destroy();
});
after(async () => {
  await vault.close();
  await new Promise((resolve) => server.close(resolve));
});

const head = (...lines: string[]): string =>
  ["HTTP/1.1 200 OK", "x-amz-version-id: v", 'ETag: "e"', ...lines, "", ""].join("\r\n");

/** Writes forever, as fast as the client reads. */
function pour(socket: Socket, chunk: Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
    sent += chunk.length;
  };
  socket.on("drain", more);
  more();
}

const chunked = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);

test("a small object that claims to be huge is refused before reading it", async () => {
  answer = (socket) => {
    socket.write(head("Content-Length: 9007199254740991"));
    pour(socket, Buffer.alloc(65_536));
  };
  await assert.rejects(vault.read("audit/checkpoint", 1000), code("malformed"));
  assert.ok(sent < 64 * 2 ** 20, `${sent}`);
});

test("an object without a length is not read", async () => {
  answer = (socket) => {
    socket.write(head("Transfer-Encoding: chunked"));
    pour(socket, chunked(Buffer.alloc(65_536)));
  };
  for (const read of [() => vault.read("audit/checkpoint", 1000), () => vault.stream("audit/checkpoint")])
    await assert.rejects(read(), code("vault-unfit"));
  assert.ok(sent < 64 * 2 ** 20, `${sent}`);
});

test("a body longer than its length is cut at that length", async () => {
  answer = (socket) => {
    socket.write(head("Content-Length: 5"));
    pour(socket, Buffer.from("hello and more ".repeat(5000)));
  };
  const { bytes } = await vault.read("audit/checkpoint", 1000);
  assert.equal(String(Buffer.from(bytes)), "hello");
  assert.ok(sent < 64 * 2 ** 20, `${sent}`);
});

test("invalid lengths, two lengths, or a length with chunks", async () => {
  for (const lines of [
    ["Content-Length: -1"],
    ["Content-Length: 5", "Content-Length: 6"],
    ["Content-Length: 5", "Transfer-Encoding: chunked"],
    ["Content-Length: 5e9"],
    ["Content-Length: "],
  ]) {
    answer = (socket) => void socket.end(`${head(...lines)}hello`);
    await assert.rejects(vault.read("audit/checkpoint", 1000), (error) => code("vault-unavailable")(error));
  }
});

for (const status of ["200 OK", "500 Internal Server Error", "403 Forbidden"]) {
  test(`an endless listing or error is cut off: ${status}`, async () => {
    answer = (socket) => {
      socket.write(`HTTP/1.1 ${status}\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\n`);
      socket.write(chunked(Buffer.from('<?xml version="1.0"?><ListVersionsResult>')));
      pour(socket, chunked(Buffer.from("<Version><Key>p/records/a</Key></Version>".repeat(2000))));
    };
    const before = process.memoryUsage().rss;
    await assert.rejects(Array.fromAsync(vault.versions("records/")), code("vault-rejected"));
    await assert.rejects(
      vault.read("records/x", 1000),
      (error) => status.startsWith("200") || code("vault-rejected")(error),
    );
    assert.ok(sent < 256 * 2 ** 20, `${sent}`);
    assert.ok(process.memoryUsage().rss - before < 512 * 2 ** 20);
  });
}

test("a listing that is not XML, or of another bucket", async () => {
  for (const body of [
    "",
    "garbage",
    "<a/>",
    "<ListVersionsResult><Version/></ListVersionsResult>",
    "<".repeat(100_000),
  ]) {
    answer = (socket) => void socket.end(`${head(`Content-Length: ${body.length}`)}${body}`);
    try {
      await Array.fromAsync(vault.versions("records/"));
    } catch (error) {
      assert.ok(hasCode(error, "vault-rejected", "vault-unavailable"), String(error));
    }
  }
});
