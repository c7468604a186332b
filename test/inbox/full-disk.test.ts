import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { ClientConfig } from "../../src/config/config.ts";
import { smallDisk } from "../faults/disk.ts";
import { workOnDisk } from "../memory.ts";
import { portOf } from "./children.ts";
import { eventOf, SECRETS, sign } from "./signing.ts";
import { place, rowsOf, send, stage } from "./stage.ts";

workOnDisk();

const PATH = "/hooks/acme/stripe";
const signed = (event: number) =>
  sign("stripe", SECRETS.stripe[0], eventOf("stripe", `vs_${event}`, `evt_${event}`), Math.floor(Date.now() / 1000));

/**
 * Sends bursts until the disk refuses everything, and all again once there is room: what was answered 200 is there once, and
 * of everything else the sender was asked to come again.
 */
async function exhaust(port: number, client: ClientConfig, makeRoom: () => void): Promise<void> {
  const answered = new Set<number>();
  const burst = async (from: number): Promise<number[]> => {
    const events = Array.from({ length: 20 }, (_, n) => from + n);
    const statuses = await Promise.all(events.map(async (event) => (await send(port, PATH, signed(event))).status));
    for (const [at, event] of events.entries()) if (statuses[at] === 200) answered.add(event);
    return statuses;
  };
  let sent = 0;
  for (let isFull = false; !isFull; sent += 20) {
    assert.ok(sent < 20_000, "the disk never refused");
    const statuses = await burst(sent);
    assert.deepEqual(
      statuses.filter((status) => status !== 200 && status !== 503),
      [],
    );
    isFull = !statuses.includes(200);
  }
  assert.ok(answered.size > 0, "the disk was full from the beginning");
  makeRoom();
  const { length: kept } = rowsOf(client, "delivery");
  assert.equal(kept, answered.size);
  for (let from = 0; from < sent; from += 20) assert.deepEqual(new Set(await burst(from)), new Set([200]));
  assert.equal(rowsOf(client).length, sent);
  assert.equal(new Set(rowsOf(client).map(({ subject }) => subject)).size, sent);
}

test("on a full disk it asks senders to come again, loses nothing it took, and takes all once there is room", async (t) => {
  await using at = await stage();
  const client = at.client();
  using disk = smallDisk(client.state, 1_536);
  if (disk === null) return t.skip("mounting is not allowed here");
  const other = join(client.state, "other");
  await writeFile(other, Buffer.alloc(1024 ** 2));
  await exhaust(at.port, client, () => rmSync(other));
  const [trouble] = at.troubles as Error[];
  assert.match(trouble!.message, /cannot use the inbox .*(full|ENOSPC)/);
});

test("so it does where no file may become larger", async () => {
  const { folder, file, config } = await place({ acme: ["stripe"] });
  const [acme] = config.clients;
  await mkdir(acme!.state, { recursive: true });
  const limited = `ulimit -Sf 96; exec "${process.execPath}" "${join(import.meta.dirname, "child.ts")}" "${file}" 0`;
  // V8's cache of compiled code would be a file that becomes larger.
  const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" };
  const child = spawn("bash", ["-c", limited], { env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  try {
    const port = await portOf(child);
    await exhaust(port, acme!, () => execFileSync("prlimit", ["--pid", String(child.pid), "--fsize=unlimited"]));
  } finally {
    child.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true });
  }
});
