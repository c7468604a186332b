import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { test } from "node:test";
import { parseSigner } from "../../src/audit/note.ts";
import { startSandbox } from "../sandbox/server.ts";
import { rewriteLog } from "../verify/resign.ts";
import { CLIENT, makeWorkplace } from "./workplace.ts";

test("entries that no reader accepts are reported, and stop no one", async () => {
  await using sandbox = await startSandbox({ identities: 5, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const [first, second] = [await place.subject(sandbox.ids()[0]!), await place.subject(sandbox.ids()[1]!)];
  // A holder of the log key can sign anything.
  const signer = parseSigner((await readFile(place.path("keys/log"), "utf8")).trim());
  const { log, head } = await place.log();
  const entries: Uint8Array[] = [];
  for await (const { bytes } of log.entries(0, head.size)) entries.push(bytes);
  const at = { time: "2026-11-23T10:15:00.000Z", run: "x" };
  const bad = [
    Buffer.from("no JSON"),
    Buffer.from(JSON.stringify({ type: "record.gone", ...at, subject: first, reason: "whatever" })),
    Buffer.from(JSON.stringify({ type: "record.gone", ...at, time: "not a time", subject: first, reason: "deleted" })),
  ];
  await rewriteLog(await place.vault(), [...entries, ...bad], signer);

  for (const isLost of [false, true]) {
    if (isLost) await rm(place.path("state", CLIENT), { recursive: true });
    const ended = await place.here("export", ["--json"]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(
      ended.stderr,
      new RegExp(`unreadable entries, which were skipped; the first is entry ${entries.length}`),
    );
    for (const [command, ...args] of [
      ["rebuild"],
      ["hold", "place", "--subject", second, "--case", `c${isLost}`, "--reason", "test"],
      ["retention", "extend"],
      ["report", "--out", place.path(`report-${isLost}.html`)],
      ["reconcile"],
      [
        "retrieve",
        "--subject",
        first,
        "--case",
        "1",
        "--reason",
        "r",
        "--requested-by",
        "b",
        "--out",
        place.path(`bag-${isLost}`),
      ],
    ] as const) {
      const done = await place.here(command, args);
      assert.equal(done.code, 0, `${command}: ${done.stderr}`);
    }
  }
  const verified = await place.here("verify", ["--json"]);
  assert.equal(verified.code, 4);
  const [{ found }] = (verified.json as { clients: [{ found: { entry?: number; what: string }[] }] }).clients;
  assert.deepEqual(
    found.map(({ entry }) => entry),
    bad.map((_, position) => entries.length + position),
  );
});
