import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { encodeEntry } from "../../src/audit/entry.ts";
import { Journal } from "../../src/audit/journal.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import { parseDescription } from "../../src/vault/description.ts";
import { DirectoryVault } from "../../src/vault/directory.ts";
import { parseClaim } from "../../src/vault/lease-claims.ts";
import { holds } from "./holds.ts";
import { mutants } from "./mutants.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-fuzz-"));
});
after(() => rm(folder, { recursive: true }));

const json = (value: unknown) => mutants(fc.constant(Buffer.from(JSON.stringify(value))));

test("lease.json", async (t) => {
  const at = "2026-11-23T10:15:00.123456789Z";
  const claim = { token: "t", host: "h", pid: 1, process: "boot/space/1/2", job: "export", since: at, until: at };
  await holds(
    t,
    4000,
    json(claim),
    (bytes) => {
      const { since, until } = parseClaim({ url: "file:///vault" }, bytes);
      for (const instant of [since, until]) Temporal.Instant.from(instant);
    },
    "malformed",
  );
});

test("vault.json", async (t) => {
  const description = {
    ...{ format: "holdfast-vault/1", client: "acme-bank", created: "2026-11-23T10:15:00.000Z" },
    log: { origin: "acme-bank.example/holdfast", vkey: "acme+00000000+AAAA", former: ["x"] },
    ...{ recipients: ["age1x"], lookups: { check: "ab" }, store: { ifNoneMatch: true, ifMatch: false } },
  };
  await holds(t, 4000, json(description), (bytes) => parseDescription(bytes), "malformed");
});

test("a journal", async (t) => {
  const path = join(folder, "journal");
  const journal = new Journal(path);
  await journal.recover();
  const at = { time: "2026-11-23T10:15:00.000Z", run: "r", subject: "ab".repeat(16) };
  for (let index = 7; index < 12; index++) {
    await journal.append({
      index,
      bytes: encodeEntry({ type: "record.failed", ...at, stage: "seal", code: `${index}` }),
    });
  }
  await journal.close();
  const file = join(path, "7.jsonl");
  const valid = await readFile(file);
  const both = async (bytes: Buffer): Promise<void> => {
    await writeFile(file, bytes);
    await new Journal(path).inspect();
    const again = new Journal(path);
    await again.recover();
    await again.close();
  };
  await holds(t, 600, mutants(fc.constant(valid)), both, "malformed");
  // A second segment with any valid name.
  await writeFile(file, valid);
  const names = fc.tuple(fc.constantFrom("12", "13", "8", "0", "99999999999999999999"), mutants(fc.constant(valid)));
  await holds(
    t,
    300,
    names,
    async ([name, bytes]) => {
      const second = join(path, `${name}.jsonl`);
      await writeFile(second, bytes);
      await new Journal(path).inspect().finally(() => rm(second));
    },
    "malformed",
  );
});

test("a directory's metadata of a version", async (t) => {
  const vault = new DirectoryVault(join(folder, "vault"));
  const until = Temporal.Instant.from("2027-01-01T00:00:00Z");
  const { key, versionId } = await vault.put("records/aa/x.age", Buffer.from("x"), {
    lock: { mode: "governance", until },
  });
  const note = join(folder, "vault/.versions", key, `${versionId}.json`);
  await chmod(note, 0o600);
  const valid = await readFile(note);
  await holds(
    t,
    800,
    mutants(fc.constant(valid)),
    async (bytes) => {
      await writeFile(note, bytes);
      await vault.head(key);
      await vault.read(key, 10, versionId);
    },
    "malformed",
  );
  await holds(t, 2000, mutants(fc.constant(Buffer.from(key))), (bytes) => vault.head(bytes.toString()), ...MISSING);
  await writeFile(note, valid);
  await holds(t, 1000, mutants(fc.constant(Buffer.from(versionId))), (id) => vault.head(key, String(id)), ...MISSING);
});

/** The file system refuses a path that is too long. */
const MISSING = ["malformed", "vault-missing", "vault-rejected"] as const;

test("a catalog file is used, or rebuilt", async (t) => {
  const path = join(folder, "catalog.sqlite");
  Catalog.empty(path, "origin").close();
  const valid = await readFile(path);
  const inputs = fc.oneof(
    mutants(fc.constant(valid)),
    fc.tuple(fc.nat(valid.length - 1), fc.uint8Array({ minLength: 1, maxLength: 4096 })).map(([at, noise]) => {
      const bytes = Buffer.from(valid);
      bytes.set(noise.subarray(0, bytes.length - at), at);
      return bytes;
    }),
  );
  await holds(
    t,
    400,
    inputs,
    async (bytes) => {
      for (const end of ["-wal", "-shm"]) await rm(path + end, { force: true });
      await writeFile(path, bytes);
      const catalog = Catalog.open(path, "origin");
      try {
        catalog.subjects.known("ab");
        catalog.totals.counts();
      } finally {
        catalog.close();
      }
    },
    "state",
  );
});
