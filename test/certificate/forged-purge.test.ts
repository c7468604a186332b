import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { after, before, describe, mock, test } from "node:test";
import type { Entry } from "../../src/audit/entry.ts";
import { ENTRIES } from "../../src/certificate/certificate.ts";
import { checkCertificate } from "../../src/certificate/certificate-check.ts";
import { writeCertificate } from "../../src/certificate/certificate-writer.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { policyOf } from "../../src/retention/policy.ts";
import { DirectoryVault } from "../../src/vault/directory.ts";
import { at, FILE, RECORD, type Script, ScriptedVault, SUBJECT } from "../verify/scripted.ts";

/**
 * The adversary has the exporter's log key and may delete: every log here is signed, and its objects are gone. What is
 * destroyed is believed only where the log allows it.
 */
describe("a purge that the log does not allow", () => {
  let vault: ScriptedVault;
  before(async () => {
    vault = await ScriptedVault.make();
  });
  after(() => vault[Symbol.asyncDispose]());

  /** Lines of what was found about the purge: `entry key what`. */
  const found = async (entries: readonly unknown[]): Promise<string[]> =>
    (await vault.verify(entries)).found.map(({ entry, key, what }) => `${entry} ${key} ${what}`);

  const isFound = async (entries: readonly Entry[], what: RegExp, entry = entries.length - 1): Promise<void> => {
    const lines = await found(entries);
    assert.ok(
      lines.some((line) => line.startsWith(`${entry} `) && what.test(line)),
      `${what} of entry ${entry} is not in:\n${lines.join("\n")}`,
    );
    await assert.rejects(certify(), (error) => error instanceof HoldfastError && error.code === "unverified");
  };

  /** As `retention certificate` does it; it must refuse. */
  async function certify(): Promise<unknown> {
    const { log, head } = await vault.place.log();
    const { retention } = await vault.place.client();
    return writeCertificate({
      ...{ folder: vault.place.path("never"), client: "acme-bank", runs: [at("").run], stopped: [], legalBasis: [] },
      ...{ policy: policyOf(retention), log: { log, head }, signer: await vault.signer(), now: Temporal.Now.instant() },
      signal: new AbortController().signal,
    });
  }

  const cases: readonly [name: string, what: RegExp, change: (script: Script) => Entry[], entry?: number][] = [
    ["no purge.begun", /no earlier purge\.begun/, (of) => drop(of, of.begun)],
    [
      "purge.begun names one of two objects",
      /files\/.* no earlier purge\.begun/,
      (of) => {
        of.begun = { ...of.begun, keys: [RECORD] } as Entry;
        return of.entries();
      },
    ],
    [
      "purge.begun was withdrawn",
      /no earlier purge\.begun/,
      (of) => {
        const entries = of.entries();
        const common = { ...at("2015-07-02T00:00:30.000Z"), subject: SUBJECT };
        entries.splice(-1, 0, { type: "purge.withdrawn", ...common, keys: [RECORD, FILE] });
        return entries;
      },
    ],
    [
      "a hold named it after its purge began, and was released",
      /records\/.* no earlier purge\.begun.*1 more/,
      (of) => {
        const objects = of.purged.objects.map(({ key, versionId }) => ({ key, versionId }));
        const placed = { ...of.hold("hold.placed", "2015-07-02T00:00:10.000Z"), objects } as Entry;
        return of.entries().toSpliced(-1, 0, placed, of.hold("hold.released", "2015-07-02T00:00:20.000Z"));
      },
    ],
    [
      "its lock was extended after its purge began, and is over",
      /records\/.* no earlier purge\.begun.*1 more/,
      (of) => of.entries().toSpliced(-1, 0, of.lock("2015-07-02T00:00:10.000Z", "2015-07-02T00:00:30Z")),
    ],
    [
      "a lock was extended after its purge began, and it is told as gone before that",
      /records\/.* no earlier purge\.begun.*1 more/,
      (of) => {
        const due = of.begun.time;
        purgedWith(of, { due });
        return of.entries().toSpliced(-1, 0, of.lock("2015-07-02T00:00:10.000Z", "2015-07-02T00:00:30Z"));
      },
    ],
    ["a hold is open", /legal hold/, (of) => of.entries(of.hold("hold.placed", "2012-01-01T00:00:00.000Z"))],
    [
      "a hold is open when the purge begins",
      /legal hold/,
      (of) => of.entries(of.hold("hold.placed", "2012-01-01T00:00:00.000Z")),
      6,
    ],
    [
      "one of two holds is open",
      /legal hold/,
      (of) =>
        of.entries(
          of.hold("hold.placed", "2012-01-01T00:00:00.000Z"),
          of.hold("hold.placed", "2012-01-02T00:00:00.000Z", "2"),
          of.hold("hold.released", "2012-01-03T00:00:00.000Z", "2"),
        ),
    ],
    [
      "the promised lock is not over",
      /lock ended only on 2015-07-03/,
      (of) => of.entries(of.lock("2015-06-01T00:00:00.000Z", "2015-07-03T00:00:00Z")),
    ],
    [
      "the object was stored again with a shorter lock",
      /lock ended only on 2015-07-03/,
      (of) =>
        of.entries(of.lock("2015-06-01T00:00:00.000Z", "2015-07-03T00:00:00Z"), {
          ...of.stored,
          ...{ lockedUntil: "2010-05-01T00:00:00Z", files: [] },
          object: { ...of.stored.object, versionId: "00000002" },
        }),
    ],
    [
      "the same version was logged again with a shorter lock",
      /records\/.* lock ended only on 2015-07-03.*1 more/,
      (of) =>
        of.entries(of.lock("2015-06-01T00:00:00.000Z", "2015-07-03T00:00:00Z"), {
          ...of.stored,
          ...at("2015-06-02T00:00:00.000Z"),
        }),
    ],
    [
      "two versions were logged again in turn, each with a shorter lock",
      /records\/.* lock ended only on 2015-07-03/,
      (of) => {
        const second = { ...of.stored, files: [], object: { ...of.stored.object, versionId: "00000002" } };
        const first = { ...of.stored, files: [] };
        return of.entries(of.lock("2015-06-01T00:00:00.000Z", "2015-07-03T00:00:00Z"), second, first, second);
      },
    ],
    [
      "the lock of a version was extended that was stored again since",
      /records\/.* lock ended only on 2015-07-03/,
      (of) => {
        const second = { ...of.stored, files: [], object: { ...of.stored.object, versionId: "00000002" } };
        of.purged = {
          ...of.purged,
          objects: of.purged.objects.with(0, { ...of.purged.objects[0]!, ...second.object }),
        };
        return of.entries(second, of.lock("2015-06-01T00:00:00.000Z", "2015-07-03T00:00:00Z"));
      },
    ],
    [
      "the same version was logged again as stored earlier, where that starts the clock",
      /had to be kept until 2015-08-02/,
      (of) => {
        const { to } = of.rules as Extract<Entry, { type: "policy.changed" }>;
        const exported = "P5Y from exported";
        const words = { ...to, identifying: exported, verification: exported, files: exported };
        of.rules = { ...of.rules, to: words } as Entry;
        of.stored = { ...of.stored, ...at("2010-08-01T00:00:00.000Z") };
        return of.entries({ ...of.stored, ...at("2010-01-01T00:00:00.000Z") });
      },
    ],
    [
      "the lock was shortened first",
      /promised lock ended only on 2015-07-03T00:00:00Z/,
      (of) =>
        of.entries(
          of.lock("2015-06-01T00:00:00.000Z", "2015-07-03T00:00:00Z"),
          of.lock("2015-06-02T00:00:00.000Z", "2011-01-01T00:00:00Z"),
        ),
      7,
    ],
    [
      "due is after it",
      /was due only on 2099-01-01T00:00:00Z/,
      (of) => purgedWith(of, { due: "2099-01-01T00:00:00Z" }),
    ],
    [
      "all of it is dated ahead",
      /dated 2099.* in the future/,
      (of) => {
        of.purged = { ...of.purged, time: "2099-01-02T00:00:00.000Z" };
        return purgedWith(of, { due: "2099-01-01T00:00:00Z" });
      },
    ],
    [
      "due is earlier than by the rules",
      /by the rules it was/,
      (of) => purgedWith(of, { due: "2015-06-01T00:00:00Z" }),
    ],
    [
      "the relationship never ended",
      /relationship had not ended/,
      (of) => {
        const { ended: _, ...purged } = of.purged;
        of.purged = purged as Script["purged"];
        return drop(of, of.ended);
      },
    ],
    [
      "the relationship was reopened",
      /relationship had not ended/,
      (of) => of.entries({ type: "relationship.reopened", ...at("2011-01-01T00:00:00.000Z"), subject: SUBJECT }),
    ],
    [
      "longer rules held by then",
      /had to be kept until 2020/,
      (of) => {
        const { to } = of.rules as Extract<Entry, { type: "policy.changed" }>;
        const longer = { ...to, identifying: "P10Y from relationship-end" };
        return of.entries({ type: "policy.changed", ...at("2014-01-01T00:00:00.000Z"), from: to, to: longer });
      },
    ],
    [
      "the rules cannot be read",
      /rules in effect are invalid/,
      (of) => {
        of.rules = { ...of.rules, to: { identifying: "permanently" } } as Entry;
        return of.entries();
      },
    ],
    ["another version", /differs from what was stored/, (of) => purgedWith(of, { versionId: "00000002" })],
    ["another size", /differs from what was stored/, (of) => purgedWith(of, { size: 1 })],
    ["another digest", /differs from what was stored/, (of) => purgedWith(of, { sha256: "f".repeat(64) })],
    ["what was never stored", /never stored/, (of) => drop(of, of.stored)],
    ["what was purged before", /already purged/, (of) => [...of.entries(), of.purged]],
    ["an object named twice", /twice/, (of) => purgedWith(of, {}, [of.purged.objects[0]!])],
    [
      "nothing is left, by its word, and a file is",
      /says that nothing is left/,
      (of) => {
        of.purged = { ...of.purged, objects: of.purged.objects.slice(0, 1) };
        return of.entries();
      },
    ],
    [
      "another last day of the relationship",
      /as 2009-01-01/,
      (of) => {
        of.purged = { ...of.purged, ended: "2009-01-01" };
        return of.entries();
      },
    ],
    [
      "a version that says it is older than its name",
      /updated 1990/,
      (of) => {
        of.stored = { ...of.stored, updated: "1990-01-01T00:00:00Z" };
        return of.entries();
      },
      1,
    ],
  ];
  for (const [name, what, change, entry] of cases)
    test(`${name}: found, and not certified`, async () => isFound(change(await vault.script()), what, entry));

  test("one that is dated ahead of what follows it is found, however late someone looks", async () => {
    const script = await vault.script();
    const next = { ...script.rules, time: "2014-01-01T00:00:00.000Z" };
    assert.match((await found([...script.entries(), next])).join(), /^6 .*dated 2015-07-02.*later entry is dated 2014/);
  });

  test("the law's date is held to within 48 hours, for what earlier versions of Holdfast counted otherwise", async () => {
    const purgedAt = async (time: string): Promise<string[]> => {
      const script = await vault.script();
      script.locked = script.lock("2010-07-01T00:00:01.000Z", "2015-06-01T00:00:00Z");
      script.begun = { ...script.begun, time };
      script.purged = { ...script.purged, time };
      return found(purgedWith(script, { due: time }));
    };
    assert.deepEqual(await purgedAt("2015-06-29T00:00:00.000Z"), []);
    assert.notDeepEqual(await purgedAt("2015-06-28T23:59:59.999Z"), []);
  });

  test("a period from the last day of February is held to the zone of the rules, or to UTC's days", async () => {
    const purgedAt = async (due: string, timezone?: string): Promise<string[]> => {
      const script = await vault.script();
      const { to } = script.rules as Extract<Entry, { type: "policy.changed" }>;
      const six = "P6M from exported";
      const { timezone: _, ...others } = to;
      const words = { ...others, identifying: six, verification: six, files: six };
      script.rules = { ...script.rules, to: timezone === undefined ? words : { ...words, timezone } } as Entry;
      // In most zones it is 29 February, and in some of the east 1 March: six months later that is days apart.
      script.stored = { ...script.stored, time: "2012-02-29T12:30:00.000Z" };
      const { ended, ...purged } = script.purged;
      script.purged = purged;
      const [rules, stored, , , , begun, last] = purgedWith(script, { due });
      return found([rules, stored, begun, last]);
    };
    assert.deepEqual(await purgedAt("2012-08-29T13:30:00Z", "Australia/Lord_Howe"), []);
    assert.match(
      (await purgedAt("2012-08-27T13:29:59Z", "Australia/Lord_Howe")).join(),
      /by the rules it was 2012-08-29T13:30/,
    );
    assert.match(
      (await purgedAt("2012-08-29T13:30:00Z", "Pacific/Kiritimati")).join(),
      /by the rules it was 2012-09-01T10/,
    );
    assert.deepEqual(await purgedAt("2012-08-29T12:30:00Z"), [], "as an earlier version counted");
  });

  test("what the log allows is no problem: it counts as purged, and no one asks the store for it", async () => {
    const script = await vault.script();
    const entries = script.entries(
      script.hold("hold.placed", "2012-01-01T00:00:00.000Z"),
      script.hold("hold.released", "2013-01-01T00:00:00.000Z"),
    );
    const head = mock.method(DirectoryVault.prototype, "head");
    const report = await vault.verify(entries);
    const asked = head.mock.calls.map((call) => call.arguments[0]);
    head.mock.restore();
    assert.deepEqual([report.found, report.purged, report.records], [[], 2, 0]);
    assert.deepEqual(
      asked.filter((key) => /^(records|files)\//.test(key)),
      [],
    );
  });

  test("and it is certified with all of that, whatever was logged later, and by earlier rules than hold now", async () => {
    const script = await vault.script();
    const { to } = script.rules as Extract<Entry, { type: "policy.changed" }>;
    const later = { ...to, files: "P9Y from created" };
    const common = at("2016-01-01T00:00:00.000Z");
    await vault.write([...script.entries(), { type: "policy.changed", ...common, from: to, to: later }, script.rules]);
    await certify();
    const checked = await checkCertificate(vault.place.path("never"), {
      vkey: (await vault.signer()).verifier.vkey,
    });
    const lines = (await readFile(vault.place.path("never", ENTRIES), "utf8")).trimEnd().split("\n");
    await rm(vault.place.path("never"), { recursive: true });
    assert.deepEqual([checked.ledThere, checked.policy], ["checked", to]);
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).index),
      [0, 1, 3, 4, 5, 6],
    );
  });

  test("a log from before policies were logged is held to the rules of the config", async () => {
    const script = await vault.script();
    const good = drop(script, script.rules);
    assert.deepEqual(await found(good), []);
    purgedWith(script, { due: "2015-06-01T00:00:00Z" });
    const early = drop(script, script.rules);
    assert.match((await found(early)).join(), /by the rules it was/);
  });

  test("the command names the entry, in JSON and on stderr, and exits with 4", async () => {
    const script = await vault.script();
    await vault.write(script.entries(script.hold("hold.placed", "2012-01-01T00:00:00.000Z")));
    const ended = await vault.place.here("verify", ["--json"]);
    assert.equal(ended.code, 4);
    const { clients } = ended.json as { clients: { problems: number; found: { entry: number; what: string }[] }[] };
    assert.deepEqual(
      clients[0]!.found.map(({ entry }) => entry),
      [6, 7],
    );
    assert.match(ended.stderr, /entry 7: must not be purged: it was under a legal hold/);
    assert.doesNotMatch(ended.stderr, /all is well/);
  });
});

test("files that are announced in other entries must be as many as the record says", async () => {
  await using vault = await ScriptedVault.make();
  const { rules, stored } = await vault.script();
  const { time, run, subject, version, files } = stored;
  const more = { type: "record.files", time, run, subject, version, files };
  const faults = async (...entries: unknown[]): Promise<(string | undefined)[]> =>
    (await vault.verify([rules, ...entries])).found
      .filter(({ what }) => /of its files/.test(what))
      .map(({ key }) => key);
  assert.deepEqual(await faults(more, { ...stored, files: [], moreFiles: 1 }), []);
  assert.deepEqual(await faults(more, { ...stored, files: [], moreFiles: 2 }), [RECORD]);
  assert.deepEqual(await faults(more, stored), [RECORD]);
  assert.deepEqual(await faults({ ...stored, moreFiles: 1 }), [RECORD]);
  // A run that was killed in between announced files, and another one logged the record.
  assert.deepEqual(await faults({ ...more, run: "killed" }, stored), []);
});

describe("an object that is missing", () => {
  test("counts as renewed only where a later entry stored its key again", async () => {
    await using vault = await ScriptedVault.make();
    const script = await vault.script();
    const { stored } = script;
    const missing = await vault.verify([script.rules, stored]);
    const gone = missing.found.filter(({ what }) => what === "is missing");
    assert.deepEqual([gone.map(({ key }) => key).sort(), missing.renewed], [[FILE, RECORD], 0]);
    // A key that is not its subject's and version's: no index could tell that it is missing.
    const strange = { ...stored, object: { ...stored.object, key: RECORD.replace("20090101", "20080101") } };
    assert.match((await vault.verify([script.rules, strange])).found[0]!.what, /malformed fields/);
    // A file that was never stored, by the word of a later version stored before.
    const listed = { ...stored, files: [{ ...stored.files[0]!, storedWith: "20080101T000000Z-0123456789ab" }] };
    const never = await vault.verify([script.rules, listed]);
    assert.ok(never.found.some(({ key, what }) => key === FILE && /no earlier entry/.test(what)));
    assert.equal(never.renewed, 0);

    const bytes = Buffer.alloc(1_000, 7);
    const open = await vault.place.vault();
    const until = Temporal.Instant.from("2040-01-01T00:00:00Z");
    const put = await open.put(RECORD, bytes, { lock: { mode: "governance", until } });
    const { sha256 } = await open.head(RECORD);
    await open.close();
    const again = { ...stored, object: { ...stored.object, versionId: put.versionId, sha256 }, files: [] };
    const first = { ...stored, object: { ...stored.object, versionId: "00000009" }, files: [] };
    const renewed = await vault.verify([script.rules, first, again]);
    assert.deepEqual([renewed.found.filter(({ what }) => !what.startsWith("must be kept")), renewed.renewed], [[], 1]);
  });
});

test("an object that is logged again with a shorter lock must be locked as long as was promised at first", async () => {
  await using vault = await ScriptedVault.make();
  const { rules, stored } = await vault.script();
  const open = await vault.place.vault();
  const until = Temporal.Instant.from("2030-01-01T00:00:00Z");
  const objects = [];
  for (const [key, size] of [[RECORD, 1_000] as const, [FILE, 2_000] as const]) {
    const { versionId } = await open.put(key, Buffer.alloc(size, 7), { lock: { mode: "governance", until } });
    objects.push({ key, versionId, size, sha256: (await open.head(key)).sha256! });
  }
  await open.close();
  const [object, file] = objects;
  const told = (lockedUntil: string, lockMode: "governance" | "compliance"): Entry => {
    const files = [{ ...stored.files[0]!, ...file!, lockedUntil }];
    return { ...stored, object: object!, files, lockedUntil, lockMode };
  };
  const wrong = async (...entries: Entry[]): Promise<string[]> =>
    (await vault.verify([rules, ...entries])).found.map(({ key, what }) => `${key} ${what}`).sort();
  const is = "but is locked in governance mode until 2030-01-01T00:00:00Z";
  const short = told("2030-01-01T00:00:00Z", "governance");
  assert.deepEqual(await wrong(short), []);
  assert.deepEqual(
    await wrong(told("2040-01-01T00:00:00Z", "governance"), short),
    [FILE, RECORD].map((key) => `${key} must be locked in governance mode until 2040-01-01T00:00:00Z, ${is}`),
  );
  assert.deepEqual(
    await wrong(told("2029-01-01T00:00:00Z", "compliance"), short),
    [FILE, RECORD].map((key) => `${key} must be locked in compliance mode until 2030-01-01T00:00:00Z, ${is}`),
  );
  // Another version in between does not make it forgotten.
  const long = told("2040-01-01T00:00:00Z", "governance");
  const between = { ...stored, object: { ...stored.object, versionId: "00000009" }, files: [] };
  assert.deepEqual(await wrong(long, between, short), [
    `${FILE} must be locked in governance mode until 2040-01-01T00:00:00Z, ${is}`,
    `${RECORD} must be locked in governance mode until 2040-01-01T00:00:00Z, ${is}`,
  ]);
});

function drop(script: Script, entry: Entry): Entry[] {
  return script.entries().filter((each) => each !== entry);
}

/** The purge of the record, told otherwise. */
function purgedWith(
  script: Script,
  change: Partial<Script["purged"]["objects"][number]>,
  more: Script["purged"]["objects"] = [],
): Entry[] {
  const objects = script.purged.objects.map((object) => ({ ...object, ...(change.due ? { due: change.due } : {}) }));
  const [record, file] = objects;
  script.purged = { ...script.purged, objects: [{ ...record!, ...change }, file!, ...more] };
  return script.entries();
}
