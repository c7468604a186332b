import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { loadConfig, parseConfig, selectClients } from "../../src/config/load.ts";
import { HoldfastError, hasCode } from "../../src/core/error.ts";
import { ABSENT, accepted, client, FILE, OTHER_RECIPIENT, RECIPIENT, refused, refusedOnce, yaml } from "./sample.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-config-"));
after(() => rmSync(folder, { recursive: true }));

test("the smallest config, and its defaults", async () => {
  const config = await accepted(yaml(client()));
  assert.equal(config.file, resolve(FILE));
  assert.equal(config.state, resolve("conf/state"));
  assert.deepEqual(config.schedule, { cron: "30 2 * * *", timezone: "UTC", jitter: 0, grace: 50_000 });
  const [acme] = config.clients;
  assert.ok(acme !== undefined);
  assert.equal(acme.state, resolve("conf/state/acme"));
  assert.equal(acme.collect, "minimal");
  assert.deepEqual(acme.legalBasis, []);
  assert.deepEqual(acme.minimal, { overAge: [18] });
  assert.equal(acme.sources[0]!.url, "https://api.passbase.com/verification/v2");
  assert.deepEqual(acme.sources[0]!.rate, { count: 10, per: 1000 });
  assert.equal(acme.sources[0]!.concurrency, 4);
  assert.equal(String(acme.sources[0]!.apiKey), "env:PASSBASE_KEY");
  assert.deepEqual(acme.vault, {
    kind: "s3",
    url: "s3://acme-kyc/acme",
    bucket: "acme-kyc",
    prefix: "acme",
    lock: "governance",
    endpoint: undefined,
    region: undefined,
    forcePathStyle: false,
    ...{ encryption: undefined, kmsKey: undefined, expectedOwner: undefined, requesterPays: false },
    concurrency: 16,
    lockRate: { count: 1000, per: 1000 },
  });
  assert.deepEqual(acme.lookups.fields, ["email"]);
  assert.equal(acme.lookups.key.path, resolve("conf/keys/lookup"));
  assert.deepEqual(acme.recipients.strings, [RECIPIENT]);
  assert.equal(String(acme.retention.initialLock), "P90D");
  assert.equal(String(acme.retention.extendWhenLessThan), "P30D");
});

test("configs of several folders, read at the same time: each has its own paths", async () => {
  const text = yaml(client({ "vault.url": "file:./vault" }));
  const folders = ["one", "two", "three"];
  const read = await Promise.all(folders.map((folder) => parseConfig(text, `${folder}/holdfast.yaml`)));
  for (const [at, folder] of folders.entries()) {
    const { state, vault, lookups } = read[at]!.clients[0]!;
    assert.deepEqual(
      [state, vault.kind === "directory" && vault.path, lookups.key.path],
      [resolve(folder, "state/acme"), resolve(folder, "vault"), resolve(folder, "keys/lookup")],
    );
  }
});

test("a config with every field", async () => {
  const full = client({
    collect: "full",
    legalBasis: ["Regulation (EU) 2024/1624 Art. 77"],
    "minimal.overAge": [21, 16],
    "source.url": "http://127.0.0.1:9/verification/v2/",
    "source.rate": "600/min",
    "vault.url": "file:./vault",
    "vault.lock": "compliance",
    "lookups.fields": ["email", "document.number", "metadata.customer_id", "metadata.a.b"],
    recipients: [RECIPIENT, OTHER_RECIPIENT],
    "retention.initialLock": "PT10S",
    "retention.extendWhenLessThan": "PT5S",
  });
  const [acme] = (await accepted(yaml(full))).clients;
  assert.deepEqual(acme?.minimal.overAge, [16, 21]);
  assert.equal(acme?.sources[0]?.url, "http://127.0.0.1:9/verification/v2");
  assert.equal(acme?.vault.kind === "directory" && acme.vault.path, resolve("conf/vault"));
  assert.equal(acme?.vault.lock, "compliance");
  assert.deepEqual(acme?.recipients.strings, [RECIPIENT, OTHER_RECIPIENT]);
});

test("numbers at their limits", async () => {
  const bounds: [string, number, number][] = [
    ["source.concurrency", 1, 64],
    ["vault.concurrency", 1, 256],
  ];
  for (const [path, min, max] of bounds) {
    for (const value of [min, max]) await accepted(yaml(client({ [path]: value })));
    for (const value of [min - 1, max + 1, min + 0.5, "4", Number.NaN]) {
      await refusedOnce(yaml(client({ [path]: value })), new RegExp(`${path}: .*from ${min} to ${max}$`));
    }
  }
  await accepted(yaml(client({ "minimal.overAge": [1, 120] })));
  for (const age of [0, 121]) {
    await refusedOnce(yaml(client({ "minimal.overAge": [age] })), /overAge\[0\]: .*from 1 to 120$/);
  }
  await refusedOnce(yaml(client({ "minimal.overAge": [] })), /overAge: is too short; write ages such as \[18\]/);
  await refusedOnce(yaml(client({ "minimal.overAge": [18, 18] })), /overAge\[1\]: duplicates \[0\]/);
  await accepted(yaml(client({ id: "a".repeat(63) })));
  await refusedOnce(yaml(client({ id: "a".repeat(64), "vault.url": "s3://acme-kyc/a" })), /clients\[0\]\.id: /);
});

test("each field's error says where, what and how to fix it", async () => {
  const cases: [string, unknown, RegExp][] = [
    ["id", "Acme Bank", /:2: clients\[0\]\.id: "Acme Bank" is not an id; write .* such as acme-bank$/],
    ["id", ABSENT, /:2: clients\[0\]\.id: is missing; write a short name such as acme-bank$/],
    ["collect", "all", /clients\[0\]\.collect: "all" is not one of the choices; write minimal or full$/],
    ["source", ABSENT, /:2: clients\[0\]\.source: is missing; write a section with kind, url, apiKey, rate/],
    ["source", null, /:3: clients\[0\]\.source: is empty; write a section with/],
    ["source", ["x"], /:3: clients\[0\]\.source: a list is not a section; write a section with/],
    [
      "source.kind",
      "other",
      /:4: clients\[0\]\.source\.kind: "other" is not one of the choices; write passbase or persona or stripe or onfido or sumsub or veriff or folder$/,
    ],
    ["source.rate", "10", /clients\[0\]\.source\.rate: "10" is not a rate; write .*10\/s, 600\/min or 1000\/h/],
    ["source.url", "http://api.example", /source\.url: "http:\/\/api\.example" is not encrypted; write https:\/\/;/],
    ["vault.url", "acme", /vault\.url: "acme" is not a vault; write s3:\/\/bucket\/prefix or file:\/\/\/dir$/],
    ["vault.url", 5, /vault\.url: 5 is not text; write s3:\/\/bucket\/prefix or file:\/\/\/dir$/],
    ["vault.lock", "none", /vault\.lock: "none" is not one of the choices; write governance or compliance$/],
    ["vault.forcePathStyle", "yes", /forcePathStyle: "yes" is not yes or no; write true or false$/],
    ["vault.region", "eu central", /vault\.region: "eu central" is not a region; write one such as eu-central-1$/],
    ["lookups.fields", ["phone"], /lookups\.fields\[0\]: "phone" is not a lookup; write email, document\.number or/],
    ["lookups.fields", "email", /lookups\.fields: "email" is not a list; write email, /],
    ["log.origin", "https://a.example", /log\.origin: "https:\/\/a\.example" is not a log name; write your domain/],
    ["legalBasis", [""], /legalBasis\[0\]: "" is not the name of a rule; write|name the rule/],
    [
      "retention.keep",
      "5 years",
      /retention\.keep: "5 years" is not a duration; write an ISO 8601 duration such as P90D/,
    ],
    ["retention.from", ABSENT, /retention\.from: is missing; write created or exported or relationship-end or/],
    ["recipients", ABSENT, /recipients: is missing; write \[age1…officer, age1…escrow\]$/],
  ];
  for (const [path, value, pattern] of cases) {
    await refusedOnce(yaml(client({ [path]: value })), pattern, path === "recipients" ? "recipients" : "config");
  }
});

test("the line is the line of the value", async () => {
  const text = `# a comment\n\nclients:\n${yaml(client()).split("\n").slice(1).join("\n")}`;
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.includes("keep:"));
  lines[at] = "      keep: never";
  await refusedOnce(lines.join("\n"), new RegExp(`^${FILE}:${at + 1}: clients\\[0\\]\\.retention\\.keep: "never"`));
});

test("the time zone of retention must be an IANA name, like that of the schedule", async () => {
  for (const zone of ["CEST", "+01:00", "Mars/Olympus", "UTC+1"]) {
    const wrong = yaml(client({ retention: { keep: "P5Y", from: "exported", timezone: zone } }));
    await refusedOnce(wrong, /clients\[0\]\.retention\.timezone: .* is not a time zone/);
  }
  const right = yaml(client({ retention: { keep: "P5Y", from: "exported", timezone: "America/New_York" } }));
  assert.equal((await accepted(right)).clients[0]!.retention.timezone, "America/New_York");
});

test("top-level fields", async () => {
  const rest = yaml(client());
  await refusedOnce(`state: ""\n${rest}`, /:1: state: "" is not a directory on this machine; write a path/);
  await refusedOnce(`state: s3://x/y\n${rest}`, /:1: state: /);
  await refusedOnce(`schedule: { cron: nightly }\n${rest}`, /:1: schedule\.cron: "nightly" is not a cron expression/);
  await refusedOnce(`schedule: { timezone: CEST }\n${rest}`, /:1: schedule\.timezone: "CEST" is not a time zone/);
  await refusedOnce("clients: []", /:1: clients: is too short; write at least one client/);
  await refusedOnce("state: x", /clients: is missing; write at least one client/);
  await refusedOnce("5", /5 is not a section; write a section with state, schedule, metrics, inbox, clients/);
});

test("unknown keys: the error suggests the right key", async () => {
  await refusedOnce(
    yaml(client({ "vault.lok": "compliance" })),
    /:\d+: clients\[0\]\.vault: "lok" .*did you mean "lock"\?/,
  );
  await refusedOnce(
    yaml(client({ legalBase: [] })),
    /clients\[0\]: "legalBase" is not a key here; did you mean "legalBasis"/,
  );
  await refusedOnce(
    yaml(client({ "source.forcepathstyle": 1 })),
    /source: "forcepathstyle" is not a key here; remove it/,
  );
  await refusedOnce(yaml(client({ "source.region": "x" })), /"region" .* only a source of kind folder has it$/);
  await refusedOnce(`${yaml(client())}shedule: {}\n`, /: "shedule" is not a key here; did you mean "schedule"\?/);
  const [line = ""] = await refused(yaml(client({ "lookups.zzzzzz": 1 })));
  assert.match(line, /"zzzzzz" is not a key here; remove it, or write one of key, fields$/);
  const keys = ["__proto__", "constructor", "toString", "<<"];
  for (const key of keys) await refusedOnce(`${yaml(client())}"${key}": {}\n`, /is not a key here/);
});

test("all problems at once, sorted by line", async () => {
  const lines = await refused(
    yaml(
      client({ "source.rate": "fast", "vault.url": "nowhere", "retention.keep": "long", extra: 1 }),
      client({ id: "beta", recipients: ["age1x"], collect: "full", "log.origin": "a b" }),
    ),
  );
  const paths = lines.map((line) => line.split(": ")[1]);
  const expected = ["source.rate", "vault.url", "retention.keep"].map((path) => `clients[0].${path}`);
  expected.push("clients[0]", "clients[1].recipients[0]", "clients[1].log.origin", "clients[1].collect");
  assert.deepEqual(paths, expected);
  const numbers = lines.map((line) => Number(line.split(":")[1]));
  assert.deepEqual(
    numbers,
    numbers.toSorted((one, other) => one - other),
  );
});

test("lists at most fifty problems", async () => {
  const clients = Array.from({ length: 60 }, () => client({ id: "Ä", "vault.url": "x", "log.origin": ABSENT }));
  const lines = await refused(yaml(...clients));
  assert.equal(lines.length, 51);
  assert.match(lines.at(-1)!, /: and \d+ more$/);
});

test("invalid recipients have their own error code", async () => {
  const one = (recipients: unknown) => yaml(client({ recipients }));
  await refusedOnce(one([]), /:\d+: clients\[0\]\.recipients: there are no recipients/, "recipients");
  await refusedOnce(one([RECIPIENT, RECIPIENT]), /recipients\[1\]: duplicates recipients\[0\]/, "recipients");
  await refusedOnce(one(["AGE-SECRET-KEY-1QQQQ"]), /recipients\[0\]: a private key \(not shown\)/, "recipients");
  await refusedOnce(one([5]), /recipients\[0\]: 5 is not text; write age1…/, "recipients");
  await refused(yaml(client({ recipients: [], "vault.url": "x" })), "config");
});

test("secrets: a literal of any type is refused and not repeated", async () => {
  for (const path of ["source.apiKey", "lookups.key", "log.key"]) {
    for (const value of ["hunter2", "env:hunter2!", 4711471147, true, ["hunter2"], { hunter2: "hunter2" }]) {
      const [line = "", ...more] = await refused(yaml(client({ [path]: value })));
      assert.deepEqual(more, []);
      assert.match(
        line,
        new RegExp(
          `clients\\[0\\]\\.${path}: .*not shown.*; write env:NAME, file:/path/to/it or aws-secretsmanager:name$`,
        ),
      );
      assert.ok(!/hunter2|4711/.test(line), line);
    }
  }
  await refusedOnce(yaml(client({ "log.key": ABSENT })), /log\.key: is missing; write env:NAME, file:/);
});

test("a secret in the wrong place is not repeated either", async () => {
  const key = "K3f9c2b7a1e8d4f60b5c9a2e7d1f8b3c4";
  for (const path of ["source.url", "source.rate", "vault.url", "id", "log.origin", "retention.keep", "collect", key]) {
    for (const line of await refused(yaml(client({ [path]: key })))) assert.ok(!line.includes(key), line);
  }
});

test("an invalid document is refused with its line, without quoting it", async (context) => {
  const warned = context.mock.method(process, "emitWarning", () => {});
  const cases: [string, RegExp][] = [
    ["", /is empty; create one with `holdfast new`/],
    ["# nothing\n", /is empty/],
    ["null", /is empty/],
    ["state: a\nstate: b", /:2: a key appears twice/],
    ["clients:\n\t- id: hunter2", /:2: a tab indents/],
    ["a: [hunter2", /:1: .*bracket/],
    ['a: "hunter2', /:1: .*missing/],
    ['a: "hunter\\q2"', /:1: invalid backslash/],
    ["a: *hunter2", /an alias/],
    ["a: !hunter2 b", /:1: tags \(!…\) are/],
    ["a: 1\n---\nb: hunter2", /more than one document/],
    ["a: b\n hunter2", /:\d: /],
    ["? [a]\n: hunter2", /:1: a key is not a name/],
    ["a: {{ hunter2 }}", /:1: a key is not a name; fill in the template/],
  ];
  for (const [text, pattern] of cases) {
    const lines = await refused(text);
    assert.match(lines.join("\n"), pattern, text);
    assert.ok(!lines.join().includes("hunter2"), lines.join());
  }
  assert.equal(warned.mock.callCount(), 0);
});

test("a bomb is refused quickly", async () => {
  const bomb = Array.from(
    { length: 30 },
    (_, n) => `a${n}: &a${n} [${n === 0 ? "x" : `*a${n - 1}, *a${n - 1}, *a${n - 1}`}]`,
  );
  assert.match((await refused(bomb.join("\n"))).join(), /aliases expand without limit/);
  assert.match((await refused("[".repeat(100_000))).join(), /nested too deeply|bracket/);
  await refused(`a: ${"{a: ".repeat(50_000)}`);
  await refused("a: &a [*a]");
  await refused(yaml(client({ "source.rate": "x".repeat(500_000), id: "Y".repeat(400_000) })));
});

test("an alias may be used for a value", async () => {
  const text = yaml(client({ id: "acme" }), client({ id: "beta" }))
    .replace(`recipients:\n      - ${RECIPIENT}`, `recipients: &keys\n      - ${RECIPIENT}`)
    .replace(`recipients:\n      - ${RECIPIENT}`, "recipients: *keys");
  assert.match(text, /\*keys/);
  assert.deepEqual((await accepted(text)).clients[1]?.recipients.strings, [RECIPIENT]);
  await refused(text.replace(RECIPIENT, "age1x"), "recipients");
});

test("unreadable files", async () => {
  const missing = join(folder, "none.yaml");
  const error = await loadConfig(missing).catch((reason: unknown) => reason);
  assert.ok(error instanceof HoldfastError && hasCode(error, "config"));
  assert.ok(error.message.includes(missing));
  assert.match(error.hint ?? "", /`holdfast new`/);
  await assert.rejects(loadConfig(folder), (reason) => hasCode(reason, "config"));
  const binary = join(folder, "binary.yaml");
  writeFileSync(binary, Uint8Array.of(0xff, 0xfe, 0x00));
  await assert.rejects(loadConfig(binary), (reason) => hasCode(reason, "config"));
});

test("a file of one megabyte is read, one byte more is refused", async () => {
  const path = join(folder, "large.yaml");
  const text = yaml(client());
  writeFileSync(path, text + "#".repeat(1024 * 1024 - text.length));
  assert.equal((await loadConfig(path)).file, path);
  writeFileSync(path, text + "#".repeat(1024 * 1024 - text.length + 1));
  await assert.rejects(loadConfig(path), (reason) => hasCode(reason, "config") && /larger than/.test(String(reason)));
});

test("a byte order mark and Windows line endings are accepted", async () => {
  const path = join(folder, "windows.yaml");
  writeFileSync(path, `\ufeff${yaml(client()).replaceAll("\n", "\r\n")}`);
  assert.equal((await loadConfig(path)).clients[0]?.id, "acme");
});

test("clients are selected by id, in the order of the config", async () => {
  const config = await accepted(yaml(client({ id: "acme" }), client({ id: "beta" }), client({ id: "gamma" })));
  const ids = (...names: string[]) => selectClients(config, names).map(({ id }) => id);
  assert.deepEqual(ids(), ["acme", "beta", "gamma"]);
  assert.deepEqual(selectClients(config).length, 3);
  assert.deepEqual(ids("gamma", "acme", "acme"), ["acme", "gamma"]);
  assert.throws(
    () => ids("acme", "delta"),
    (error: HoldfastError) => {
      assert.ok(hasCode(error, "usage"));
      assert.match(error.message, /is called "delta"$/);
      assert.equal(error.hint, "Name one of: acme, beta, gamma.");
      return true;
    },
  );
});
