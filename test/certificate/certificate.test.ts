import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { certify } from "../../jobs/certificate.ts";
import { exportClients } from "../../jobs/export.ts";
import { purge } from "../../jobs/purge.ts";
import {
  CERTIFICATE,
  type CertificateV3,
  DESTROYED,
  ENTRIES,
  PAGE,
  SIGNATURE,
} from "../../src/certificate/certificate.ts";
import { checkCertificate } from "../../src/certificate/certificate-check.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { asEarlier, type Line, readCertificate, readLines, resign } from "./certificate-forms.ts";

const isUnverified = (error: unknown): error is HoldfastError =>
  error instanceof HoldfastError && error.code === "unverified";

const RETENTION = { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };

describe("a certificate of destruction", () => {
  let sandbox: Sandbox;
  let place: Workplace;
  let folder: string;
  let vkey: string;
  before(async () => {
    sandbox = await startSandbox({ identities: 3, plainImages: true });
    place = await makeWorkplace(sandbox, { client: { retention: RETENTION } });
    await exportClients(await session(place), {});
    await delay(2_100);
    folder = place.path("destroyed");
    await purge(await session(place), folder);
    vkey = (await readCertificate(folder)).vkey;
  });
  after(async () => {
    await place[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });

  test("says what was destroyed, by whom and why; checked without anything else", async () => {
    const { totals, policy } = await checkCertificate(folder, { vkey });
    const stored = await place.entries("record.stored");
    const objects = stored.flatMap(({ object, files }) => [object, ...files]);
    assert.deepEqual(totals, {
      ...{ subjects: 3, records: 3, files: objects.length - 3, versions: objects.length },
      bytes: objects.reduce((sum, { size }) => sum + size, 0),
    });
    const rows = (await readFile(join(folder, DESTROYED), "utf8")).trimEnd().split("\n").slice(1);
    assert.deepEqual(
      rows
        .map((row) => row.split(","))
        .map((row) => `${row[1]} ${row.at(-1)}`)
        .sort(),
      objects.map(({ key, sha256 }) => `${key} ${sha256}`).sort(),
    );
    assert.equal(policy.identifying, "PT1S from exported");
    const { code, stdout } = await place.holdfast("open", ["--help"]);
    assert.equal(code, 0, stdout);
    const page = await readFile(join(folder, PAGE), "utf8");
    for (const { sha256 } of objects) assert.ok(page.includes(sha256));
  });

  test("holds nothing personal", async () => {
    for (const name of [CERTIFICATE, SIGNATURE, PAGE, ENTRIES, DESTROYED]) {
      const text = await readFile(join(folder, name), "utf8");
      for (const id of sandbox.ids()) assert.ok(!text.includes(id), name);
      for (const canary of sandbox.canaries()) assert.ok(!text.includes(canary), `${name}: ${canary}`);
    }
  });

  test("is made again for an earlier purge, and never written over", async () => {
    const { runs } = await checkCertificate(folder);
    await certify(await session(place), runs, place.path("again"));
    await checkCertificate(place.path("again"), { vkey });
    const entries = async (at: string) => (await readLines(at)).map(({ entry }) => entry);
    assert.deepEqual(await entries(place.path("again")), await entries(folder));
    const code = async (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => "done",
        (error) => (error as HoldfastError).code,
      );
    assert.equal(await code(certify(await session(place), runs, folder)), "usage");
    const none = "20200101T000000Z-abcdef";
    assert.equal(await code(certify(await session(place), [none], place.path("none"))), "usage");
    assert.equal(await code(certify(await session(place), [...runs, none], place.path("none"))), "usage");
    assert.ok(!existsSync(place.path("none")));
    // Before anything is destroyed for it.
    assert.equal(await code(purge(await session(place), folder)), "usage");
  });

  test("holds what led there, and its checker replays that: one that lacks any of it is refused, though it is signed", async () => {
    const at = place.path("resigned");
    const resigned = async (change: Parameters<typeof resign>[2]) => {
      await rm(at, { recursive: true, force: true });
      await cp(folder, at, { recursive: true });
      await resign(at, (await readFile(place.path("keys/log"), "utf8")).trim(), change);
      return checkCertificate(at, { vkey });
    };
    const without = (type: string) => (of: Line[]) => of.filter(({ entry }) => !entry.includes(`"type":"${type}"`));
    assert.equal((await resigned({})).ledThere, "checked");
    for (const type of ["record.stored", "purge.begun"]) {
      await assert.rejects(
        resigned({ lines: without(type) }),
        (error) => isUnverified(error) && /entry \d+/.test(error.message),
      );
    }
    const otherRules = (of: CertificateV3) => ({ ...of, policy: { ...of.policy, files: "PT1S from created" } });
    await assert.rejects(resigned({ certificate: otherRules }), isUnverified);
    assert.equal((await resigned({ lines: without("policy.changed") })).ledThere, "no-policy");
    const unproven = ([first, ...others]: Line[]) => [
      { ...first!, entry: first!.entry.replace("PT1S", "PT2S") },
      ...others,
    ];
    await assert.rejects(resigned({ lines: unproven }), isUnverified);
    await assert.rejects(resigned({ lines: (of) => [of[0]!, ...of] }), isUnverified);
    await assert.rejects(resigned({ lines: (of) => of.slice(0, -1) }), isUnverified);
    await assert.rejects(
      resigned({ certificate: (of) => ({ ...of, totals: { ...of.totals, bytes: 1 } }) }),
      isUnverified,
    );
    const otherRun = (of: CertificateV3) => ({ ...of, runs: ["20200101T000000Z-abcdef"] });
    await assert.rejects(resigned({ certificate: otherRun }), isUnverified);
  });

  for (const [version, ledThere, words] of [
    [2, "checked", /all is well/],
    [1, "not-in-it", /consistent, but the events before the purge were not checked/],
  ] as const) {
    test(`of the form ${version}, as earlier versions of Holdfast wrote it, is read still`, async () => {
      const at = place.path(`form-${version}`);
      await cp(folder, at, { recursive: true });
      await asEarlier(at, (await readFile(place.path("keys/log"), "utf8")).trim(), version);
      assert.equal((await checkCertificate(at, { vkey })).ledThere, ledThere);
      const { code, stderr } = await place.here("verify", [at, "--vkey", vkey]);
      assert.equal(code, 0, stderr);
      assert.match(stderr, words);
    });
  }

  test("a line that never ends is refused before it is held", async () => {
    const at = place.path("endless");
    await cp(folder, at, { recursive: true });
    await writeFile(join(at, ENTRIES), Buffer.alloc(4_000_000, "x"));
    await assert.rejects(
      checkCertificate(at, { vkey }),
      (error) => error instanceof HoldfastError && error.code === "malformed",
    );
  });

  const changes: readonly [name: string, change: (folder: string) => Promise<void>][] = [
    ...[CERTIFICATE, SIGNATURE, PAGE, ENTRIES, DESTROYED].flatMap(
      (name): [string, (folder: string) => Promise<void>][] => [
        [`${name} is missing`, (at) => rm(join(at, name))],
        [
          `${name} lost its end`,
          async (at) => writeFile(join(at, name), (await readFile(join(at, name))).subarray(0, -9)),
        ],
        [
          `a byte of ${name} is another`,
          async (at) => {
            const bytes = await readFile(join(at, name));
            const middle = bytes.length >> 1;
            bytes[middle] = bytes[middle]! ^ 1;
            await writeFile(join(at, name), bytes);
          },
        ],
      ],
    ),
    ["its sums are others", (at) => edit(at, (of) => ({ ...of, totals: { ...of.totals, bytes: 1 } }))],
    ["it names another rule", (at) => edit(at, (of) => ({ ...of, legalBasis: ["Art. 1"] }))],
  ];
  for (const [name, change] of changes) {
    test(`${name}: refused`, async () => {
      const copy = join(await mkdtemp(join(tmpdir(), "holdfast-certificate-")), "c");
      try {
        await cp(folder, copy, { recursive: true });
        await change(copy);
        await assert.rejects(
          checkCertificate(copy, { vkey }),
          (error) => error instanceof HoldfastError && ["unverified", "malformed", "incomplete"].includes(error.code),
        );
      } finally {
        await rm(join(copy, ".."), { recursive: true });
      }
    });
  }
});

async function edit(folder: string, change: (of: CertificateV3) => CertificateV3): Promise<void> {
  const path = join(folder, CERTIFICATE);
  await writeFile(path, `${JSON.stringify(change(await readCertificate(folder)), null, 2)}\n`);
}
