import assert from "node:assert/strict";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { makeWorkplace, type Section, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { RedisServer, withoutRedis } from "../servers/redis.ts";
import type { Ended } from "./program.ts";

interface Told {
  readonly clients?: readonly Section[];
  readonly plan?: readonly Section[];
  readonly failures?: readonly Section[];
}

let sandbox: Sandbox;
let place: Workplace;
before(async () => {
  sandbox = await startSandbox({ identities: 3, files: false });
  place = await makeWorkplace(sandbox);
  await place.addClient("second");
  await place.addClient("third");
  await place.expect(0, "init");
  await place.expect(0, "export");
});
after(async () => {
  await place[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});

/** The first and the third client's results are there, the second one's failure beside them, and its exit code. */
function toldOfAll(ended: Ended, code: number, failure: string, name: "clients" | "plan" = "clients"): Told {
  assert.equal(ended.code, code, ended.stderr);
  const told = ended.json as Told;
  assert.deepEqual(
    told[name]?.map(({ client }) => client),
    ["acme-bank", "third"],
  );
  assert.deepEqual(
    told.failures?.map(({ client, code }) => [client, code]),
    [["second", failure]],
  );
  assert.ok(ended.log.some(({ msg, client }) => msg === "client failed" && client === "second"));
  return told;
}

const COMMANDS: readonly (readonly string[])[] = [
  ["init"],
  ["export"],
  ["retention", "extend"],
  ["retention", "purge"],
  ["verify"],
  ["rebuild"],
  ["reconcile"],
  ["report"],
  ["backfill"],
  ["backfill", "--plan"],
];

describe("one client's vault is no vault: the others are served, and both are told", () => {
  before(() => rename(place.path("vault/second"), place.path("vault/apart")));
  after(() => rename(place.path("vault/apart"), place.path("vault/second")));
  for (const [command, ...args] of COMMANDS) {
    test([command, ...args].join(" "), async () => {
      const ended = await place.here(command!, [...args, "--json"]);
      toldOfAll(ended, 4, "incomplete", args.includes("--plan") ? "plan" : "clients");
    });
  }
});

test("one client's vault is no vault: workers go on for the others, and tell both", {
  skip: withoutRedis,
}, async () => {
  await using redis = await RedisServer.start(false);
  await rename(place.path("vault/second"), place.path("vault/apart"));
  try {
    const running = place.start("worker", ["--redis", redis.url, "--json"]);
    await running.logged(({ msg, client }) => msg === "client failed" && client === "second");
    running.kill("SIGTERM");
    toldOfAll(await running.ended, 4, "incomplete");
  } finally {
    await rename(place.path("vault/apart"), place.path("vault/second"));
  }
});

describe("one client's log key is another's: the others are served, and both are told", () => {
  before(async () => {
    await rename(place.path("keys/second-log"), place.path("keys/apart"));
    const other = await makeWorkplace(sandbox, { client: { log: { origin: "second.example/holdfast" } } });
    await writeFile(place.path("keys/second-log"), await readFile(other.path("keys/log")));
    await other[Symbol.asyncDispose]();
  });
  after(() => rename(place.path("keys/apart"), place.path("keys/second-log")));
  for (const [command, args, code, failure] of [
    ["init", [], 2, "config"],
    ["export", [], 2, "config"],
    ["retention", ["extend"], 2, "config"],
    ["backfill", [], 2, "config"],
    ["verify", [], 2, "config"],
  ] as const) {
    test([command, ...args].join(" "), async () => {
      toldOfAll(await place.here(command, [...args, "--json"]), code, failure);
    });
  }
});

test("one client's store is down: the others' locks are extended, verify ends, doctor says it", async () => {
  const closed = createServer().listen(0, "127.0.0.1");
  const { port } = await new Promise<{ port: number }>((resolve) =>
    closed.once("listening", () => resolve(closed.address() as { port: number })),
  );
  await new Promise((resolve) => closed.close(resolve));
  const whole = structuredClone(place.config.clients[1]!);
  const endpoint = `http://127.0.0.1:${port}`;
  place.config.clients[1] = {
    ...whole,
    vault: { url: "s3://vault/second", endpoint, region: "us-east-1", forcePathStyle: true, lock: "governance" },
  };
  await place.configure();
  const env = { AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "x" };
  try {
    const [extended, verified, examined] = await Promise.all([
      place.holdfast("retention", ["extend", "--json"], { env }),
      place.holdfast("verify", ["--json"], { env }),
      place.holdfast("doctor", ["--json"], { env }),
    ]);
    toldOfAll(extended, 1, "vault-unavailable");
    toldOfAll(verified, 1, "vault-unavailable");
    const { clients } = examined.json as { clients: { client: string; findings: { level: string }[] }[] };
    assert.deepEqual(
      clients.map(({ client, findings }) => [client, findings.some(({ level }) => level === "failure")]),
      [
        ["acme-bank", false],
        ["second", true],
        ["third", false],
      ],
    );
  } finally {
    place.config.clients[1] = whole;
    await place.configure();
  }
});

test("the gravest failure makes the exit code: what is missing in one vault, before a vault that is not there", async () => {
  await using other = await makeWorkplace(sandbox);
  await other.addClient("second");
  await other.addClient("third");
  await other.expect(0, "init");
  await other.expect(0, "export");
  await rm(other.path("vault/acme-bank"), { recursive: true });
  await rm(other.path("vault/third/records"), { recursive: true });
  const ended = await other.here("verify", ["--json"]);
  assert.equal(ended.code, 4, ended.stderr);
  const told = ended.json as Told;
  assert.deepEqual(
    [told.clients?.map(({ client }) => client), told.failures?.map(({ client }) => client)],
    [["second", "third"], ["acme-bank"]],
  );
});
