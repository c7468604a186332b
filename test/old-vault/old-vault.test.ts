import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import type { Identity } from "../../src/core/identity.ts";
import type { SealedRecord } from "../../src/record/record.ts";
import { startChromium, withoutChromium } from "../servers/chromium.ts";
import { ViewerPage } from "../viewer/viewer-page.ts";
import { OldVault } from "./old-vault.ts";
import { PEOPLE, PERSON } from "./provider.ts";

/** Records in the vault as the old version left it. */
const STORED = 13;

describe("a vault of record/1, as commit 3761f9f left it", () => {
  test("its config is accepted as it is, with one source", async () => {
    await using old = await OldVault.unpack();
    const { clients } = await loadConfig(old.place.file);
    assert.deepEqual(
      clients.map(({ id }) => id),
      ["acme-bank"],
    );
  });

  test("verify passes, before and after an export", async () => {
    await using old = await OldVault.unpack();
    await old.verified();
    await old.night("2025-11-12");
    await old.verified();
  });

  for (const state of ["kept", "lost"] as const)
    test(`state ${state}: two nights store no one again, a changed person is stored`, async () => {
      await using old = await OldVault.unpack();
      if (state === "lost") await old.forgetState();
      for (const day of ["2025-11-12", "2025-11-13"]) {
        const { new: fresh, changed, again, gone, failed, files } = await old.night(day);
        assert.deepEqual({ fresh, changed, again, gone, failed, files }, NOTHING);
        if (state === "lost") await old.forgetState();
      }
      assert.equal((await old.place.entries("record.stored")).length, STORED);

      const index = 7;
      old.provider.sandbox.change([index]);
      const { changed, unchanged, past } = await old.night("2025-11-14");
      // One is gone, one was purged.
      assert.deepEqual([changed, unchanged, past], [1, PEOPLE - 3, 1]);
      const versions = (await old.place.stored()).get(await old.place.subject(old.ids[index]!))!;
      assert.equal(versions.length, 2);
      assert.equal(
        identityOf(await old.place.record(versions[1]!)).status,
        old.provider.sandbox.identity(index).status,
      );
      await old.verified();
    });

  test("a backfill, a dry run and a named identity store no one again either", async () => {
    await using old = await OldVault.unpack();
    interface Counts {
      readonly new: number;
      readonly changed: number;
      readonly again?: number;
    }
    for (const words of [
      ["export", "--dry-run"],
      ["export", "--identity", old.ids[PERSON.changed]!],
      ["backfill"],
    ] as const) {
      const [command, ...args] = words;
      const { clients, plan = clients } = await old.holdfast<Record<string, Counts[]>>(0, command, ...args);
      const { new: fresh, changed, again = 0 } = plan![0]!;
      assert.deepEqual([fresh, changed, again], [0, 0, 0], words.join(" "));
    }
    assert.equal((await old.place.entries("record.stored")).length, STORED);
  });

  test("its source may be retired: no one is asked about or found gone, and the records are retrieved", async () => {
    await using old = await OldVault.unpack();
    const before = await old.place.entries("record.gone");
    await old.place.configure({ source: { retired: true } });
    for (const day of ["12", "13", "14"]) {
      old.provider.sets(`2025-11-${day}T02:30:00Z`);
      await old.holdfast(0, "export");
      await old.holdfast(0, "retention", "extend");
    }
    assert.deepEqual(await old.place.entries("record.gone"), before);
    assert.equal(old.provider.sandbox.requests.total, 0);
    assert.equal((await old.opened(await old.retrieve("case", [PERSON.changed]))).size, 1);
    await old.verified();
  });

  test("collect set to minimal and back stores no one again, though everyone is asked about", async () => {
    await using old = await OldVault.unpack();
    await old.night("2025-11-12");
    for (const [collect, day] of [
      ["minimal", "2026-01-12"],
      ["full", "2026-03-12"],
    ] as const) {
      await old.place.configure({ collect, minimal: { overAge: [18] } });
      const { changed, askedInTurn } = await old.night(day);
      assert.deepEqual([changed, askedInTurn], [0, PEOPLE - 2], collect);
    }
  });

  test("reconcile finds nothing missing, and who lacks files", async () => {
    await using old = await OldVault.unpack();
    interface Reconciled {
      readonly [what: string]: { readonly count: number };
    }
    for (const state of ["kept", "lost"]) {
      if (state === "lost") await old.forgetState();
      // Exit code 3 because of the withheld files.
      const { clients } = await old.holdfast<{ clients: Reconciled[] }>(3, "reconcile");
      const { missing, changed, failed, withheld, gone } = clients[0]!;
      assert.deepEqual(
        [missing, changed, failed, withheld, gone].map((each) => each!.count),
        [0, 0, 0, 1, 1],
        state,
      );
    }
  });

  test("the old bag and certificate verify, and the old bag opens", async () => {
    await using old = await OldVault.unpack();
    const bag = old.place.path("bag");
    await old.checked(bag);
    await old.checked(old.place.path("destroyed"));
    const records = await old.opened(bag);
    assert.equal(records.size, 4);
    assert.deepEqual(
      [...records.values()].flat().map(({ holdfast }) => holdfast),
      Array(5).fill("record/1"),
    );
  });

  test("a bag of its people opens to what the provider had", async () => {
    await using old = await OldVault.unpack();
    const people = [PERSON.changed, PERSON.withheld, PERSON.held, PERSON.ended];
    const records = await old.opened(await old.retrieve("case", people));
    for (const index of people) {
      const found = records.get(await old.place.subject(old.ids[index]!))!;
      const last = identityOf(found.at(-1)!);
      const { id, status } = old.provider.sandbox.identity(index);
      assert.deepEqual([last.id, last.status], [id, status]);
      assert.equal(found.length, index === PERSON.changed ? 2 : 1);
    }
  });

  test("the page shows the old bag's records and files", { skip: withoutChromium }, async () => {
    await using old = await OldVault.unpack();
    const browser = await startChromium();
    try {
      await using viewer = await ViewerPage.open(browser);
      await viewer.give({ vkey: await old.vkey(), bag: old.place.path("bag"), key: old.place.officer.file });
      assert.equal(await viewer.verdict(), "Everything checks out");
      const text = await viewer.text();
      for (const index of [PERSON.changed, PERSON.withheld, PERSON.held]) {
        const { owner } = old.provider.sandbox.identity(index);
        for (const word of [owner!.first_name!, owner!.last_name!]) assert.ok(text.includes(word), word);
      }
    } finally {
      await browser.close();
    }
  });
});

const identityOf = ({ identity }: SealedRecord): Identity => identity as Identity;

const NOTHING = { fresh: 0, changed: 0, again: 0, gone: 0, failed: 0, files: 0 };
