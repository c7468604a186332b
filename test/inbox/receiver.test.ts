import assert from "node:assert/strict";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { Secret } from "../../src/config/secret.ts";
import { SCHEME_NAMES, type SchemeName } from "../../src/config/webhook.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { inboxFile } from "../../src/inbox/database.ts";
import { Inbox } from "../../src/inbox/inbox.ts";
import { RESULTS } from "../../src/inbox/receiver.ts";
import { Handles } from "../../src/record/handles.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { eventOf, SECRETS, sign } from "./signing.ts";
import { filesIn, INTEGRATION, LOOKUP, OWN, rowsOf, send, stage } from "./stage.ts";

const seconds = () => Math.floor(Date.now() / 1000);
const ID = "c0ffee00-1111-4111-8111-111111111111";
const signed = (scheme: SchemeName = "stripe", id = ID, event = "evt_1") =>
  sign(scheme, SECRETS[scheme][0], eventOf(scheme, id, event), seconds());

test("an event of every scheme is answered 200 with nothing, and leaves a token and a closed id", async () => {
  await using at = await stage({ clients: { acme: SCHEME_NAMES } });
  for (const scheme of SCHEME_NAMES) {
    const { status, body } = await at.send(`/hooks/acme/${scheme}`, signed(scheme));
    assert.deepEqual([status, body], [200, ""], scheme);
  }
  const rows = rowsOf(at.client());
  const [tokens, handles] = [new Tokens(new Secret(LOOKUP)), new Handles(new Secret(LOOKUP))];
  for (const { source, subject, handle, kind, at: time } of rows as Record<string, string>[]) {
    const { kind: of } = OWN[source as SchemeName] ?? { kind: "stripe" };
    assert.equal(subject, tokens.subject(of, ID));
    assert.equal(handles.open(subject!, of, handle!), ID);
    assert.match(
      kind!,
      /^(identity\.verification_session\.verified|inquiry\.approved|workflow_run\.completed|VERIFICATION_COMPLETED|applicantReviewed|event\/submitted)$/,
    );
    assert.match(time!, /^\d{4}-/);
  }
  assert.deepEqual(rows.map(({ source }) => source).sort(), SCHEME_NAMES.toSorted());
});

test("the inbox holds neither a body nor an id nor a secret, and no other user can read it", async () => {
  await using at = await stage({ clients: { acme: ["stripe", "persona"] } });
  await at.send("/hooks/acme/stripe", signed("stripe", "vs_canary00c0ffee77"));
  await at.send("/hooks/acme/persona", signed("persona", "inq_canary00c0ffee77"));
  const { state } = at.client();
  for (const path of await filesIn(state)) {
    assert.equal((await stat(path)).mode & 0o777, 0o600, path);
    const bytes = await readFile(path);
    for (const text of ["c0ffee77", "canary", "attributes", 'verification_session"', "evt_1", ...SECRETS.stripe])
      assert.ok(!bytes.includes(text), `${text} in ${path}`);
  }
  assert.ok((await filesIn(state)).length >= 2);
});

test("what is not from the provider is refused without a word, and nothing of it is kept", async () => {
  await using at = await stage({ clients: { acme: ["stripe", "persona"], other: ["stripe"] } });
  const good = signed();
  const refused = async (path: string, request: Partial<typeof good>, status: number, options = {}) => {
    const answer = await at.send(path, request, options);
    assert.deepEqual([answer.status, answer.body], [status, ""], path);
    const { date: _, connection: __, "keep-alive": ___, "content-length": ____, ...rest } = answer.headers;
    const expected = status === 405 ? { allow: "POST" } : status >= 429 ? { "retry-after": rest["retry-after"] } : {};
    assert.deepEqual(rest, expected);
  };
  const header = (name: string, value: string) => ({ ...good, headers: { ...good.headers, [name]: value } });
  await refused("/hooks/acme/stripe", header("stripe-signature", "t=1,v1=00"), 401);
  await refused("/hooks/acme/stripe", { body: good.body, headers: {} }, 401);
  await refused("/hooks/acme/stripe", { ...good, body: Buffer.from(`${good.body} `) }, 401);
  // The path of another client, or of another source.
  await refused("/hooks/other/stripe", good, 401);
  await refused("/hooks/acme/persona", good, 401);
  for (const path of [
    "/",
    "/hooks",
    "/hooks/acme",
    "/hooks/acme/stripe/",
    "/hooks/acme/stripe?x",
    "//hooks/acme/stripe",
    "/hooks/acme/onfido",
    "/hooks/../hooks/acme/stripe",
    "/HOOKS/acme/stripe",
  ])
    await refused(path, good, 404);
  await refused("/hooks/acme/stripe", {}, 405, { method: "GET" });
  await refused("/hooks/acme/stripe", good, 405, { method: "PUT" });
  await refused("/hooks/acme/stripe", header("content-type", "text/html"), 415);
  await refused("/hooks/acme/stripe", { ...header("content-encoding", "gzip"), body: gzipSync(good.body) }, 415);
  await refused("/hooks/acme/stripe", { ...good, body: Buffer.alloc(1024 ** 2 + 1) }, 413);
  const rubbish = sign("stripe", SECRETS.stripe[0], "not json", seconds());
  await refused("/hooks/acme/stripe", rubbish, 400);
  assert.deepEqual(
    (await filesIn(at.folder)).filter((path) => path.includes("inbox.sqlite")),
    [],
  );
  await at.send("/hooks/acme/stripe", good);
  assert.equal(rowsOf(at.client()).length, 1);
});

test("an event of another Veriff integration is refused, although the secret is the same", async () => {
  await using at = await stage({ clients: { acme: ["veriff"] } });
  const of = (event: string, headers: Record<string, string>) => {
    const { body, headers: own } = signed("veriff", ID, event);
    return at.send("/hooks/acme/veriff", { body, headers: { ...own, ...headers } });
  };
  const other = "0000aaaa-7a19-4d7d-971f-a076407ee03c";
  const answers = [
    await of("evt_1", { "x-auth-client": INTEGRATION }),
    await of("evt_2", { "vrf-auth-client": INTEGRATION.toUpperCase(), "x-auth-client": INTEGRATION }),
    await of("evt_3", {}),
    await of("evt_4", { "x-auth-client": other }),
    await of("evt_5", { "vrf-auth-client": other, "x-auth-client": INTEGRATION }),
    await of("evt_6", { "x-auth-client": "" }),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 401, 401, 401],
  );
  assert.equal(rowsOf(at.client()).length, 3);
});

test("which secret it was signed with is told", async () => {
  await using at = await stage();
  const older = sign("stripe", SECRETS.stripe[1], eventOf("stripe", ID, "evt_2"), seconds());
  await at.send("/hooks/acme/stripe", signed());
  await at.send("/hooks/acme/stripe", older);
  assert.deepEqual(
    at.results.map(({ result, secret }) => [result, secret]),
    [
      ["taken", 0],
      ["taken", 1],
    ],
  );
});

test("a repetition is answered 200 and not kept again; without a signed id, the same body is one", async () => {
  await using at = await stage({ clients: { acme: ["stripe", "onfido", "standard-webhooks"] } });
  const again = async (path: string, ...all: ReturnType<typeof sign>[]) => {
    for (const each of all) assert.equal((await at.send(path, each)).status, 200);
  };
  // Signed again each time, as Stripe does; the event is the same.
  const event = eventOf("stripe", ID, "evt_7");
  await again(
    "/hooks/acme/stripe",
    ...[0, 1, 2].map((ago) => sign("stripe", SECRETS.stripe[0], event, seconds() - ago)),
  );
  await again("/hooks/acme/onfido", signed("onfido"), signed("onfido"));
  const [secret] = SECRETS["standard-webhooks"];
  await again(
    "/hooks/acme/standard-webhooks",
    sign("standard-webhooks", secret, eventOf("stripe", "vs_1"), seconds(), "msg_a"),
    sign("standard-webhooks", secret, eventOf("stripe", "vs_1"), seconds(), "msg_a"),
    sign("standard-webhooks", secret, eventOf("stripe", "vs_1"), seconds(), "msg_b"),
  );
  assert.deepEqual(
    at.results.map(({ result }) => result),
    [...["taken", "duplicate", "duplicate", "taken", "duplicate", "taken", "duplicate", "taken"]],
  );
  assert.equal(rowsOf(at.client()).length, 4);
});

test("an event that names no one, and a kind of event that no one knows, are answered 200", async () => {
  await using at = await stage({ clients: { acme: ["onfido", "stripe"] } });
  const check = '{"payload":{"resource_type":"check","action":"check.completed","object":{"id":"c"}}}';
  const later =
    '{"id":"evt_9","type":"identity.of-2031","data":{"object":{"object":"identity.verification_session","id":"vs_2"}}}';
  assert.equal((await at.send("/hooks/acme/onfido", sign("onfido", SECRETS.onfido[0], check, 0))).status, 200);
  assert.equal((await at.send("/hooks/acme/stripe", sign("stripe", SECRETS.stripe[0], later, seconds()))).status, 200);
  assert.deepEqual(
    at.results.map(({ result }) => result),
    ["unnamed", "taken"],
  );
  assert.deepEqual(
    rowsOf(at.client()).map(({ kind }) => kind),
    ["identity.of-2031"],
  );
  assert.deepEqual(
    rowsOf(at.client(), "source").map(({ name }) => name),
    ["onfido", "stripe"],
  );
});

test("what is signed and says nothing that can be read is answered 400, and kept nowhere", async () => {
  await using at = await stage({ clients: { acme: ["stripe", "onfido"] } });
  for (const text of ["", "null", "[]", '"x"', "7", "{", '{"id":1}}', "\ufeff{}"])
    for (const scheme of ["stripe", "onfido"] as const) {
      const { status } = await at.send(`/hooks/acme/${scheme}`, sign(scheme, SECRETS[scheme][0], text, seconds()));
      assert.equal(status, text.startsWith("\ufeff") ? 200 : 400, JSON.stringify(text));
    }
  assert.deepEqual(rowsOf(at.client()), []);
});

test("while the secrets cannot be read, everyone is asked to come again, forged or not", async () => {
  await using at = await stage();
  await rename(join(at.folder, "keys"), join(at.folder, "away"));
  for (const each of [signed(), { ...signed(), headers: {} }]) {
    const { status, headers } = await at.send("/hooks/acme/stripe", each);
    assert.deepEqual([status, headers["retry-after"]], [503, "60"]);
  }
  assert.ok(at.troubles.every((error) => error instanceof HoldfastError && error.code === "config"));
});

test("where the disk refuses, the sender is asked to come again, and it works once the disk does", async () => {
  await using at = await stage();
  const { state } = at.client();
  await mkdir(join(state, ".."), { recursive: true });
  await writeFile(state, "a file in the place of the folder");
  assert.equal((await at.send("/hooks/acme/stripe", signed())).status, 503);
  assert.ok(at.troubles.every((error) => error instanceof HoldfastError && error.code === "state"));
  await rm(state);
  assert.equal((await at.send("/hooks/acme/stripe", signed())).status, 200);
  assert.equal(rowsOf(at.client()).length, 1);
  // The file is taken away while it is open: what is answered 200 must not go with it.
  await rename(state, `${state}-away`);
  assert.equal((await at.send("/hooks/acme/stripe", signed("stripe", ID, "evt_2"))).status, 200);
  assert.equal(rowsOf(at.client()).length, 1);
  await writeFile(`${state}-damaged`, "no database at all, but long enough to be taken for one".repeat(20));
  for (const side of ["-wal", "-shm"]) await rm(inboxFile(state) + side);
  await rename(`${state}-damaged`, inboxFile(state));
  assert.equal((await at.send("/hooks/acme/stripe", signed("stripe", ID, "evt_3"))).status, 503);
});

test("when too much waits already, nothing more is taken", async () => {
  await using at = await stage();
  await at.send("/hooks/acme/stripe", signed());
  const inbox = new Inbox(at.client().state, { most: 2 });
  const arrival = (key: number) => ({
    ...{ source: "stripe", key: Buffer.alloc(32, key), kind: "k", isErasure: false },
    named: [{ subject: "0".repeat(32), handle: "x".repeat(60) }],
  });
  assert.deepEqual(inbox.append([1, 1, 2, 3].map(arrival), Temporal.Now.instant()), [
    "taken",
    "duplicate",
    "full",
    "full",
  ]);
  assert.equal(inbox.settle("stripe", "0".repeat(32), 1_000), 1);
  // What was refused for lack of room is no repetition.
  assert.deepEqual(inbox.append([2].map(arrival), Temporal.Now.instant()), ["taken"]);
  inbox.close();
});

test("slow requests are ended in time, endless ones once they are too long, and others are served meanwhile", async () => {
  // Others need less than that, however busy the machine is.
  await using at = await stage({ bounds: { patience: 5_000, connections: 20 } });
  const raw = (text: string, more?: () => string): Promise<string> =>
    new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const socket = connect(at.port, "127.0.0.1", () => {
        socket.write(text);
        timer = more && setInterval(() => socket.writable && socket.write(more()), 20);
      });
      let said = "";
      const never = setTimeout(() => {
        said = "it was not ended";
        socket.destroy();
      }, 60_000);
      socket.on("data", (chunk) => {
        said += chunk;
      });
      socket.on("error", () => {});
      socket.on("close", () => {
        clearInterval(timer);
        clearTimeout(never);
        resolve(said);
      });
    });
  const head = "POST /hooks/acme/stripe HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
  const slow = [
    raw("POST /hooks/acme/str"),
    raw(head, () => "x-a: b\r\n"),
    raw(`${head}content-length: 100000\r\n\r\n`, () => "x"),
    raw(`${head}transfer-encoding: chunked\r\n\r\n`, () => "1\r\nx\r\n"),
  ];
  for (let n = 0; n < 5; n++)
    assert.equal((await at.send("/hooks/acme/stripe", signed("stripe", ID, `evt_${n}`))).status, 200);
  for (const said of await Promise.all(slow)) assert.match(said, /^(HTTP\/1\.1 408|$)/);
  const block = `10000\r\n${"x".repeat(65_536)}\r\n`;
  const endless = await raw(`${head}transfer-encoding: chunked\r\n\r\n`, () => block);
  assert.match(endless, /^(HTTP\/1\.1 413|$)/);
  assert.ok(at.results.some(({ result }) => result === "too-large"));
  assert.match(await raw(`${head}x-large: ${"x".repeat(17_000)}\r\n\r\n`), /^HTTP\/1\.1 431/);
  assert.match(await raw(`${head}content-length: 5\r\ncontent-length: 6\r\n\r\n`), /^HTTP\/1\.1 400/);
  // More connections than are kept: the oldest are closed, and a new one always gets in.
  let closed = 0;
  const most = Promise.withResolvers<void>();
  const idle = Array.from({ length: 60 }, () =>
    connect(at.port, "127.0.0.1")
      .on("error", () => {})
      .on("close", () => ++closed === 40 && most.resolve())
      .resume(),
  );
  await most.promise;
  assert.equal((await send(at.port, "/hooks/acme/stripe", signed("stripe", ID, "evt_x"))).status, 200);
  for (const socket of idle) socket.destroy();
});

test("what is no request that can be read is answered as before, and counted under one word", async () => {
  await using at = await stage({ bounds: { patience: 60_000 } });
  await using hasty = await stage({ bounds: { patience: 500 } });
  const said = (text: string, { port } = at): Promise<string> =>
    new Promise((resolve) => {
      let answer = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(text))
        .on("error", () => {})
        .on("data", (chunk) => {
          answer += chunk;
        })
        .on("close", () => resolve(answer.split("\r\n", 1)[0]!));
    });
  const head = "POST /hooks/acme/stripe HTTP/1.1\r\nhost: x\r\n";
  for (const [text, status] of [
    ["no HTTP\r\n\r\n", "HTTP/1.1 400 Bad Request"],
    [`${head}content-length: 5\r\ncontent-length: 6\r\n\r\n`, "HTTP/1.1 400 Bad Request"],
    [`${head}x: ${"x".repeat(17_000)}\r\n\r\n`, "HTTP/1.1 431 Request Header Fields Too Large"],
    [`${head}expect: a miracle\r\n\r\n`, "HTTP/1.1 417 Expectation Failed"],
    ["CONNECT example.org:443 HTTP/1.1\r\nhost: x\r\n\r\n", ""],
  ] as const) {
    at.results.length = 0;
    assert.equal(await said(text), status);
    assert.deepEqual(at.results, [{ path: undefined, result: "not-http", secret: undefined }], text);
  }
  at.results.length = 0;
  assert.equal(await said(head, hasty), "HTTP/1.1 408 Request Timeout");
  assert.deepEqual(hasty.results, [{ path: undefined, result: "not-http", secret: undefined }]);
  hasty.results.length = 0;
  // A connection that a proxy opened in advance, and did not use.
  await said("", hasty);
  assert.deepEqual(hasty.results, []);
  assert.match(await said("POST /elsewhere HTTP/1.1\r\nconnection: close\r\n\r\n"), /404/);
  assert.deepEqual(
    at.results.map(({ result }) => result),
    ["unrouted"],
  );
});

test("who fills the memory for bodies and stalls loses their own: everyone else is served", async () => {
  const slow = signed("stripe", ID, "evt_slow");
  const most = 1_000;
  const bodies = 10 * (most - 1) + slow.body.length - 1;
  await using at = await stage({ bounds: { body: most, bodies, patience: 60_000 } });
  const head = "POST /hooks/acme/stripe HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
  const fields = Object.entries(slow.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const honest = connect(at.port, "127.0.0.1");
  const answer = new Promise<string>((resolve) => honest.once("data", (chunk) => resolve(String(chunk))));
  honest.write(`${head}${fields.join("")}content-length: ${slow.body.length}\r\n\r\n`);
  honest.write(slow.body.subarray(0, -1));
  const ended = Promise.withResolvers<void>();
  let closed = 0;
  const stall = () => {
    const socket = connect(at.port, "127.0.0.1").on("error", () => {});
    socket.on("close", () => ++closed === 10 && ended.resolve()).resume();
    socket.write(`${head}content-length: ${most}\r\n\r\n${"x".repeat(most - 1)}`);
    return socket;
  };
  let sent = 0;
  const serves = async () => {
    for (let n = 0; n < 20; n++)
      assert.equal((await at.send("/hooks/acme/stripe", signed("stripe", ID, `evt_${++sent}`))).status, 200);
  };
  // Together they fill it to the last byte.
  const hogs = Array.from({ length: 10 }, stall);
  await serves();
  hogs.push(...Array.from({ length: 10 }, stall));
  await serves();
  await ended.promise;
  honest.write(slow.body.subarray(-1));
  assert.match(await answer, /^HTTP\/1\.1 200/);
  const count = (wanted: string) => at.results.filter(({ result }) => result === wanted).length;
  assert.deepEqual([count("crowded") >= 10, count("taken")], [true, 41]);
  for (const socket of [honest, ...hogs]) socket.destroy();
});

test("more requests than the rate are asked to come again", async () => {
  await using at = await stage({ bounds: { rate: 1 / 3_600, burst: 3 } });
  const answers = [];
  for (let n = 0; n < 5; n++) answers.push(await at.send("/hooks/acme/stripe", signed("stripe", ID, `evt_${n}`)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 429, 429],
  );
  assert.equal(answers[4]!.headers["retry-after"], "1");
});

test("10,000 events in a burst, with repetitions, disorder and forgeries, are each kept once", async (t) => {
  // However long it takes to send them, their signatures are of now.
  const now = Temporal.Now.instant();
  await using at = await stage({ now: () => now, bounds: { rate: 1e6, burst: 1e6 } });
  const events = Array.from({ length: 4_000 }, (_, n) => signed("stripe", `vs_${n % 1_500}`, `evt_${n}`));
  const forged = Array.from({ length: 2_000 }, (_, n) =>
    sign("stripe", "whsec_guessed", eventOf("stripe", `vs_${n}`, `evt_f${n}`), seconds()),
  );
  const all = [...events, ...events, ...forged].sort(() => Math.random() - 0.5);
  const begun = performance.now();
  const statuses = await Promise.all(all.map(async (each) => (await at.send("/hooks/acme/stripe", each)).status));
  t.diagnostic(`${all.length} in ${Math.round(performance.now() - begun)} ms`);
  const count = (status: number) => statuses.filter((each) => each === status).length;
  assert.deepEqual([count(200), count(401)], [8_000, 2_000]);
  assert.equal(rowsOf(at.client()).length, 4_000);
  assert.equal(new Set(rowsOf(at.client()).map(({ subject }) => subject)).size, 1_500);
});

test("a clock that jumps an hour refuses what is signed with a time, and loses nothing that it took", async () => {
  let ahead = 0;
  await using at = await stage({
    now: () => Temporal.Now.instant().add({ seconds: ahead }),
    clients: { acme: ["stripe", "onfido"] },
  });
  assert.equal((await at.send("/hooks/acme/stripe", signed())).status, 200);
  for (ahead of [3_600, -3_600]) {
    assert.equal((await at.send("/hooks/acme/stripe", signed("stripe", ID, `evt_${ahead}`))).status, 401);
    assert.equal((await at.send("/hooks/acme/onfido", signed("onfido", ID, `${ahead}`))).status, 200);
  }
  ahead = 0;
  assert.equal((await at.send("/hooks/acme/stripe", signed())).status, 200);
  assert.deepEqual(at.results.at(-1)!.result, "duplicate");
  assert.equal(rowsOf(at.client()).length, 3);
});

test("the manual explains every word that the counts use, and no other", async () => {
  const manual = await readFile("docs/MONITORING.md", "utf8");
  const table = manual.split("## Webhooks that were received")[1]!.split("\n## ")[0]!;
  const words = Array.from(table.matchAll(/^\| `([a-z-]+)`/gm), ([, word]) => word);
  assert.deepEqual(words.toSorted(), RESULTS.toSorted());
});
