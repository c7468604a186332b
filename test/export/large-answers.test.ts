import assert from "node:assert/strict";
import { test } from "node:test";
import type { Summary } from "../../src/export/summary.ts";
import { startSandbox } from "../sandbox/server.ts";
import { makeWorkplace } from "./workplace.ts";

/** As it is shipped: with 512 MiB of memory (config/kubernetes, config/systemd) Node takes half of it for its heap. */
const SHIPPED = ["--max-semi-space-size=4", "--max-old-space-size=256"];
const MEMORY = 512;
/** Has the program tell the most memory it ever had, in KiB. */
const TELL = `data:text/javascript,process.on("exit",()=>process.stderr.write(JSON.stringify({maxRSS:process.resourceUsage().maxRSS})+"\\n"))`;

const MIB = 1024 * 1024;
const fill = (part: string, bytes: number): string => part.repeat(Math.floor(bytes / Buffer.byteLength(part)));
const list = (part: string, bytes: number): string => `[${fill(part, bytes)}0]`;
const keys = (bytes: number): string => {
  const members: string[] = [];
  for (let at = 0, size = 0; size < bytes; at++) size += members[members.push(`"k${at}":1`) - 1]!.length + 1;
  return `{${members.join()}}`;
};

/** Values of `metadata` that a provider, or one of its customers, may think of. */
const HOSTILE: Readonly<Record<string, (bytes: number) => string>> = {
  "small objects": (bytes) => list("{},", bytes),
  "small arrays": (bytes) => list("[],", bytes),
  "deep nesting": (bytes) => fill("[", bytes / 2) + fill("]", bytes / 2),
  "deep objects": (bytes) => `${fill('{"a":', (bytes * 5) / 6)}1${fill("}", bytes / 6)}`,
  "one long string": (bytes) => `"${fill("x", bytes)}"`,
  "one long string of two bytes a character": (bytes) => `"${fill("é漢", bytes)}"`,
  "strings of escapes": (bytes) => `"${fill("\\u0001", bytes)}"`,
  "numbers of two digits": (bytes) => list("12,", bytes),
  "numbers beyond 2^53": (bytes) => list("12345678901234567,", bytes),
  "numbers out of range": (bytes) => list("1e999,", bytes),
  "many keys": (bytes) => keys(bytes),
  "many short strings": (bytes) => list('"ab",', bytes),
};

interface Run {
  readonly code: number | null;
  readonly stderr: string;
  readonly summary: Summary;
  /** MiB. */
  readonly memory: number;
  readonly stored: number;
}

/** One export of so many people, of whom these have such metadata: in the list and alone, or in their resources alone. */
async function exported(
  identities: number,
  victims: readonly number[],
  metadata: string,
  where: "list and identity" | "resources",
): Promise<Run> {
  await using sandbox = await startSandbox({ identities, files: false });
  await using place = await makeWorkplace(sandbox);
  const hostile = (index: number) => `${sandbox.text(index).trimEnd().slice(0, -1)},"metadata":${metadata}}`;
  const ids = sandbox.ids();
  const send = (response: import("node:http").ServerResponse, body: string): true => {
    response.writeHead(200, { "Content-Type": "application/json" }).end(body);
    return true;
  };
  sandbox.intercept((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, sandbox.origin);
    if (where === "list and identity" && pathname.endsWith("/identities") && !searchParams.has("cursor")) {
      const all = ids.map((_, index) => (victims.includes(index) ? hostile(index) : sandbox.text(index)));
      return send(response, `{"cursor":{"next":""},"data":[${all.join()}]}`);
    }
    const index = ids.findIndex((id) => pathname.includes(`/${id}`));
    if (!victims.includes(index)) return false;
    if (pathname.endsWith("/resources"))
      return where === "resources" && send(response, `{"cursor":{},"data":[],"metadata":${metadata}}`);
    return where !== "resources" && send(response, hostile(index));
  });
  const ended = await place.holdfast("export", ["--json"], { node: [...SHIPPED, "--import", TELL] });
  assert.ok(ended.stdout.startsWith("{"), `${ended.code} ${ended.signal}\n${ended.stderr}`);
  const [summary] = (ended.json as { clients: Summary[] }).clients;
  const told = ended.log.find(({ maxRSS }) => maxRSS !== undefined);
  return {
    ...{ code: ended.code, stderr: ended.stderr, summary: summary! },
    memory: Math.round((told!.maxRSS as number) / 1024),
    stored: (await place.stored()).size,
  };
}

for (const [what, make] of Object.entries(HOSTILE)) {
  test(`one answer of 31 MB of ${what} is that record's failure, in ${MEMORY} MiB of memory`, async (t) => {
    const run = await exported(10, [3], make(31 * 1000 * 1000), "list and identity");
    t.diagnostic(`${what}: ${run.memory} MiB at most`);
    assert.equal(run.code, 3, run.stderr);
    assert.deepEqual([run.summary.new, run.summary.failed, run.stored], [9, 1, 9]);
    assert.match(run.stderr, /"msg":"record failed"/);
    assert.ok(run.memory < MEMORY, String(run.memory));
  });
}

/** Of all those above these take the most memory; the others were measured once. */
const COSTLY = ["deep nesting", "one long string", "numbers beyond 2^53", "many keys"];

/** All of a page are listed at once; resources are asked for by eight at a time. */
for (const [where, people] of [
  ["list and identity", 40],
  ["resources", 16],
] as const) {
  for (const what of COSTLY) {
    test(`everyone's ${where} just below the bounds, of ${what}: it fits into ${MEMORY} MiB`, async (t) => {
      const everyone = Array.from({ length: people }, (_, index) => index);
      const run = await exported(people, everyone, HOSTILE[what]!(MIB - 16 * 1024), where);
      t.diagnostic(`${what}, everyone's ${where}: ${run.memory} MiB at most, ${run.stored} stored`);
      assert.ok(run.code === 0 || run.code === 3, `${run.code}\n${run.stderr}`);
      assert.equal(run.summary.new + run.summary.failed, people);
      assert.ok(run.memory < MEMORY, String(run.memory));
    });
  }
}
