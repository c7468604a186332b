import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { EXAMPLE_RECIPIENTS } from "../../src/config/example.ts";
import { answerAll } from "../../src/config/first-answers.ts";
import type { ConfigAnswers } from "../../src/config/first-config.ts";
import { firstConfig } from "../../src/config/first-config.ts";
import { parseConfig } from "../../src/config/load.ts";
import { PRESET_NAMES, presetOf } from "../../src/config/presets.ts";
import { anyCharacter } from "../fuzz/character.ts";

const FOLDER = "/srv/first";
const FILE = join(FOLDER, "holdfast.yaml");
const KEYS = await Promise.all([1, 2, 3].map(async () => identityToRecipient(await generateX25519Identity())));
const OTHER_KIND = await identityToRecipient(await generateHybridIdentity());

const given: ConfigAnswers = {
  client: "acme-bank",
  provider: "passbase",
  vault: "s3://acme-kyc/holdfast",
  recipients: KEYS.slice(0, 2).join(" "),
  law: "eu-amlr",
  origin: "acme-bank.com/holdfast",
};
const place = { folder: FOLDER, isRoot: false };

/** The names of the questions with invalid answers, then those without an answer. */
async function told(changes: ConfigAnswers): Promise<string[]> {
  const { problems, missing } = await answerAll({ ...given, ...changes }, place);
  for (const { error } of problems) assert.ok(!error || error.hint);
  return [...problems.map(({ question }) => question.name), ...missing.map(({ name }) => `${name}?`)];
}

describe("a first config", () => {
  test("the fewest possible answers, and the defaults for the rest", async () => {
    const { answers, missing, problems } = await answerAll(given, place);
    assert.deepEqual([missing, problems], [[], []]);
    const { clients, state } = await parseConfig(firstConfig(answers), FILE);
    const [client] = clients;
    assert.equal(state, "/srv/first/state");
    assert.equal(client!.collect, "full");
    assert.deepEqual(client!.legalBasis, ["Regulation (EU) 2024/1624 Art. 77"]);
    assert.equal(String(client!.retention.classes.files.keep), "P5Y");
    assert.deepEqual(
      [client!.lookups.key, client!.log.key, client!.sources[0]!.apiKey!].map(({ path }) => path),
      ["lookup-key", "log-key", "api-key"].map((kind) => `/srv/first/keys/acme-bank.${kind}`),
    );
  });

  test("for root everything is below /var/lib/holdfast", async () => {
    const { answers } = await answerAll(given, { ...place, isRoot: true });
    const { clients, state } = await parseConfig(firstConfig(answers), FILE);
    assert.equal(state, "/var/lib/holdfast");
    assert.equal(clients[0]!.log.key.path, "/var/lib/holdfast/keys/acme-bank.log-key");
  });

  test("a comment on every section, and no field that was not answered", async () => {
    const { answers } = await answerAll({ ...given, endpoint: "https://s3.acme-bank.com" }, place);
    const lines = firstConfig(answers).trimEnd().split("\n");
    assert.ok(lines.length >= 30 && lines.length <= 50, String(lines.length));
    for (const section of ["state", "collect", "source", "recipients", "vault", "lookups", "log", "retention"]) {
      const at = lines.findIndex((line) => new RegExp(`^ *${section}:`).test(line));
      assert.match(lines[at - 1]!, /^ *# /, section);
    }
    for (const line of lines) assert.ok(line.length <= 125, line);
  });

  test("wrong answers are refused, each for its own question", async () => {
    for (const [changes, ...expected] of [
      [{ client: "Acme" }, "client"],
      [{ provider: "no one" }, "provider"],
      [{ vault: "https://acme-kyc" }, "vault"],
      [{ endpoint: "http://s3.acme-bank.com" }, "endpoint"],
      [{ vault: "file:./vault", endpoint: "https://s3.acme-bank.com", region: "eu-central-1" }, "endpoint", "region"],
      [{ recipients: `${KEYS[0]} ${KEYS[0]}` }, "recipients"],
      [{ recipients: KEYS[0]!.slice(0, -1) }, "recipients"],
      [{ recipients: `${KEYS[0]} ${OTHER_KIND}` }, "recipients"],
      [{ recipients: `${KEYS[0]} ${EXAMPLE_RECIPIENTS[0]}` }, "recipients"],
      [{ recipients: " " }, "recipients"],
      [{ law: "gdpr" }, "law"],
      [{ law: "uk-mlr", keep: "P5Y", from: "exported", legalBasis: "x" }, "keep", "from", "legalBasis"],
      [{ law: "own" }, "keep?"],
      [{ law: "own", collect: "full", keep: "P5Y" }, "legalBasis?"],
      [{ law: "own", keep: "P89D" }, "keep"],
      [{ law: "own", keep: "five years", from: "now", legalBasis: "\u0007" }, "keep", "from", "legalBasis"],
      [{ origin: "https://acme-bank.com" }, "origin"],
      [{ vault: "file:./state/acme-bank" }, "state"],
      [{ vault: "file:." }, "state", "keys"],
      [{ keys: "//host/keys" }, "keys"],
      [{ keys: "//localhost/keys" }, "keys"],
      [{ keys: "~/keys" }, "keys"],
      [{ apiKey: "b7e1f0c49d2a4c58a3f6e90d71cc5b84" }, "apiKey"],
    ] as const)
      assert.deepEqual(await told(changes), expected, JSON.stringify(changes));
  });

  test("a private key in any answer is refused and never repeated", async () => {
    const secret = await generateX25519Identity();
    for (const name of ["client", "provider", "vault", "recipients", "law", "origin", "apiKey"] as const) {
      const { problems } = await answerAll({ ...given, [name]: secret }, place);
      assert.deepEqual(
        problems.map(({ question }) => question.name),
        [name],
      );
      const { message, hint } = problems[0]!.error!;
      assert.ok(!`${message}${hint}`.includes(secret.slice(16, 30)), message);
    }
  });

  test("every accepted answer gives a config that loads and means what was answered", async () => {
    const any = fc.string({ unit: anyCharacter, maxLength: 24 });
    /** Words that YAML, a shell or a path could misread, and plain ones. */
    const odd = fc.constantFrom(
      "yes",
      "null",
      "0123",
      "1e3",
      "- a",
      "a: b",
      "# c",
      "*x",
      "&x",
      "!!str x",
      "{a}",
      "'",
      '"',
    );
    const text = (...plain: string[]) => fc.oneof({ arbitrary: fc.constantFrom(...plain), weight: 6 }, any, odd);
    const folder = text("./a", "../b c", "/var/x/", "./ü: {}", "./#x", "/a/\u0085", "./\n", "./'\"\\", "x").chain(
      (one) => fc.constantFrom(one, `./${one}`, `/${one}`),
    );
    const maybe = (arbitrary: fc.Arbitrary<string>) => fc.option(arbitrary, { nil: undefined });
    const answers = fc.record({
      client: text("acme", "null", "true", "0123", "1e3", "a-b"),
      provider: maybe(text("passbase")),
      vault: fc.oneof(
        text("s3://acme-kyc", "s3://acme-kyc/a/b", "file:./vault"),
        folder.map((one) => `file:${one}`),
      ),
      endpoint: maybe(text("https://s3.acme.com", "http://127.0.0.1:9000/")),
      region: maybe(text("eu-central-1", "0123", "no")),
      recipients: fc.subarray(KEYS, { minLength: 1 }).map((keys) => keys.join("  ")),
      law: fc.constantFrom(...PRESET_NAMES, "own"),
      collect: maybe(text("full", "minimal")),
      keep: maybe(text("P5Y", "P90D", "p18m", "P1Y6M")),
      from: maybe(text("created", "exported", "account-closed")),
      legalBasis: maybe(text("GwG Art. 7", " yes ", "a: b # c")),
      origin: text("acme.com/holdfast", "1.5", "0x1.f"),
      state: maybe(folder),
      keys: maybe(folder),
      apiKey: maybe(
        fc.oneof(
          text("env:KEY", "aws-secretsmanager:a/b#c"),
          folder.map((one) => `file:${one}`),
        ),
      ),
    });
    let loaded = 0;
    await fc.assert(
      fc.asyncProperty(answers, fc.boolean(), async (all, isRoot) => {
        const wanted = Object.fromEntries(
          Object.entries(all).filter(([, text]) => text !== undefined),
        ) as ConfigAnswers;
        const first = await answerAll(wanted, { ...place, isRoot });
        const wrong = new Set(first.problems.map(({ question }) => question.name));
        // Drop invalid answers, so that most runs go on to a config.
        const kept = Object.fromEntries(
          Object.entries(wanted).filter(([name]) => !wrong.has(name as keyof ConfigAnswers)),
        );
        const { answers, problems, missing } = await answerAll({ ...given, ...kept }, { ...place, isRoot });
        if (problems.length + missing.length > 0) return;
        loaded += 1;
        const { clients, state } = await parseConfig(firstConfig(answers), FILE);
        assert.equal(clients.length, 1);
        const { id, collect, sources, vault, log, lookups, retention, ...client } = clients[0]!;
        const path = (folder: string) => resolve(FOLDER, folder);
        const own = presetOf(answers.law) === undefined;
        assert.deepEqual(
          { id, collect, kind: sources[0]!.kind, origin: log.origin, apiKey: String(sources[0]!.apiKey), state },
          {
            ...{ id: answers.client, collect: answers.collect, kind: answers.provider, origin: answers.origin },
            ...{ apiKey: answers.apiKey, state: path(answers.state!) },
          },
        );
        assert.deepEqual(client.recipients.strings, answers.recipients!.split(/\s+/));
        assert.deepEqual(
          [log.key.path, lookups.key.path],
          ["log-key", "lookup-key"].map((kind) => join(path(answers.keys!), `${id}.${kind}`)),
        );
        if (vault.kind === "s3") {
          assert.equal(vault.url, answers.vault!.replace(/\/$/, ""));
          assert.deepEqual(
            [vault.endpoint ?? "", vault.region ?? "", vault.forcePathStyle],
            [answers.endpoint!.replace(/\/$/, ""), answers.region, answers.endpoint !== ""],
          );
        } else if (!answers.vault!.startsWith("file://")) assert.equal(vault.path, path(answers.vault!.slice(5)));
        if (own) {
          const { keep, from } = retention.classes.identifying;
          assert.deepEqual([String(keep), from], [String(Temporal.Duration.from(answers.keep!)), answers.from]);
          assert.deepEqual(client.legalBasis, answers.legalBasis ? [answers.legalBasis.trim()] : []);
        } else assert.equal(retention.preset, answers.law);
      }),
      { numRuns: 150 },
    );
    assert.ok(loaded > 40, `only ${loaded} configs were made`);
  });
});
