import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileRef } from "../../../src/core/identity.ts";
import type { StripeSource } from "../../../src/source/stripe/stripe.ts";
import type { StripeSandbox } from "../../sandbox/stripe/server.ts";
import { full, open, reported } from "./connect.ts";

async function bytesOf(source: StripeSource, file: FileRef): Promise<Buffer> {
  const chunks = [];
  for await (const chunk of (await source.file("", file)).bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A source whose key reads files by links only, on a machine whose clock is ahead of Stripe's by some seconds. */
async function byLinks(
  t: Parameters<typeof open>[0],
  seconds = 0,
  before: (sandbox: StripeSandbox) => void = () => {},
) {
  const machine = { ahead: seconds * 1_000 };
  let clock = Date.now;
  const now = () => Temporal.Instant.fromEpochMilliseconds(clock() + machine.ahead);
  const opened = await open(t, {}, { now, clock: now });
  clock = opened.clock;
  opened.sandbox.restrict({ contents: false });
  before(opened.sandbox);
  const { files } = await opened.source.dossier(opened.sandbox.ids()[reported(opened.sandbox)]!, full);
  return { ...opened, clock: opened.clock, machine, file: files[0]! };
}

for (const seconds of [-600, -31, 6, 45, 600])
  test(`files arrive by links where this machine's clock differs by ${seconds} s`, async (t) => {
    const { sandbox, source, file } = await byLinks(t, seconds);
    assert.deepEqual(await bytesOf(source, file), await sandbox.file(file.id));
    assert.equal(sandbox.requests.of("file_links"), 1);
  });

test("a link's time counts from when the request is sent, also when it is sent again", async (t) => {
  const { sandbox, source, file, clock } = await byLinks(t);
  let isFirst = true;
  sandbox.intercept(({ method }, response) => {
    if (method !== "POST" || !isFirst) return false;
    isFirst = false;
    clock.now += 60_000;
    response.setHeader("Date", new Date(clock.now).toUTCString());
    return response.writeHead(503).end() !== undefined;
  });
  assert.deepEqual(await bytesOf(source, file), await sandbox.file(file.id));
  assert.equal(sandbox.requests.of("file_links", 400), 0);
});

test("a clock that is set between two requests costs one refused link", async (t) => {
  const { sandbox, source, file, machine } = await byLinks(t);
  await bytesOf(source, file);
  machine.ahead = 3_600_000;
  assert.deepEqual(await bytesOf(source, file), await sandbox.file(file.id));
  assert.deepEqual(
    [400, 200].map((status) => sandbox.requests.of("file_links", status)),
    [1, 2],
  );
});

for (const status of [403, 404])
  test(`a link that is refused with ${status} once is made again`, async (t) => {
    const { sandbox, source, file } = await byLinks(t);
    let isFirst = true;
    sandbox.intercept(({ url }, response) => {
      if (!url!.startsWith("/links/") || !isFirst) return false;
      isFirst = false;
      return response.writeHead(status).end() !== undefined;
    });
    assert.deepEqual(await bytesOf(source, file), await sandbox.file(file.id));
    assert.equal(sandbox.requests.of("file_links", 200), 2);
  });

test("a link that is refused each time while it should be open is a file withheld", async (t) => {
  const { sandbox, source, file } = await byLinks(t);
  sandbox.intercept(({ url }, response) => url!.startsWith("/links/") && response.writeHead(403).end() !== undefined);
  await assert.rejects(bytesOf(source, file), { code: "source-denied" });
  assert.equal(sandbox.requests.of("file_links", 200), 2);
});

test("links that expire before they are read are a passing failure, not a file withheld", async (t) => {
  const { sandbox, source, file, clock } = await byLinks(t);
  sandbox.intercept(({ url }) => {
    if (url!.startsWith("/links/")) clock.now += 31_000;
    return false;
  });
  await assert.rejects(bytesOf(source, file), { code: "source-unavailable", hint: /clock is in sync/ });
  assert.equal(sandbox.requests.of("link", 404), 2);
});

test("a link that Stripe makes for no time is refused once, without a second attempt", async (t) => {
  const { sandbox, source, file } = await byLinks(t);
  let links = 0;
  sandbox.intercept(({ method }, response) => {
    if (method !== "POST") return false;
    links += 1;
    return response.writeHead(400, { "Content-Type": "application/json" }).end("{}") !== undefined;
  });
  await assert.rejects(bytesOf(source, file), { code: "source-denied", hint: undefined });
  assert.equal(links, 1);
});

test("without Stripe's time, a refused link names the clock as a possible cause", async (t) => {
  const { source, file } = await byLinks(t, 600, (sandbox) =>
    sandbox.intercept((_, response) => {
      response.removeHeader("Date");
      response.sendDate = false;
      return false;
    }),
  );
  await assert.rejects(bytesOf(source, file), { code: "source-denied", hint: /this machine's clock/ });
});
