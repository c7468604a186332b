import assert from "node:assert/strict";
import { copyFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { eventOf, sign } from "../inbox/signing.ts";
import { send } from "../inbox/stage.ts";
import { startSandbox } from "../sandbox/server.ts";
import type { Ended } from "./program.ts";

/**
 * Nothing personal, no provider id and no key may be anywhere outside a sealed object: not in what the program says,
 * not in names, logs, state, vault or temporary files, in no encoding. One place of work goes through everything that
 * can happen to it, then all of it is searched.
 */

/** The ways bytes may contain a text. Base64 in each of its three alignments, without its ragged ends. */
function encodings(text: string): Map<string, Buffer> {
  const utf8 = Buffer.from(text);
  const found = new Map([
    ["UTF-8", utf8],
    ["UTF-16", Buffer.from(text, "utf16le")],
    ["hex", Buffer.from(utf8.toString("hex"))],
    ["HEX", Buffer.from(utf8.toString("hex").toUpperCase())],
    [
      "JSON escapes",
      Buffer.from(text.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)),
    ],
    ["percent", Buffer.from(encodeURIComponent(text))],
  ]);
  for (const shift of [0, 1, 2]) {
    const whole = Buffer.concat([Buffer.alloc(shift), utf8])
      .toString("base64")
      .replace(/=+$/, "");
    const inner = whole.slice(shift === 0 ? 0 : shift + 1, utf8.length % 3 === 0 && shift === 0 ? undefined : -1);
    if (inner.length < 8) continue;
    found.set(`base64+${shift}`, Buffer.from(inner));
    found.set(`base64url+${shift}`, Buffer.from(inner.replaceAll("+", "-").replaceAll("/", "_")));
  }
  return found;
}

interface Place {
  readonly name: string;
  readonly bytes: Buffer;
}

function search(places: readonly Place[], texts: readonly string[]): string[] {
  const needles = texts.flatMap((text) => Array.from(encodings(text), ([how, bytes]) => ({ text, how, bytes })));
  return places.flatMap(({ name, bytes }) =>
    needles.filter((needle) => bytes.includes(needle.bytes)).map(({ text, how }) => `${text} (${how}) in ${name}`),
  );
}

/** Files under a folder, names and contents; what is sealed only by name. */
async function filesOf(folder: string, label: string): Promise<Place[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const places: Place[] = [];
  for (const entry of names) {
    const path = join(entry.parentPath, entry.name);
    const name = `${label} ${path.slice(folder.length + 1)}`;
    places.push({ name: `the name of ${name}`, bytes: Buffer.from(name) });
    const sealed = /\.age(\/\d+)?$/.test(path);
    if (entry.isFile() && !sealed) places.push({ name, bytes: await readFile(path) });
  }
  return places;
}

/** Everything that a database holds: its pages may cut a value in two. */
function rowsOf(path: string): Record<string, unknown>[] {
  const db = new DatabaseSync(path, { readOnly: true });
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as { name: string }[];
  const rows = tables.flatMap(({ name }) => db.prepare(`SELECT * FROM ${name}`).all() as Record<string, unknown>[]);
  db.close();
  return rows;
}

/** Of the webhooks. */
const HOOK = "canary-webhook-secret-00c0ffee77";

const said = (name: string, { stdout, stderr }: Ended): Place[] => [
  { name: `stdout of ${name}`, bytes: Buffer.from(stdout) },
  { name: `stderr of ${name}`, bytes: Buffer.from(stderr) },
];

test("nothing personal and no key is found anywhere outside a sealed object", async (t) => {
  await using sandbox = await startSandbox({
    ...{ identities: 30, pageSize: 10, plainImages: true, fail: 5, truncate: 10, withhold: 10, retryAfter: 0 },
    apiKey: "canary-provider-key-7f3d9b",
  });
  await using place = await makeWorkplace(sandbox, { init: false });
  const places: Place[] = [];
  const temporary = place.path("tmp");
  await writeFile(place.path("wrong-provider"), "canary-wrong-key-0d15ea5e");
  const run = async (code: number, command: string, ...args: string[]): Promise<Ended> => {
    const env = { TMPDIR: temporary, NODE_DEBUG: undefined, DEBUG: "*" };
    const ended = await place.holdfast(command, args, { env });
    assert.equal(ended.code, code, `${command} ${args.join(" ")}: ${ended.stderr}`);
    places.push(...said([command, ...args].join(" "), ended));
    return ended;
  };
  await import("node:fs/promises").then(({ mkdir }) => mkdir(temporary));
  const broken = [sandbox.identity(3).id, sandbox.identity(4).id];

  /** Whom only webhooks name: events of them wait in the inbox when everything is searched. */
  const named = ["0ddba11c-0ffe-4e00-8000-00000000a11c", "0ddba11c-0ffe-4e00-8000-00000000b0b5"];
  /** Webhooks that are taken, and some that are refused for every reason that there is. */
  const webhooks = async (): Promise<void> => {
    await writeFile(place.path("keys/hook"), HOOK, { mode: 0o600 });
    Object.assign(place.config, { inbox: { listen: "127.0.0.1:0" }, metrics: { listen: "127.0.0.1:0" } });
    await place.configure({ source: { webhook: { secrets: ["file:./keys/hook"] } } });
    const inbox = place.start("inbox", [], { env: { TMPDIR: temporary, DEBUG: "*" } });
    try {
      const portOf = async (what: string): Promise<number> => {
        const { msg } = await inbox.logged(({ msg }) => String(msg).startsWith(what));
        return Number(/:(\d+)/.exec(String(msg))![1]);
      };
      const port = await portOf("webhooks at ");
      const ids = [sandbox.identity(2).id, sandbox.identity(10).id, ...named];
      for (const [index, id] of ids.entries()) {
        const signed = sign("passbase", HOOK, eventOf("passbase", id, `canary-${index}`), 0);
        const path = `/hooks/${CLIENT}/passbase`;
        const answers = [
          await send(port, path, signed),
          await send(port, path, signed),
          await send(port, path, { ...signed, body: Buffer.from(eventOf("passbase", id)) }),
          await send(port, path, { ...signed, headers: { "content-type": id } }),
          await send(port, path, sign("passbase", "f".repeat(32), eventOf("passbase", id), 0)),
          await send(port, path, signed, { method: "PUT" }),
          await send(port, `${path}/${id}?${id}`, { ...signed, headers: { "x-id": id } }),
        ];
        assert.deepEqual(
          answers.map(({ status }) => status),
          [200, 200, 401, 415, 401, 405, 404],
        );
        for (const { headers, body } of answers)
          places.push({ name: "an answer to a webhook", bytes: Buffer.from(JSON.stringify([headers, body])) });
      }
      const metrics = await fetch(`http://127.0.0.1:${await portOf("metrics at ")}/metrics`);
      const text = await metrics.text();
      assert.match(text, /^holdfast_inbox_pending\{.*\} 4$/m);
      places.push({ name: "the metrics", bytes: Buffer.from(text) });
      places.push(...said("doctor with webhooks", await place.holdfast("doctor", ["--json"])));
    } finally {
      inbox.kill("SIGTERM");
    }
    places.push(...said("inbox", await inbox.ended));
    await run(0, "status");
    await run(0, "export", "--dry-run");
    await run(0, "export");
  };

  await t.test("everything happens that can happen", async () => {
    await run(1, "export");
    await run(1, "doctor");
    await run(0, "init");
    await run(0, "doctor", "--json");
    await run(0, "init", "--json");

    // Answers that are cut, that are no JSON, and that hold their data where no one expects it.
    sandbox.intercept((request, response) => {
      const index = broken.findIndex((id) => request.url!.endsWith(`/identities/${id}`));
      if (index < 0) return false;
      const text = sandbox.text(index === 0 ? 3 : 4);
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(
        index === 0 ? text.slice(0, -20) : text.replace(/"id":"[^"]+"/, `"id":{"x":${JSON.stringify(text)}}`),
      );
      return true;
    });
    await run(3, "export");
    await run(3, "export", "--json");
    // A provider that says everything in its errors too.
    sandbox.intercept((_, response) => {
      response.writeHead(400, sandbox.identity(5).id, { "X-Echo": encodeURIComponent(sandbox.text(5)) });
      response.end(JSON.stringify({ error: sandbox.text(5), key: sandbox.apiKey }));
      return true;
    });
    await run(1, "export");
    sandbox.intercept(undefined);
    await run(0, "export");

    sandbox.change(6, { files: true });
    sandbox.vanish([7]);
    sandbox.redact([8, 9]);
    for (const args of [[], ["--json"], ["--quiet"]]) await run(0, "export", ...args);
    sandbox.add(4);
    await run(0, "backfill", "--plan");
    await run(0, "backfill", "--plan", "--json", "--put-price", "5");
    await run(0, "backfill", "--status", sandbox.identity(31).status!);
    await run(0, "backfill", "--json");
    await run(0, "export", "--identity", sandbox.identity(0).id);
    await run(2, "export", "--identity", "canary-id-that-no-one-knows-41c8");

    await run(0, "verify", "--read-data", "100");
    // The life after export, its words and its tables.
    const [who, other] = [sandbox.identity(0), sandbox.identity(1)];
    const words = ["--case", "canary-case-0f11", "--reason", "canary-reason-8c52"];
    await run(0, "hold", "place", ...words, "--identity", who.id);
    await run(0, "hold", "place", ...words, "--identity", other.id, "--json");
    await run(0, "erasure", "assess", "--identity", who.id);
    await run(2, "erasure", "assess", "--email", "canary-no-one@example.com");
    await writeFile(place.path("closed.csv"), `identity,date\n${who.id},2020-01-31\ncanary-no one-77,2020-01-31\n`);
    await run(3, "relationship", "end", "--csv", place.path("closed.csv"));
    await rm(place.path("closed.csv"));
    await run(0, "relationship", "reopen", "--identity", who.id, "--json");
    await run(0, "hold", "release", ...words);
    await run(0, "retention", "purge");
    await run(0, "retention", "extend");
    await run(3, "reconcile");
    sandbox.add(1);
    await run(3, "reconcile");
    await run(3, "reconcile", "--json");
    await run(0, "report", "--out", place.path("report.html"), "--json");
    await run(0, "rebuild");
    await run(0, "rebuild", "--json");
    await webhooks();
    await place.configure({ source: { apiKey: "file:./wrong-provider" } });
    await run(1, "export", "--json");
    await run(1, "doctor");
    await run(2, "doctor", "--json", "--redis", "redis://:canary-redis-password-b1e5@127.0.0.1:9");
    await writeFile(place.path("redis"), "redis://:canary-redis-password-b1e5@127.0.0.1:9");
    await run(1, "doctor", "--json", "--redis", `file:${place.path("redis")}`);
    // Secrets where none belongs, and values that no field takes.
    await place.configure({ source: { apiKey: sandbox.apiKey }, lookups: { key: "canary-lookup-literal-55aa" } });
    await run(2, "export");
    await place.configure({ source: { apiKey: "file:./keys/provider" }, lookups: { key: "file:./keys/log" } });
    await run(2, "export");
    await place.configure({ lookups: { key: "file:./keys/lookup" } });
  });

  await t.test("a vault that was tampered with is told of without its content", async () => {
    const [first] = await place.entries("record.stored");
    const path = place.path("vault", CLIENT, ".versions", first!.object.key, first!.object.versionId);
    const sealed = await readFile(path);
    await copyFile(path, place.path("kept"));
    await rm(path);
    await writeFile(path, sealed.fill(0, sealed.length >> 1, (sealed.length >> 1) + 1));
    await run(4, "verify", "--read-data", "100", "--json");
    const wrong = await place.holdfast("open", [path, "--key", place.officer.file]);
    places.push(...said("open of a damaged record", wrong));
    assert.equal(wrong.code, 4);
    const notAKey = await place.holdfast("open", [place.path("kept"), "--key", place.path("keys/lookup")]);
    places.push(...said("open with what is no key", notAKey));
    assert.notEqual(notAKey.code, 0);
    await rm(path);
    await copyFile(place.path("kept"), path);
    await rm(place.path("kept"));
    await run(0, "verify", "--read-data", "100");
  });

  const canaries = [
    ...sandbox.canaries(),
    ...["canary-wrong-key-0d15ea5e", "canary-lookup-literal-55aa", "canary-id-that-no-one-knows-41c8", HOOK, ...named],
    ...(await keysOf(place)),
  ];

  await t.test("it is all in the sealed records: the search can find", async () => {
    const [entry] = (await place.stored()).get(await place.subject(sandbox.identity(0).id))!;
    const record = await place.unseal(entry!.object.key, entry!.object.versionId);
    const found = search([{ name: "a record", bytes: record }], sandbox.canaries([0]));
    assert.ok(found.some((text) => text.startsWith(sandbox.identity(0).id)));
    const { owner } = sandbox.identity(0);
    assert.ok(found.some((text) => text.startsWith(owner!.email!)));
    for (const how of ["utf16le", "hex", "base64"] as const) {
      const bytes = Buffer.from(
        Buffer.from(`x${owner!.email}yz`, how === "utf16le" ? how : "utf8").toString(
          how === "utf16le" ? "latin1" : how,
        ),
        "latin1",
      );
      assert.ok(search([{ name: how, bytes }], [owner!.email!]).length > 0, how);
    }
  });

  await t.test("and nowhere else", async () => {
    places.push(...(await filesOf(place.path("vault"), "vault")));
    places.push(...(await filesOf(place.path("state"), "state")));
    places.push(...(await filesOf(temporary, "temporary")));
    const [catalog, waiting] = ["catalog", "inbox"].map((name) =>
      rowsOf(place.path("state", CLIENT, `${name}.sqlite`)),
    );
    assert.ok(catalog!.length > 50);
    assert.equal(waiting!.filter((row) => "handle" in row).length, named.length);
    places.push({ name: "the catalog's rows", bytes: Buffer.from(JSON.stringify(catalog)) });
    places.push({ name: "the inbox's rows", bytes: Buffer.from(JSON.stringify(waiting)) });
    places.push({ name: "the audit log", bytes: Buffer.from(JSON.stringify(await place.entries())) });
    for (const expected of [
      "vault acme-bank/vault.json",
      "vault acme-bank/audit/checkpoint",
      "state acme-bank/catalog.sqlite",
      "state acme-bank/checkpoint",
    ])
      assert.ok(
        places.some(({ name }) => name === expected),
        expected,
      );
    assert.ok(places.some(({ name }) => /^vault .*\.json$/.test(name) && name.includes(".versions/records")));
    assert.ok(canaries.length > 300);
    assert.deepEqual(search(places, canaries), []);
  });
});

/** The private halves of every key at this place of work. */
async function keysOf(place: Workplace): Promise<string[]> {
  const read = async (name: string) => (await readFile(place.path("keys", name), "utf8")).trim();
  const log = await read("log");
  return [await read("lookup"), log, log.split("+").slice(4).join("+"), place.officer.identity, place.escrow.identity];
}
