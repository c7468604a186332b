import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import type { SealedRecord } from "../../src/record/record.ts";
import { startChromium, withoutChromium } from "../servers/chromium.ts";
import { ViewerPage } from "../viewer/viewer-page.ts";
import { OldVault } from "./old-vault.ts";
import { PERSON } from "./provider.ts";
import { MIXED, mixedVault, withPage } from "./side-by-side.ts";

const formats = (records: readonly SealedRecord[] | undefined): string[] =>
  (records ?? []).map(({ holdfast }) => holdfast);

describe("a person stored as record/1 whose resources alone change", () => {
  for (const state of ["kept", "lost"] as const)
    test(`state ${state}: a new file is found in the person's turn and stored as record/2, once`, async () => {
      await using old = await OldVault.unpack();
      if (state === "lost") await old.forgetState();
      await old.night("2025-11-12");
      old.provider.alter(MIXED.resources, withPage);
      const found = await old.night("2025-12-13");
      assert.deepEqual([found.new, found.changed, found.files, found.failed], [0, 1, 1, 0]);
      const stored = (await old.place.stored()).get(await old.place.subject(old.ids[MIXED.resources]!))!;
      const [first, second] = await Promise.all(stored.map((entry) => old.place.record(entry)));
      assert.deepEqual(formats([first!, second!]), ["record/1", "record/2"]);
      assert.deepEqual(second!.identity, first!.identity);
      assert.equal(second!.files.length, first!.files.length + 1);

      if (state === "lost") await old.forgetState();
      const next = await old.night("2026-01-14");
      assert.deepEqual([next.new, next.changed, next.again, next.files], [0, 0, 0, 0]);
      await old.verified();
    });

  test("a changed resource is found by comparison with what the provider said when it was first asked", async () => {
    await using old = await OldVault.unpack();
    await old.night("2025-11-12");
    const first = await old.night("2025-12-13");
    assert.ok(first.askedInTurn > 0);
    assert.deepEqual([first.changed, first.again], [0, 0]);
    old.provider.alter(MIXED.resources, ([one, ...others]) => [{ ...one!, status: "unverified" }, ...others]);
    const second = await old.night("2026-01-14");
    assert.deepEqual([second.changed, second.again, second.files], [1, 0, 0]);
    const stored = (await old.place.stored()).get(await old.place.subject(old.ids[MIXED.resources]!))!;
    assert.equal((await old.place.record(stored.at(-1)!)).holdfast, "record/2");
    assert.equal((await old.night("2026-02-15")).changed, 0);
  });
});

test("files that are granted later are stored with a record/2", async () => {
  await using old = await OldVault.unpack();
  old.provider.grant();
  assert.equal((await old.night("2025-11-12")).again, 0);
  const { clients } = await old.holdfast<{ clients: { again: number; files: number }[] }>(0, "export", "--withheld");
  assert.deepEqual([clients[0]!.again, clients[0]!.files], [1, 3]);
  const stored = (await old.place.stored()).get(await old.place.subject(old.ids[PERSON.withheld]!))!;
  const [before, after] = await Promise.all(stored.map((entry) => old.place.record(entry)));
  assert.deepEqual(formats([before!, after!]), ["record/1", "record/2"]);
  assert.deepEqual([before!.files.length, after!.files.length, after!.withheld], [0, 3, []]);
  await old.holdfast(0, "reconcile");
  await old.verified();
});

test("who vanished between the old version's last night and this one's first is found gone", async () => {
  await using old = await OldVault.unpack();
  old.provider.sandbox.vanish([MIXED.both]);
  const nights = [await old.night("2025-11-12"), await old.night("2025-11-13"), await old.night("2025-11-14")];
  assert.deepEqual(
    nights.map(({ gone }) => gone),
    [0, 1, 0],
  );
  const [, gone] = await old.place.entries("record.gone");
  assert.deepEqual([gone!.subject, gone!.reason], [await old.place.subject(old.ids[MIXED.both]!), "unlisted"]);
});

for (const state of ["kept", "lost"] as const)
  describe(`record/1 and record/2 in one vault, state ${state}`, () => {
    let old: OldVault;
    let bag: string;
    const people = Object.values(MIXED);
    before(async () => {
      old = await mixedVault();
      if (state === "lost") await old.forgetState();
      bag = await old.retrieve("mixed", people);
    });
    after(async () => old?.[Symbol.asyncDispose]());

    async function formatsIn(records: Map<string, SealedRecord[]>): Promise<string[][]> {
      const subjects = await Promise.all(people.map((index) => old.place.subject(old.ids[index]!)));
      return subjects.map((subject) => formats(records.get(subject)));
    }
    const EACH = [["record/1", "record/2"], ["record/1", "record/2"], ["record/1", "record/1"], ["record/2"]];

    test("verify opens all; reconcile and the report lack nothing", async () => {
      await old.verified();
      const { clients } = await old.holdfast<{ clients: Record<string, { count: number }>[] }>(3, "reconcile");
      const { missing, changed, withheld } = clients[0]!;
      assert.deepEqual([missing!.count, changed!.count, withheld!.count], [0, 0, 1]);
      await old.holdfast(0, "report", "--out", old.place.path("report-2.html"));
    });

    test("the bag opens", async () => {
      const records = await old.opened(bag);
      assert.deepEqual(await formatsIn(records), EACH);
    });

    test("a sealed record alone opens, of either format", async () => {
      const stored = (await old.place.stored()).get(await old.place.subject(old.ids[MIXED.both]!))!;
      for (const [n, { object }] of stored.entries()) {
        const ended = await old.place.here("open", [
          ...[old.place.path("vault/acme-bank", object.key), "--key", old.place.escrow.file],
          ...["--out", old.place.path(`record-${n}.json`)],
        ]);
        assert.equal(ended.code, 0, ended.stderr);
        const record = JSON.parse(await readFile(old.place.path(`record-${n}.json`), "utf8"));
        assert.equal(record.holdfast, `record/${n + 1}`);
      }
    });

    test("a bag that is handed on to another key verifies and opens", async () => {
      const auditor = old.place.path("keys/auditor.txt");
      const out = old.place.path("handed-on");
      const ended = await old.place.here("reseal", [
        ...[bag, "--key", old.place.officer.file, "--vkey", await old.vkey(), "--out", out],
        ...["--to", "age1wm7p945vnpwqkznfz0ytlqn4cx3ycl4nvm9q47ncpcrumcfxvqeqx4d07f"],
      ]);
      assert.equal(ended.code, 0, ended.stderr);
      await old.checked(out);
      assert.deepEqual(await formatsIn(await old.opened(out, auditor)), EACH);
    });

    test("the page shows both formats", { skip: withoutChromium }, async () => {
      const browser = await startChromium();
      try {
        await using viewer = await ViewerPage.open(browser);
        await viewer.give({ vkey: await old.vkey(), bag, key: old.place.officer.file });
        assert.equal(await viewer.verdict(), "Everything checks out");
        const text = await viewer.text();
        for (const index of people) {
          const { owner } = old.provider.sandbox.identity(index);
          for (const word of [owner!.first_name!, owner!.last_name!]) assert.ok(text.includes(word), word);
        }
        assert.doesNotMatch(text, /not opened|cannot/i);
      } finally {
        await browser.close();
      }
    });

    test("a purge destroys both formats of a person, and certifies it; no one is stored again", async () => {
      const id = old.ids[MIXED.resources]!;
      const subject = await old.place.subject(id);
      await old.holdfast(0, "relationship", "end", "--identity", id, "--date", "2024-06-30");
      // The locks have ended then.
      await old.night("2026-01-05");
      if (state === "lost") await old.forgetState();
      const out = old.place.path("destroyed-2");
      await old.holdfast(0, "retention", "purge", "--confirm", "--out", out);
      await old.checked(out);
      const purged = (await old.place.entries("record.purged")).find((entry) => entry.subject === subject)!;
      const versions = (await old.place.stored()).get(subject)!;
      assert.deepEqual(
        versions.filter(({ object }) => !purged.objects.some(({ key }) => key === object.key)),
        [],
      );
      for (const { object, files } of versions)
        for (const { key } of [object, ...files]) assert.ok(!existsSync(old.place.path("vault/acme-bank", key)), key);
      await old.verified();
      if (state === "lost") await old.forgetState();
      const { past, new: fresh, changed } = await old.night("2026-01-06");
      assert.deepEqual([past, fresh, changed], [2, 0, 0]);
    });
  });
