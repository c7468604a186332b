import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { parseConfig } from "../../src/config/load.ts";
import { hasCode, ownError } from "../../src/core/error.ts";
import { anyCharacter } from "../fuzz/character.ts";
import { client, yaml } from "./sample.ts";

const EXAMPLE = "config/holdfast.example.yaml";
const example = readFileSync(EXAMPLE, "utf8");

/** Shaped like a provider's secret key. */
const CANARY = "b7e1f0c49d2a4c58a3f6e90d71cc5b84";

/** Any text must give a config, or an error with the right code that does not repeat the canary. */
async function holds(text: string): Promise<void> {
  try {
    const config = await parseConfig(text, EXAMPLE);
    assert.ok(config.clients.length > 0);
  } catch (error) {
    assert.ok(hasCode(error, "config", "recipients"), `${error}\n${text}`);
    const { message, hint } = ownError(error)!;
    assert.ok(!`${message} ${hint}`.includes(CANARY), message);
    for (const line of message.split("\n")) assert.ok(line.startsWith(EXAMPLE), line);
  }
}

test("any text gives a config or an error", async () => {
  await fc.assert(fc.asyncProperty(fc.string({ unit: anyCharacter, maxLength: 300 }), holds));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(..."abc:- \n\t[]{}&*!|>'\"#%@`,?\\0~<=.".split(""))), (letters) =>
      holds(letters.join("")),
    ),
    { numRuns: 300 },
  );
});

test("any document gives a config or an error", async () => {
  const keys = fc.constantFrom(
    "clients",
    "state",
    "schedule",
    "id",
    "source",
    "vault",
    "url",
    "recipients",
    "retention",
  );
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: "small" },
      fc.anything({ maxDepth: 0, withNullPrototype: false }).filter((one) => typeof one !== "symbol"),
      fc.constantFrom("minimal", "full", "s3://bucket/x", "P1D", CANARY),
      fc.array(tie("node"), { maxLength: 4 }),
      fc.dictionary(fc.oneof(keys, fc.string()), tie("node"), { maxKeys: 5 }),
    ),
  })).node;
  await fc.assert(
    fc.asyncProperty(value, (document) => holds(stringify(document) ?? "")),
    { numRuns: 300 },
  );
  await fc.assert(
    fc.asyncProperty(value, value, (one, other) => holds(stringify({ clients: [one, other] }))),
    { numRuns: 300 },
  );
});

test("the example with anything cut out, inserted or doubled gives a config or an error", async () => {
  const place = fc.nat(example.length);
  const patch = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom("\n", ": ", "- ", "'", '"', "*a", "&a ", CANARY));
  await fc.assert(
    fc.asyncProperty(place, fc.nat(40), patch, (at, length, insert) =>
      holds(example.slice(0, at) + insert + example.slice(at + length)),
    ),
    { numRuns: 150 },
  );
  const lines = example.split("\n");
  await fc.assert(
    fc.asyncProperty(fc.nat(lines.length - 1), fc.nat(lines.length - 1), (from, to) =>
      holds(lines.toSpliced(to, 0, lines[from]!).join("\n")),
    ),
    { numRuns: 60 },
  );
});

test("a literal in place of a secret is never repeated, however damaged the file is around it", async () => {
  const secrets = ["env:ACME_PERSONA_API_KEY", "file:/var/lib/holdfast/keys/acme-bank.lookup-key"];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...secrets),
      fc.constantFrom("", "'", '"', "[", "{", "|\n", "*", "&", "!", "- ", "? ", "% ", "\t"),
      fc.integer({ min: -40, max: 40 }),
      fc.nat(20),
      async (secret, before, offset, length) => {
        const text = example.replace(secret, () => before + CANARY);
        const at = text.indexOf(CANARY) + (offset < 0 ? offset - length : offset + CANARY.length);
        await holds(text.slice(0, at) + text.slice(at + length));
      },
    ),
    { numRuns: 200 },
  );
  for (const path of ["source.apiKey", "lookups.key", "log.key"]) await holds(yaml(client({ [path]: CANARY })));
});
