import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { openWholeBag } from "../../jobs/open.ts";
import { reseal } from "../../jobs/reseal.ts";
import type { OpenedBag } from "../../src/bag/open.ts";
import { BagWriter } from "../../src/bag/writer.ts";
import { HoldfastError } from "../../src/core/error.ts";
import type { Console } from "../../src/observe/console.ts";
import { silentLog } from "../../src/observe/log.ts";
import { noProgress } from "../../src/observe/progress.ts";
import { verifyBag } from "../../src/session/verify-bag.ts";
import { program } from "../cli/program.ts";
import { type AgeKey, makeAgeKey } from "../export/workplace.ts";
import { anyCharacter } from "../fuzz/character.ts";
import { relist } from "./bag-lists.ts";
import { type Forged, fileKey, forge, inOrder, recordKey, recordOf, SUBJECTS, VERSION } from "./forge.ts";

/** Names that lead elsewhere, or that no bag has. */
const ELSEWHERE = [
  "../../../escaped",
  "../../../../../../../../tmp/holdfast-escaped",
  "/tmp/holdfast-escaped",
  "..",
  ".",
  "",
  "a/../../escaped",
  "..\\..\\escaped",
  "escaped\0",
  `${VERSION}/../../escaped`,
  `${VERSION}\n`,
  `${VERSION} `,
  "x".repeat(400),
];

describe("a forger with a log key of their own, and the officer's public key", () => {
  /** Everything happens some folders deep in here: what is put elsewhere is seen. */
  let tree: string;
  let officer: AgeKey;
  let auditor: AgeKey;
  let made = 0;

  before(async () => {
    tree = await mkdtemp(join(tmpdir(), "holdfast-hostile-"));
    officer = await makeAgeKey(join(tree, "officer.txt"));
    auditor = await makeAgeKey(join(tree, "auditor.txt"));
    await writeFile(join(tree, "sentinel"), "here before");
  });
  after(() => rm(tree, { recursive: true }));

  /**
   * What is in the way of no one is removed: all of the tree is looked at again and again. Tried again, because fast-check
   * does not wait for the run that it interrupts when its time is over, and that may still write (`npm run soak`).
   */
  async function deep(keep?: string): Promise<string> {
    const above = join(tree, "a/b/c/d");
    for (const name of await readdir(above).catch(() => []))
      if (!keep?.startsWith(join(above, name))) await rm(join(above, name), { recursive: true, maxRetries: 10 });
    const folder = join(above, String(made++));
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /** Path and content of everything in the tree that is not below one of these folders, and what is in /tmp by that name. */
  async function elsewhere(...but: string[]): Promise<string[]> {
    const seen: string[] = existsSync("/tmp/holdfast-escaped") ? ["/tmp/holdfast-escaped"] : [];
    for (const entry of await readdir(tree, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (but.some((folder) => path === folder || path.startsWith(`${folder}/`))) continue;
      const content = entry.isFile() ? createHash("sha256").update(readFileSync(path)).digest("hex") : "";
      seen.push(`${relative(tree, path)} ${content}`);
    }
    return seen.sort();
  }

  const results: unknown[] = [];
  const console: Console = {
    ...{ log: silentLog, progress: () => noProgress, say: () => {}, error: () => {} },
    result: (value) => void results.push(value),
  };
  const opening = (bag: string, out: string) => openWholeBag(bag, { key: officer.file, out }, console);
  const READERS: Readonly<Record<string, (bag: string, out: string) => Promise<unknown>>> = {
    open: opening,
    verify: (bag) => verifyBag(bag, {}, console),
    reseal: (bag, out) => reseal(bag, { key: officer.file, to: [auditor.recipient], out }, console),
  };

  /** Each reader refuses with a code of its own for evidence, and nothing is anywhere that was not there before. */
  async function isRefused(bag: string, what: string): Promise<void> {
    const was = await elsewhere();
    for (const [reader, read] of Object.entries(READERS)) {
      const out = join(bag, "..", `out-${reader}`);
      const error = await read(bag, out).then(
        () => assert.fail(`${reader} took ${what}`),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof HoldfastError, `${reader}, ${what}: ${(error as Error).stack}`);
      assert.ok(["malformed", "unverified", "incomplete"].includes(error.code), `${reader}, ${what}: ${error.code}`);
      assert.deepEqual(await elsewhere(), was, `${reader}, ${what}`);
    }
  }

  async function forged(change: (bag: Forged) => void): Promise<string> {
    const bag = join(await deep(), "bag");
    const of = inOrder();
    change(of);
    await forge(bag, officer.recipient, of);
    return bag;
  }

  test("one in order is taken by all: the forger can do what is needed", async () => {
    const bag = await forged(() => {});
    for (const [reader, read] of Object.entries(READERS)) await read(bag, join(bag, "..", `out-${reader}`));
    assert.equal(
      await readFile(join(bag, "..", "out-open", SUBJECTS[0]!, VERSION, "1.png"), "utf8"),
      `file 1 of ${SUBJECTS[0]}`,
    );
  });

  test("a version that is a path", async () => {
    for (const version of ELSEWHERE) {
      const everywhere = await forged((bag) => {
        bag.people[0]!.version = version;
      });
      await isRefused(everywhere, `version ${JSON.stringify(version)}`);
      const inKey = await forged((bag) => {
        bag.people[0]!.version = version;
        bag.people[0]!.recordKey = recordKey(SUBJECTS[0]!, version);
        bag.place = (key) => (key.includes(VERSION) || key.startsWith("files/") ? key : "records/elsewhere.age");
      });
      await isRefused(inKey, `version and key ${JSON.stringify(version)}`);
    }
  });

  test("a subject that is a path", async () => {
    for (const subject of [...ELSEWHERE, "A".repeat(32), "a".repeat(33)]) {
      const bag = await forged((of) => {
        const first = of.people[0]!;
        first.subject = subject;
      });
      await isRefused(bag, `subject ${JSON.stringify(subject)}`);
    }
  });

  test("keys of records and files that are paths, or someone else's", async () => {
    const keys = [
      ...ELSEWHERE.map((name) => `files/aa/${name}`),
      ...ELSEWHERE.map((name) => `records/aa/${name}.age`),
      `files/aa/${SUBJECTS[0]}/../../../escaped.age`,
      fileKey(SUBJECTS[1]!, 7),
      recordKey(SUBJECTS[1]!, "20250101T000000Z-0123456789ab"),
      recordKey(SUBJECTS[0]!, "20250101T000000Z-0123456789ab"),
      `files/bb/${SUBJECTS[0]}/${"0".repeat(32)}.age`,
    ];
    for (const [at, key] of keys.entries()) {
      const place = (name: string): string => (name === key ? `files/placed-${at}.age` : name);
      const record = await forged((bag) => {
        bag.place = place;
        bag.people[0]!.recordKey = key;
      });
      await isRefused(record, `record ${JSON.stringify(key)}`);
      const file = await forged((bag) => {
        bag.place = place;
        bag.people[0]!.files[0]!.key = key;
      });
      await isRefused(file, `file ${JSON.stringify(key)}`);
    }
  });

  test("lists, reseal.json and links that lead out of the bag", async () => {
    const line = (path: string): string => `${createHash("sha256").update("here before").digest("hex")}  ${path}\n`;
    for (const path of ["../../../../sentinel", "data/../../sentinel", "/etc/hostname", "data/./x", "data//x"]) {
      for (const list of ["manifest-sha256.txt", "tagmanifest-sha256.txt"]) {
        const bag = await forged(() => {});
        await writeFile(join(bag, list), (await readFile(join(bag, list), "utf8")) + line(path));
        await isRefused(bag, `${list} with ${path}`);
      }
    }
    const linked = await forged(() => {});
    await symlink(tree, join(linked, "data/files/link"));
    await isRefused(linked, "a link");
    const plain = await forged(() => {});
    const handedOn = join(await deep(plain), "resealed");
    await reseal(plain, { key: officer.file, to: [officer.recipient], out: handedOn }, console);
    const told = JSON.parse(await readFile(join(handedOn, "reseal.json"), "utf8"));
    for (const key of ["../../../../sentinel", "files/aa/../../../escaped", "/etc/hostname"]) {
      const objects = [{ ...told.objects[0], key }, ...told.objects.slice(1)];
      await writeFile(join(handedOn, "reseal.json"), JSON.stringify({ ...told, objects }));
      await relist(handedOn);
      await isRefused(handedOn, `reseal.json with ${key}`);
    }
  });

  test("whatever the words: nothing outside the folder named", async () => {
    const words = fc.oneof(
      fc.constantFrom(...ELSEWHERE),
      fc
        .array(fc.constantFrom("..", ".", "/", "\\", VERSION, SUBJECTS[0]!, ".age", "\u202e", "%2e%2e"), {
          maxLength: 6,
        })
        .map((all) => all.join("")),
      fc.string({ unit: anyCharacter, maxLength: 40 }),
    );
    const where = fc.constantFrom("version", "record", "file", "listed", "told");
    await fc.assert(
      fc.asyncProperty(words, where, async (word, at) => {
        // The true word in its own place forges nothing.
        fc.pre(word !== { told: SUBJECTS[0], version: VERSION }[at as string]);
        const bag = await forged((of) => {
          const first = of.people[0]!;
          of.place = (key) =>
            /^(records|files)\/[a-c]{2}\/[a-c]{32}\/[\w-]+\.age$/.test(key) ? key : "files/placed.age";
          if (at === "version") first.version = word;
          if (at === "record") first.recordKey = word;
          if (at === "file") first.files[0]!.key = word;
          if (at === "listed") first.record.files[0].key = word;
          if (at === "told")
            of.retrieval = (told) => ({
              ...told,
              subjects: [{ ...told.subjects[0], subject: word }, ...told.subjects.slice(1)],
            });
        });
        const out = join(bag, "..", "out");
        const was = await elsewhere(out);
        await opening(bag, out).catch((error: unknown) => assert.ok(error instanceof HoldfastError, String(error)));
        assert.deepEqual(await elsewhere(out), was);
        if (at !== "listed") assert.ok(!existsSync(out));
      }),
      { numRuns: 60 },
    );
  });

  /** What `open` said, with code and all; everyone but the first person is there. */
  async function opened(bag: string, code = "unverified"): Promise<OpenedBag> {
    const out = join(bag, "..", "out");
    const was = await elsewhere(out);
    await assert.rejects(opening(bag, out), { code });
    assert.deepEqual(await elsewhere(out), was);
    for (const subject of SUBJECTS.slice(1)) {
      for (const n of [1, 2])
        assert.equal(await readFile(join(out, subject, VERSION, `${n}.png`), "utf8"), `file ${n} of ${subject}`);
    }
    return results.at(-1) as OpenedBag;
  }
  const names = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

  test("a record that lists other keys than its own: named, and nothing is read or written by them", async () => {
    const others = [
      fileKey(SUBJECTS[1]!, 1),
      ...[
        "../../../escaped",
        `files/aa/${SUBJECTS[0]}/../../../../escaped.age`,
        "/etc/hostname",
        recordKey(SUBJECTS[0]!),
      ],
    ];
    for (const key of others) {
      const bag = await forged((of) => {
        of.people[0]!.record.files[0].key = key;
      });
      const { unopened, records, files } = await opened(bag);
      assert.deepEqual([records, files, unopened.length], [2, 4, 1], key);
      assert.deepEqual([unopened[0]!.subject, unopened[0]!.version, unopened[0]!.file], [SUBJECTS[0], VERSION, null]);
      assert.deepEqual(await names(join(bag, "..", "out", SUBJECTS[0]!)), []);
    }
    const unlisted = await forged((of) => {
      of.people[0]!.record.files.push({ ...of.people[0]!.record.files[0], key: fileKey(SUBJECTS[0]!, 9) });
    });
    assert.deepEqual(
      (await opened(unlisted)).unopened.map(({ file }) => file),
      [3],
    );
  });

  test("a kind of file that is a word of the language itself has no ending", async () => {
    for (const mediaType of ["__proto__", "constructor", "toString", "../../x", "image/png/../../x"]) {
      const bag = await forged((of) => {
        of.people[0]!.record.files[0].mediaType = mediaType;
      });
      const out = join(bag, "..", "out");
      await opening(bag, out);
      assert.deepEqual((await readdir(join(out, SUBJECTS[0]!, VERSION))).sort(), ["1", "2.png", "record.json"]);
    }
  });

  test("one bad file: it is named and not on the disk, and everything else is opened", async () => {
    const changes: Readonly<Record<string, (of: Forged["people"][number]) => void>> = {
      "another content than its record says": ({ record }) => {
        record.files[0].sha256 = "0".repeat(64);
      },
      "sealed bytes that are not age": ({ files }) => {
        files[0]!.sealed = Buffer.from("not sealed at all");
      },
    };
    for (const [what, change] of Object.entries(changes)) {
      const bag = await forged((of) => change(of.people[0]!));
      const { unopened, records, files } = await opened(bag);
      assert.deepEqual([records, files], [3, 5], what);
      assert.deepEqual(
        unopened.map(({ subject, version, file }) => [subject, version, file]),
        [[SUBJECTS[0], VERSION, 1]],
      );
      assert.ok(unopened[0]!.reason.length > 10);
      assert.deepEqual((await readdir(join(bag, "..", "out", SUBJECTS[0]!, VERSION))).sort(), ["2.png", "record.json"]);
    }
  });

  test("one bad record: it is named and not on the disk, nor its files, and everyone else is opened", async () => {
    const files = inOrder().people[0]!.files;
    const changes: Readonly<Record<string, unknown>> = {
      "no JSON": Buffer.from("no JSON"),
      "of another form": { ...recordOf(files), holdfast: "record/9" },
      "another client's": { ...recordOf(files), client: "other-bank" },
      "another version's": { ...recordOf(files), identity: { updated: "2025-01-01T00:00:00Z" } },
    };
    for (const [what, record] of Object.entries(changes)) {
      const bag = await forged((of) => {
        of.people[0]!.record = record;
      });
      const { unopened, records } = await opened(bag);
      assert.equal(records, 2, what);
      assert.deepEqual(
        unopened.map(({ subject, file }) => [subject, file]),
        [[SUBJECTS[0], null]],
        what,
      );
      assert.deepEqual(await names(join(bag, "..", "out", SUBJECTS[0]!)), [], what);
    }
  });

  test("where no record opens nothing is left; a shell is told by code 4, JSON by what opened and what did not", async () => {
    const none = await forged((of) => {
      for (const person of of.people) person.record = Buffer.from("no JSON");
    });
    await assert.rejects(opening(none, join(none, "..", "out")), { code: "malformed" });
    assert.ok(!existsSync(join(none, "..", "out")));
    const bag = await forged((of) => {
      of.people[0]!.record.files[1].sha256 = "0".repeat(64);
    });
    const out = join(bag, "..", "out");
    const ended = await program(["open", bag, "--key", officer.file, "--out", out, "--json"], { cwd: tree });
    assert.equal(ended.code, 4, ended.stderr);
    const told = JSON.parse(ended.stdout);
    assert.deepEqual([told.command, told.records, told.files], ["open", 3, 5]);
    assert.deepEqual(
      [told.unopened[0].subject, told.unopened[0].version, told.unopened[0].file],
      [SUBJECTS[0], VERSION, 2],
    );
    assert.match(ended.stderr, new RegExp(SUBJECTS[0]!));
  });

  test("a thousand files of one person, most of them in entries of their own: checked and opened", async () => {
    const many = (of: Forged, all: number): void => {
      const person = of.people[0]!;
      person.files = Array.from({ length: all }, (_, n) => ({
        key: fileKey(SUBJECTS[0]!, n),
        plain: Buffer.from(`${n}`),
      }));
      person.record = recordOf(person.files);
      person.apart = { count: all * 0.9, each: all * 0.2 };
    };
    const bag = await forged((of) => many(of, 1_000));
    const { files, records } = await verifyBag(bag, {}, console);
    assert.deepEqual([records, files], [3, 1_004]);
    const out = join(bag, "..", "out");
    await opening(bag, out);
    assert.equal((await readdir(join(out, SUBJECTS[0]!, VERSION))).length, 1_001);
    assert.equal(await readFile(join(out, SUBJECTS[0]!, VERSION, "1000.png"), "utf8"), "999");
    // One more or fewer than the record's own entry says, another version's, another run's, another person's.
    const changes: Readonly<Record<string, (entry: { type: string; moreFiles?: number }) => unknown>> = {
      "one more": (entry) => (entry.moreFiles ? { ...entry, moreFiles: 91 } : entry),
      "one fewer": (entry) => (entry.moreFiles ? { ...entry, moreFiles: 89 } : entry),
      "none told of": ({ moreFiles: _, ...entry }) => entry,
      "another run": (entry) => (entry.type === "record.files" ? { ...entry, run: "other" } : entry),
      "another version": (entry) =>
        entry.type === "record.files" ? { ...entry, version: "20250101T000000Z-0123456789ab" } : entry,
    };
    for (const [what, change] of Object.entries(changes)) {
      const wrong = await forged((of) => {
        many(of, 100);
        of.entry = change;
      });
      await assert.rejects(verifyBag(wrong, {}, console), HoldfastError, what);
    }
  });
});

test("a bag's writer makes no file that a reader of bags would refuse", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-writer-"));
  try {
    const bag = await BagWriter.begin(join(folder, "bag"));
    const none = async function* () {};
    for (const name of [...ELSEWHERE.filter((each) => each.length < 256), "a b", "ä"]) {
      await assert.rejects(bag.tag(name, "x"), { code: "malformed" }, name);
      const sha256 = createHash("sha256").digest("hex");
      await assert.rejects(
        bag.object({ key: `${name}/../../x`, size: 0, sha256 }, async () => none()),
        { code: "malformed" },
        name,
      );
    }
    await bag.abandon();
    assert.deepEqual(await readdir(folder), []);
  } finally {
    await rm(folder, { recursive: true });
  }
});
