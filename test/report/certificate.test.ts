import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { certify } from "../../jobs/certificate.ts";
import { exportClients } from "../../jobs/export.ts";
import { purge } from "../../jobs/purge.ts";
import { parseSigner, signNote } from "../../src/audit/note.ts";
import { HoldfastError } from "../../src/error.ts";
import { CERTIFICATE, type Certificate, noteText, PAGE, SIGNATURE, sha256 } from "../../src/report/certificate.ts";
import { checkCertificate } from "../../src/report/certificate-check.ts";
import { readyWorkplace, session } from "../crash/aftermath.ts";
import type { Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

type CertificateV2 = Extract<Certificate, { trail: unknown }>;

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
    place = await readyWorkplace(sandbox, { client: { retention: RETENTION } });
    await exportClients(await session(place), {});
    await delay(2_100);
    folder = place.path("destroyed");
    await purge(await session(place), folder);
    vkey = (JSON.parse(await readFile(join(folder, CERTIFICATE), "utf8")) as Certificate).vkey;
  });
  after(async () => {
    await place[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });

  test("says what was destroyed, by whom and why; checked with nothing else at hand", async () => {
    const { totals, entries, policy } = await checkCertificate(folder, vkey);
    const stored = await place.entries("record.stored");
    const objects = stored.flatMap(({ object, files }) => [object, ...files]);
    assert.deepEqual(totals, {
      ...{ subjects: 3, records: 3, files: objects.length - 3, versions: objects.length },
      bytes: objects.reduce((sum, { size }) => sum + size, 0),
    });
    assert.equal(entries.length, 3);
    assert.equal(policy.identifying, "PT1S from exported");
    const { code, stdout } = await place.holdfast("open", ["--help"]);
    assert.equal(code, 0, stdout);
    const page = await readFile(join(folder, PAGE), "utf8");
    for (const { sha256 } of objects) assert.ok(page.includes(sha256));
  });

  test("holds nothing personal", async () => {
    for (const name of [CERTIFICATE, SIGNATURE, PAGE]) {
      const text = await readFile(join(folder, name), "utf8");
      for (const id of sandbox.ids()) assert.ok(!text.includes(id), name);
      for (const canary of sandbox.canaries()) assert.ok(!text.includes(canary), `${name}: ${canary}`);
    }
  });

  test("is made again for an earlier purge, and never written over", async () => {
    const { run } = await checkCertificate(folder);
    await certify(await session(place), run, place.path("again"));
    assert.deepEqual(
      (await checkCertificate(place.path("again"), vkey)).entries.map(({ entry }) => entry),
      (await checkCertificate(folder, vkey)).entries.map(({ entry }) => entry),
    );
    const code = async (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => "done",
        (error) => (error as HoldfastError).code,
      );
    assert.equal(await code(certify(await session(place), run, folder)), "usage");
    assert.equal(await code(certify(await session(place), "20200101T000000Z-abcdef", place.path("none"))), "usage");
    // Before anything is destroyed for it.
    assert.equal(await code(purge(await session(place), folder)), "usage");
  });

  test("holds what led there, and its checker replays that: one that lacks any of it is refused, though it is signed", async () => {
    const at = place.path("resigned");
    /** As whoever has the log key signs it. */
    const resigned = async (change: (of: CertificateV2) => unknown) => {
      await rm(at, { recursive: true, force: true });
      await cp(folder, at, { recursive: true });
      const json = JSON.stringify(change(JSON.parse(await readFile(join(at, CERTIFICATE), "utf8"))));
      await writeFile(join(at, CERTIFICATE), json);
      const signer = parseSigner((await readFile(place.path("keys/log"), "utf8")).trim());
      const page = await readFile(join(at, PAGE));
      await writeFile(join(at, SIGNATURE), signNote(noteText(signer.name, sha256(json), sha256(page)), [signer]));
      return checkCertificate(at, vkey);
    };
    assert.equal((await resigned((of) => of)).ledThere, "checked");
    const types = ["record.stored", "purge.begun"];
    for (const type of types) {
      const without = (of: CertificateV2) => ({
        ...of,
        trail: of.trail.filter(({ entry }) => !entry.includes(`"type":"${type}"`)),
      });
      await assert.rejects(resigned(without), (error) => isUnverified(error) && /entry \d+/.test(error.message));
    }
    const otherRules = (of: CertificateV2) => ({ ...of, policy: { ...of.policy, files: "PT1S from created" } });
    await assert.rejects(resigned(otherRules), isUnverified);
    const withoutRules = (of: CertificateV2) => ({
      ...of,
      trail: of.trail.filter(({ entry }) => !entry.includes('"type":"policy.changed"')),
    });
    assert.equal((await resigned(withoutRules)).ledThere, "no-policy");
    const unproven = (of: CertificateV2) => ({
      ...of,
      trail: of.trail.map((each, n) => (n === 0 ? { ...each, entry: each.entry.replace("PT1S", "PT2S") } : each)),
    });
    await assert.rejects(resigned(unproven), isUnverified);

    // As earlier versions of Holdfast wrote them.
    const first = ({ trail: _, ...of }: CertificateV2) => ({ ...of, holdfast: "certificate-of-destruction/1" });
    assert.equal((await resigned(first)).ledThere, "not-in-it");
    const { code, stderr } = await place.holdfast("verify", [at, "--vkey", vkey]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /consistent, but what led to the purge was not checked/);
  });

  const changes: readonly [name: string, change: (folder: string) => Promise<void>][] = [
    ...[CERTIFICATE, SIGNATURE, PAGE].flatMap((name): [string, (folder: string) => Promise<void>][] => [
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
    ]),
    ["it tells of fewer", (at) => edit(at, (of) => ({ ...of, entries: of.entries.slice(1) }))],
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
          checkCertificate(copy, vkey),
          (error) => error instanceof HoldfastError && ["unverified", "malformed", "incomplete"].includes(error.code),
        );
      } finally {
        await rm(join(copy, ".."), { recursive: true });
      }
    });
  }
});

async function edit(folder: string, change: (of: Certificate) => Certificate): Promise<void> {
  const path = join(folder, CERTIFICATE);
  const of = JSON.parse(await readFile(path, "utf8")) as Certificate;
  await writeFile(path, `${JSON.stringify(change(of), null, 2)}\n`);
}
