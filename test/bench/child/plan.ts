/**
 * The cost of a night without changes, without the network: reads pages as the provider sent them, compares them with
 * the catalog, and ends the walk. And of JSON.parse alone, for the same pages.
 *
 *     node plan.ts <config> <pages file> <lengths file>
 */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { Catalog } from "../../../src/catalog/catalog.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { planWalk } from "../../../src/export/plan.ts";
import { Handles } from "../../../src/record/handles.ts";
import { Tokens } from "../../../src/record/tokens.ts";
import { readIdentityPage } from "../../../src/source/passbase/answers.ts";

const [config, pagesFile, lengthsFile] = process.argv.slice(2);
const client = (await loadConfig(config!)).clients[0]!;
const catalog = Catalog.open(join(client.state, "catalog.sqlite"), client.log.origin);
const tokens = new Tokens(await client.lookups.key.resolve());
const lengths = JSON.parse(readFileSync(lengthsFile!, "utf8")) as number[];

/** The pages as received. One in memory at a time. */
function* received() {
  const file = openSync(pagesFile!, "r");
  for (const length of lengths) {
    const text = Buffer.allocUnsafe(length);
    readSync(file, text, 0, length, null);
    yield text;
  }
  closeSync(file);
}

async function* pages() {
  for (const bytes of received()) yield await readIdentityPage([bytes]);
}

/** Processor seconds. */
function used(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

const parsing = process.cpuUsage();
for (const bytes of received()) JSON.parse(bytes.toString("utf8"));
const parse = used(parsing);

const counts = { examined: 0, unchanged: 0, past: 0 };
const begun = performance.now();
const before = process.cpuUsage();
catalog.walk.begin();
const parts = {
  ...{ config: client, now: () => Temporal.Now.instant(), source: { kind: "passbase" }, tokens, catalog },
  ...{ sourceConfig: client.sources[0]!, handles: new Handles(await client.lookups.key.resolve()) },
};
for await (const { candidates } of planWalk(parts, pages(), { kind: "changed" }, counts, { unreadable: () => {} })) {
  if (candidates.length > 0) throw new Error("someone changed");
}
if (catalog.walk.end(client.sources[0]!.name, 2).length > 0) throw new Error("someone was missed");
const cpu = used(before);
catalog.close();
const seconds = (performance.now() - begun) / 1000;
process.stdout.write(JSON.stringify({ identities: counts.unchanged, seconds, cpu, parse }));
