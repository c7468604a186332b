import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fieldNames, uncommented } from "../../release/docs/config-page.ts";
import { EXAMPLE_RECIPIENTS } from "../../src/config/example.ts";
import { loadConfig, parseConfig } from "../../src/config/load.ts";
import { jsonSchema } from "../../src/config/schema.ts";
import { hasCode } from "../../src/core/error.ts";
import { PROVIDER_KINDS } from "../../src/provider/provider.ts";

const EXAMPLE = "config/holdfast.example.yaml";
const text = readFileSync(EXAMPLE, "utf8");

test("the example loads", async () => {
  const { clients, schedule, state } = await loadConfig(EXAMPLE);
  assert.deepEqual(
    clients.map(({ id, collect, vault }) => [id, collect, vault.kind]),
    [
      ["acme-bank", "full", "s3"],
      ["corner-shop", "minimal", "directory"],
    ],
  );
  assert.equal(schedule.timezone, "Europe/Berlin");
  assert.equal(state, "/var/lib/holdfast");
  const recipients = clients.flatMap(({ recipients }) => recipients.strings);
  assert.deepEqual(recipients, EXAMPLE_RECIPIENTS);
});

test("the example names the schema of its editor first", () => {
  assert.ok(text.startsWith("# yaml-language-server: $schema=./holdfast.schema.json\n"));
});

test("a copy of the example is refused until it has other recipients", async () => {
  await assert.rejects(parseConfig(text, "config/holdfast.yaml"), (error: Error) => {
    assert.ok(hasCode(error, "recipients"), String(error));
    const lines = error.message.split("\n");
    assert.equal(lines.length, 3);
    for (const line of lines) {
      assert.match(
        line,
        /^config\/holdfast\.yaml:\d+: clients\[\d\]\.recipients\[\d\]: this is the example's recipient/,
      );
    }
    return true;
  });
});

test("the example mentions every field", () => {
  for (const [path] of fields(jsonSchema() as Node, "")) {
    const name = path.split(".").at(-1);
    assert.match(text, new RegExp(`(^|[\\s{#-])${name}:`), path);
  }
});

test("what the example shows in comments loads too: every optional field, each on a line of its own", async () => {
  const whole = uncommented(text, fieldNames(jsonSchema()))
    .replace("lock: governance", "lock: compliance") // coolingOff is for that alone
    .replaceAll("AAAAC3NzaC1lZDI1NTE5AAAA…", "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f");
  const { clients, metrics } = await parseConfig(whole, EXAMPLE);
  const kinds = clients[0]!.sources.map(({ kind }) => kind);
  assert.deepEqual(kinds.toSorted(), [...PROVIDER_KINDS].sort());
  const [{ log, notify, retention, retrieval, vault }] = clients as [(typeof clients)[0]];
  assert.deepEqual(
    [
      ...[metrics.pushgateway, notify.healthchecks, retention.minimum, retention.coolingOff, log.timestamps],
      ...[log.previousKey, retrieval.approvals.length > 0, vault.kind === "s3" && vault.requesterPays],
    ].map((each) => each !== undefined && each !== false),
    Array(8).fill(true),
  );
});

test("the editor schema is up to date and describes every field", () => {
  const stored: unknown = JSON.parse(readFileSync("config/holdfast.schema.json", "utf8"));
  assert.deepEqual(stored, JSON.parse(JSON.stringify(jsonSchema())), "run: npm run docs");
  for (const [path, node] of fields(stored as Node, "")) assert.ok(node.description, path);
});

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly oneOf?: readonly Node[];
}

function fields(node: Node, path: string): [string, Node][] {
  return [
    ...(node.items === undefined ? [] : fields(node.items, path)),
    ...(node.oneOf ?? []).flatMap((kind) => fields(kind, path)),
    ...Object.entries(node.properties ?? {}).flatMap(([name, child]): [string, Node][] => [
      [`${path}.${name}`, child],
      ...fields(child, `${path}.${name}`),
    ]),
  ];
}
