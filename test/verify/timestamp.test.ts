import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp, readFile, rm } from "node:fs/promises";
import { describe, test } from "node:test";
import type { ClientConfig } from "../../src/config/config.ts";
import { readDescription } from "../../src/vault/description.ts";
import type { Problem } from "../../src/verify/problem.ts";
import type { TimestampReport } from "../../src/verify/timestamps.ts";
import { resign } from "../bag/bag-lists.ts";
import { makeWorkplace, type Workplace, type WorkplaceOptions } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { withoutCeph } from "../servers/s3.ts";
import { Openssl, Tsa } from "../servers/tsa.ts";
import { Scene } from "./scene.ts";

interface Report {
  readonly timestamps: TimestampReport;
  readonly found: readonly Problem[];
}

const REQUEST = ["--case", "12", "--requested-by", "Ada Auditor", "--reason", "a suspicion"];

function stampedBy(tsa: Tsa): { client: { log: { timestamps: { url: string; ca: string } } } } {
  return { client: { log: { timestamps: { url: tsa.url, ca: `file:${tsa.ca}` } } } };
}

async function tokens(place: Workplace): Promise<string[]> {
  const vault = await place.vault();
  return (await Array.fromAsync(vault.list("audit/timestamp/"))).map(({ key }) => key);
}

for (const vault of ["directory", "ceph"] as const) {
  test(`${vault}: each night's checkpoint is stamped, locked and verified; a night without the authority is made up for`, {
    skip: vault === "ceph" && withoutCeph,
  }, async () => {
    await using tsa = await Tsa.start();
    await using sandbox = await startSandbox({ identities: 3, files: false });
    await using place = await makeWorkplace(sandbox, { vault, ...stampedBy(tsa) });
    await place.export();
    const first = (await place.log()).head;
    assert.deepEqual(await tokens(place), [`audit/timestamp/${first.size}.tsr`]);

    tsa.replies.push(
      ...[1, 2, 3].map(() => (_query: Buffer, response: { destroy(): unknown }) => void response.destroy()),
    );
    const without = await place.here("export");
    assert.equal(without.code, 0, without.stderr);
    assert.ok(
      without.log.some(
        ({ msg, code }) => String(msg).startsWith("checkpoint not time-stamped") && code === "timestamp",
      ),
    );
    assert.equal((await tokens(place)).length, 1);

    await place.export();
    const { head } = await place.log();
    const key = `audit/timestamp/${head.size}.tsr`;
    assert.equal((await tokens(place)).length, 2);
    const opened = await place.vault();
    const { bytes, info } = await opened.read(key, 65_536);
    assert.ok(info.lock, "locked like the log");
    const digest = createHash("sha256").update(head.note).digest("hex");
    assert.match(await tsa.openssl.verify(bytes, digest), /OK/);

    const [report] = await place.expect<Report>(0, "verify");
    assert.equal(report!.timestamps.tokens, 2);
    assert.equal(report!.timestamps.trusted, true);
    assert.equal(report!.timestamps.newest!.size, head.size);

    await using stranger = await Openssl.make();
    const [doubted] = await place.expect<Report>(4, "verify", "--tsa-ca", stranger.path("ca.pem"));
    assert.deepEqual(doubted!.found.map(({ key }) => key).sort(), (await tokens(place)).sort());

    // A valid authority, but another day's checkpoint.
    await opened.put(key, (await opened.read(`audit/timestamp/${first.size}.tsr`, 65_536)).bytes);
    const [moved] = await place.expect<Report>(4, "verify");
    assert.deepEqual(
      moved!.found.map(({ key, what }) => [key, /is not for any checkpoint|is not locked/.test(what)]),
      [
        [key, true],
        [key, true],
      ],
    );
  });
}

describe("a vault", () => {
  test("without time stamps is a problem for anyone who names an authority, and always reported", async () => {
    await using tsa = await Tsa.start();
    await using sandbox = await startSandbox({ identities: 2, files: false });
    await using place = await makeWorkplace(sandbox);
    await place.export();
    const plain = await place.here("verify", ["--json"]);
    assert.equal(plain.code, 0);
    const { clients } = plain.json as { clients: Report[] };
    assert.deepEqual(clients[0]!.timestamps, { tokens: 0, trusted: false });

    const isProblem = async (...args: string[]): Promise<void> => {
      const [report] = await place.expect<Report>(4, "verify", ...args);
      assert.deepEqual(
        report!.found.map(({ key }) => key),
        ["audit/timestamp/"],
      );
    };
    await isProblem("--tsa-ca", tsa.ca);
    await place.configure(stampedBy(tsa).client);
    await isProblem();
    await place.export();
    await place.expect(0, "verify");

    // Someone with the right to removed them.
    await rm(place.path("vault/acme-bank/.versions/audit/timestamp"), { recursive: true });
    await rm(place.path("vault/acme-bank/audit/timestamp"), { recursive: true });
    await isProblem();
  });

  for (const [hours, code] of [
    [7 * 24, 0],
    [7 * 24 + 1, 4],
  ] as const) {
    test(`whose newest time stamp leaves ${hours} hours of entries uncovered: exit ${code}`, async () => {
      await using tsa = await Tsa.start();
      await using sandbox = await startSandbox({ identities: 2, files: false });
      await using scene = await Scene.of(...(await ofScene(sandbox, stampedBy(tsa))));
      await scene.place.export();
      const { size } = (await scene.place.log()).head;
      const first = Temporal.Now.instant();
      await scene.log(1, 1, String(first));
      await scene.log(1, 1, String(first.add({ hours })));
      const ended = await scene.place.here("verify", ["--json"]);
      assert.equal(ended.code, code, ended.stderr);
      const [report] = (ended.json as { clients: Report[] }).clients;
      assert.equal(report!.timestamps.newest!.size, size);
      assert.deepEqual(
        report!.found.map(({ key }) => key),
        code === 0 ? [] : ["audit/timestamp/"],
      );
    });
  }
});

async function ofScene(sandbox: Sandbox, options: WorkplaceOptions): Promise<[Workplace, ClientConfig]> {
  const place = await makeWorkplace(sandbox, options);
  return [place, await place.client()];
}

describe("a bag", () => {
  test("has the stamp of its own checkpoint, explained in README.txt and checked by verify and by openssl", async () => {
    await using tsa = await Tsa.start();
    await using sandbox = await startSandbox({ identities: 2, files: false });
    await using place = await makeWorkplace(sandbox, stampedBy(tsa));
    await place.export();
    const bag = place.path("bag");
    const id = sandbox.ids()[0]!;
    assert.equal((await place.here("retrieve", [...REQUEST, "--identity", id, "--out", bag])).code, 0);
    const { description } = await readDescription(await place.vault());
    const vkey = ["--vkey", description.log.vkey];

    const trusting = await place.here("verify", [bag, ...vkey, "--tsa-ca", tsa.ca, "--json"]);
    assert.equal(trusting.code, 0, trusting.stderr);
    const { timestamp } = trusting.json as { timestamp: { time: string; authority: string } };
    assert.equal(timestamp.authority, "CN=Test tsa");
    const plain = await place.here("verify", [bag, ...vkey, "--json"]);
    assert.deepEqual((plain.json as { timestamp: unknown }).timestamp, { time: timestamp.time });

    const readme = await readFile(`${bag}/README.txt`, "utf8");
    assert.ok(readme.includes(`existed at the latest on\n\n    ${timestamp.time}\n`), readme);
    const digest = /-digest ([0-9a-f]{64})/.exec(readme)![1]!;
    assert.match(await tsa.openssl.verify(await readFile(`${bag}/evidence/checkpoint.tsr`), digest), /OK/);

    await using stranger = await Openssl.make();
    const doubting = await place.here("verify", [bag, ...vkey, "--tsa-ca", stranger.path("ca.pem")]);
    assert.equal(doubting.code, 4);

    const other = place.path("other");
    assert.equal((await place.here("retrieve", [...REQUEST, "--identity", id, "--out", other])).code, 0);
    await cp(`${other}/evidence/checkpoint.tsr`, `${bag}/evidence/checkpoint.tsr`);
    await resign(bag, (await readFile(place.path("keys/log"), "utf8")).trim());
    for (const more of [[], ["--tsa-ca", tsa.ca]]) {
      const ended = await place.here("verify", [bag, ...vkey, ...more]);
      assert.equal(ended.code, 4);
      assert.match(ended.stderr, /stamps something else|is about other data/);
    }
  });

  test("is created without one if the authority is unavailable; then --tsa-ca says so", async () => {
    await using tsa = await Tsa.start();
    await using sandbox = await startSandbox({ identities: 2, files: false });
    await using place = await makeWorkplace(sandbox, stampedBy(tsa));
    await place.export();
    tsa.replies.push(
      ...Array.from({ length: 9 }, () => (_query: Buffer, response: { destroy(): unknown }) => void response.destroy()),
    );
    const bag = place.path("bag");
    const made = await place.here("retrieve", [...REQUEST, "--identity", sandbox.ids()[0]!, "--out", bag]);
    assert.equal(made.code, 0, made.stderr);
    assert.equal(tsa.replies.length, 6, "asked three times, not again at the end");
    assert.equal((await place.here("verify", [bag])).code, 0);
    const asked = await place.here("verify", [bag, "--tsa-ca", tsa.ca]);
    assert.equal(asked.code, 4);
    assert.match(asked.stderr, /has no time stamp/);
  });
});
