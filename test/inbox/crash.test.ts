import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import pMap from "p-map";
import type { Config } from "../../src/config/config.ts";
import { Secret } from "../../src/config/secret.ts";
import { startReceiver } from "../../src/inbox/receiver.ts";
import { Routes } from "../../src/inbox/routes.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { eventOf, SECRETS, sign } from "./signing.ts";
import { LOOKUP, place, rowsOf, send } from "./stage.ts";

const CHILD = join(import.meta.dirname, "child.ts");
/** Sent two at once, so that they share a transaction. */
const EVENTS = ["vs_1", "vs_2"];
const signed = (id: string) =>
  sign("stripe", SECRETS.stripe[0], eventOf("stripe", id, `evt_${id}`), Math.floor(Date.now() / 1000));

/** Sends all events to a child that dies at this moment, and gives those that were answered 200, and what it wrote. */
async function deliver(file: string, dieAt: number): Promise<{ answered: string[]; moments: number }> {
  const child = spawn(process.execPath, [CHILD, file, String(dieAt)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  let said = "";
  child.stdout.setEncoding("utf8");
  const port = await new Promise<number>((resolve) => {
    child.stdout.on("data", (text: string) => {
      said += text;
      const [, found] = /port (\d+)/.exec(said) ?? [];
      if (found !== undefined) resolve(Number(found));
    });
  });
  const answered: string[] = [];
  const one = async (id: string): Promise<void> => {
    const answer = await send(port, "/hooks/acme/stripe", signed(id)).catch(() => undefined);
    if (answer?.status === 200) answered.push(id);
  };
  await Promise.all(EVENTS.map(one));
  child.kill("SIGTERM");
  await ended;
  return { answered, moments: Number(/moments (\d+)/.exec(said)?.[1] ?? 0) };
}

/** Sends all events again to a receiver in this process. */
async function again(config: Config): Promise<void> {
  const routes = new Routes(Temporal.Now.instant);
  routes.replace(config.clients);
  await using receiver = await startReceiver({
    ...{ host: "127.0.0.1", port: 0, routes: () => routes.byPath, now: Temporal.Now.instant },
    ...{ onResult: () => {}, onTrouble: (_, error) => assert.ifError(error) },
  });
  for (const id of EVENTS) assert.equal((await send(receiver.port, "/hooks/acme/stripe", signed(id))).status, 200);
  routes.close();
}

test("killed at any moment, it loses no event that it answered 200, and takes each again only once", async (t) => {
  const whole = await place({ acme: ["stripe"] });
  const { moments } = await deliver(whole.file, 0);
  await rm(whole.folder, { recursive: true });
  assert.ok(moments > 20, `${moments}`);
  let killed = 0;
  await pMap(
    Array.from({ length: moments }, (_, n) => n + 1),
    async (at) => {
      const { folder, file, config } = await place({ acme: ["stripe"] });
      const [acme] = config.clients;
      const { answered } = await deliver(file, at);
      if (answered.length < EVENTS.length) killed += 1;
      const tokens = new Tokens(new Secret(LOOKUP));
      const kept = new Set(answered.length > 0 ? rowsOf(acme!).map(({ subject }) => subject) : []);
      for (const id of answered) assert.ok(kept.has(tokens.subject("stripe", id)), `moment ${at}`);
      // The provider sends again what was not answered, and here the rest too.
      await again(config);
      assert.equal(rowsOf(acme!).length, EVENTS.length, `moment ${at}`);
      assert.equal(new Set(rowsOf(acme!).map(({ subject }) => subject)).size, EVENTS.length, `moment ${at}`);
      await rm(folder, { recursive: true });
    },
    { concurrency: 3 },
  );
  t.diagnostic(`${killed} of ${moments} moments left events unanswered`);
  assert.ok(killed > moments / 2);
});
