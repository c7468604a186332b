import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { ErrorCode } from "../../../../src/core/error.ts";
import { withFiles } from "../reading.ts";
import { askedOf, calling } from "./calling.ts";
import { httpConformance } from "./conform.ts";
import * as the from "./faults.ts";

/** Gives up quickly on what stalls. Where nothing stalls, a busy machine has time. */
const IMPATIENT = { opening: { timeouts: { connect: 2_000, headers: 800, body: 800 } } };
const nested = (open: string, close: string): string => open.repeat(5_000) + close.repeat(5_000);
const many = (part: string, count: number): string => `[${`${part},`.repeat(count)}${part}]`;

/** Answers that no provider should give: broken, endless, and far too much. */
const BROKEN: Readonly<Record<string, readonly [ErrorCode, the.Fault]>> = {
  "a stall in the headers": ["source-unavailable", the.stall],
  "a stall in the body": ["source-unavailable", the.stallInBody],
  "a body that stops before its length": ["source-unavailable", the.saysTooMuch],
  "a body that trickles": ["source-unavailable", the.drip],
  "white space without end": ["source-response", the.endless(" ".repeat(1024 * 1024))],
  "a list without end": ["source-response", the.endless('{"id":"x"},'.repeat(50_000), '{"data":[')],
  "a string without end": ["source-response", the.endless("x".repeat(1024 * 1024), '{"data":"')],
  "a key without end": ["source-response", the.endless("x".repeat(1024 * 1024), '{"')],
  nothing: ["source-response", the.answers("")],
  "truncated JSON": ["source-response", the.answers('{"data":[{"id":"6f2f')],
  "malformed JSON": ["source-response", the.answers('{"data":[,],"id":}')],
  "an HTML page": ["source-response", the.answers("<!doctype html><title>Maintenance</title>")],
  null: ["source-response", the.answers("null")],
  "a number": ["source-response", the.answers("17")],
  "another shape": ["source-response", the.answers('{"data":{"id":17},"cursor":[],"links":[],"id":{"a":1}}')],
  "two answers": ["source-response", the.answers('{"data":[]}{"data":[]}')],
  "nested arrays": ["source-response", the.answers(`{"data":${nested("[", "]")},"id":${nested("[", "]")}}`)],
  "nested objects": ["source-response", the.answers(`{"x":${nested('{"a":', "")}1${"}".repeat(5_000)}}`)],
  "no UTF-8": ["source-response", (response) => response.writeHead(200).end(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))],
  "UTF-16": ["source-response", (response, text) => response.writeHead(200).end(Buffer.from(text, "utf16le"))],
  "too many values": ["source-response", the.answers(`{"data":{},"x":${many("{}", 200_000)}}`)],
  "a length that is too short": [
    "source-response",
    (response, text) => response.writeHead(200, { "Content-Length": text.length - 20 }).end(text),
  ],
  "compressed without a request for it": [
    "source-response",
    (response, text) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(text)),
  ],
  "a part of it": ["source-response", the.answersWith({ "content-range": "bytes 0-1/4096" })],
};

httpConformance((conforms, { can }) => {
  const asked = askedOf(can).filter((each) => each !== "file");
  for (const [name, [code, fault]] of Object.entries(BROKEN)) {
    for (const where of asked) {
      conforms(
        `${where}: ${name} is ${code}`,
        code === "source-unavailable" ? IMPATIENT : {},
        async ({ stage, source, traffic, refuses }) => {
          const call = calling(source, stage, await withFiles(stage))[where];
          const struck = traffic.strike(where, fault);
          const begun = performance.now();
          await refuses(call, code);
          if (code === "source-response") assert.equal(struck(), 1, "it asks again, though the answer will not change");
          assert.ok(performance.now() - begun < 60_000, "it takes too long");
          // The source goes on with the next call, over the same connections.
          traffic.clear();
          await calling(source, stage, 0).identity();
        },
      );
    }
  }
}, 8);
