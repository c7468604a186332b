/**
 * The store of the comparison of processor time: `node latent-store.ts <ms>`. It answers each request after so long, as a
 * store in another place does, and takes little of this machine's processor. What S3 and Object Lock demand it checks as
 * the tests' strict server does, whose code it runs: signed headers, digests of the body, locks, conditional writes.
 * Beside that it understands rclone and restic. Of an object of more than 256 KiB it keeps the size alone.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { type Answer, document, errorAnswer } from "../../servers/strict-s3/answer.ts";
import type { Version } from "../../servers/strict-s3/bucket.ts";
import { send } from "../../servers/strict-s3/fault.ts";
import { Refusal } from "../../servers/strict-s3/refusal.ts";
import { admit, type Request, targetOf } from "../../servers/strict-s3/request.ts";
import { Store } from "../../servers/strict-s3/store.ts";
import { OPERATIONS } from "../../servers/strict-s3.ts";
import { listFolder, plainly } from "./other-clients.ts";

const latency = Number(process.argv[2]);
const KEPT = 256 * 1024;
/** In place of what is not kept. */
const NOTHING = Buffer.alloc(256 * 1024 * 1024);
const store = new Store({});

const ALL: typeof OPERATIONS = {
  ...OPERATIONS,
  PutObject(all, request) {
    const answer = OPERATIONS.PutObject(all, request);
    const version = all.bucket(request).versions(request.key).at(-1) as { -readonly [K in keyof Version]: Version[K] };
    if (version.bytes.length > KEPT) version.bytes = NOTHING.subarray(0, version.bytes.length);
    return answer;
  },
  GetObject: (all, request) => rangeOf(request, OPERATIONS.GetObject(all, request)),
};

function rangeOf({ headers }: Request, answer: Answer): Answer {
  const { length } = answer.body!;
  if (length > KEPT) throw new Refusal(501, "NotImplemented", "this server does not keep large objects");
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
  if (first === undefined) return answer;
  const end = Math.min(last ? Number(last) + 1 : length, length);
  const range = { "content-range": `bytes ${first}-${end - 1}/${length}` };
  return { status: 206, headers: { ...answer.headers, ...range }, body: answer.body!.subarray(Number(first), end) };
}

function answerTo(incoming: IncomingMessage, body: Buffer): Answer {
  try {
    const asked = plainly(incoming, body);
    if (asked.isOther) {
      if (/[?&]location/.test(asked.url)) return document("LocationConstraint", []);
    } else admit(incoming, body);
    const target = targetOf({ method: incoming.method, url: asked.url } as IncomingMessage);
    const request = { ...target, headers: incoming.headers, body: asked.body };
    if (asked.delimiter !== undefined && target.operation === "ListObjectsV2")
      return listFolder(store, request, asked.delimiter);
    return ALL[target.operation](store, request);
  } catch (error) {
    if (error instanceof Refusal) return errorAnswer(error);
    throw error;
  }
}

const server = createServer(
  { keepAliveTimeout: 60_000 },
  async (incoming: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(incoming).catch(() => undefined);
    if (body === undefined) return;
    const answer = answerTo(incoming, body);
    setTimeout(() => send(response, answer, undefined, incoming.method === "HEAD"), latency);
  },
);
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
