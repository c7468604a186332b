import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import pMap from "p-map";
import { Inbox } from "../../src/inbox/inbox.ts";
import { portOf } from "./children.ts";
import { eventOf, SECRETS, sign } from "./signing.ts";
import { place, rowsOf, send } from "./stage.ts";

const EVENTS = 300;
const PEOPLE = 100;
const signed = (n: number) =>
  sign("stripe", SECRETS.stripe[0], eventOf("stripe", `vs_${n % PEOPLE}`, `evt_${n}`), Math.floor(Date.now() / 1000));

test("two receivers and a run use one inbox at once: no event is lost, and none is there twice", async () => {
  const { folder, file, config } = await place({ acme: ["stripe"] });
  const [acme] = config.clients;
  const children = [0, 1].map(() =>
    spawn(process.execPath, [join(import.meta.dirname, "child.ts"), file, "0"], {
      stdio: ["ignore", "pipe", "inherit"],
    }),
  );
  const ended = Promise.all(children.map((child) => once(child, "close")));
  const inbox = new Inbox(acme!.state);
  let settled = 0;
  try {
    const ports = await Promise.all(children.map(portOf));
    let isSending = true;
    const run = async (): Promise<void> => {
      while (isSending) {
        const upTo = inbox.newest().get("stripe") ?? 0;
        for (const { subject } of inbox.pending("stripe", upTo, () => assert.fail("an invalid event"))) {
          settled += inbox.settle("stripe", subject, upTo);
          await new Promise(setImmediate);
        }
        await new Promise(setImmediate);
      }
    };
    const running = run();
    // Each event comes to both, as when a provider repeats what it thinks was lost.
    const all = Array.from({ length: EVENTS }, (_, n) => ports.map((port) => [port, n] as const)).flat();
    const statuses = await pMap(all, async ([port, n]) => (await send(port, "/hooks/acme/stripe", signed(n))).status, {
      concurrency: 24,
    });
    isSending = false;
    await running;
    assert.deepEqual(new Set(statuses), new Set([200]));
  } finally {
    for (const child of children) child.kill("SIGTERM");
    await ended;
  }
  const left = rowsOf(acme!).length;
  assert.ok(settled > 0);
  assert.equal(settled + left, EVENTS, `${settled} settled, ${left} left`);
  assert.equal(rowsOf(acme!, "delivery").length, EVENTS);
  inbox.close();
  await rm(folder, { recursive: true });
});
