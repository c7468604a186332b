/** What the tests share that take many people of a provider to Ceph, through faults. */
import assert from "node:assert/strict";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { Decrypter } from "age-encryption";
import type { RecordStored } from "../../src/audit/entry.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { Summary } from "../../src/export/summary.ts";
import { turnOf } from "../../src/export/turn.ts";
import type { SealedRecord } from "../../src/record/record.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { cephEndpoint, s3Client } from "../servers/s3.ts";
import type { Workplace } from "./workplace.ts";

/** `PEOPLE=2000` is the size that the closing notes name; it takes minutes. */
export const peopleOr = (usual: number): number => Number(process.env.PEOPLE ?? usual);

/** Of every twentieth person, the files are compared to the byte. */
const SHARE = 20;

/** What the tests need of a sandbox. */
interface Sandbox {
  ids(): string[];
  canaries(): string[];
}

/** One person as the vault holds them. */
export interface Sealed {
  readonly record: SealedRecord;
  /** The record as it was sealed. */
  readonly text: string;
  readonly entry: RecordStored;
}

export interface Looks {
  /** Compares a record with what the sandbox says of that person. */
  person(index: number, sealed: Sealed): void | Promise<void>;
  /** The bytes that the sandbox has of a file, by its id in the record; undefined for one that is not compared. */
  bytes(file: string, index: number): Promise<Buffer | undefined>;
  /** Whether the provider may lack a file that its answers suggest. Default: it lacks none. */
  mayLack?(file: string): boolean;
}

/**
 * Opens everyone's record with a bare S3 client and age: no one is missing, no one is there twice, and neither is a
 * file. Returns how many files there are.
 */
export async function checkAll(place: Workplace, kind: string, sandbox: Sandbox, looks: Looks): Promise<number> {
  using reading = await opener(place);
  const stored = await place.stored();
  const tokens = new Tokens(await (await place.client()).lookups.key.resolve());
  assert.equal(stored.size, sandbox.ids().length);
  let files = 0;
  let compared = 0;
  for (const [index, id] of sandbox.ids().entries()) {
    const entries = stored.get(tokens.subject(kind, id));
    assert.equal(entries?.length, 1, "each person is stored once");
    const [entry] = entries as [RecordStored];
    const text = (await reading.open(entry.object.key, entry.object.versionId)).toString();
    const record = JSON.parse(text) as SealedRecord;
    assert.equal(record.holdfast, "record/2");
    await looks.person(index, { record, text, entry });
    assert.equal(record.withheld.length, entry.withheld);
    for (const { id: file, reason } of record.withheld)
      assert.ok(reason === "missing" && looks.mayLack?.(file), "a file is withheld");
    assert.equal(record.files.length, entry.files.length);
    assert.equal(new Set(entry.files.map(({ key }) => key)).size, entry.files.length, "each file is stored once");
    files += entry.files.length;
    if (index % SHARE !== 0) continue;
    for (const { key, id: file } of record.files) {
      const bytes = await looks.bytes(file, index);
      if (bytes === undefined) continue;
      const { versionId } = entry.files.find((one) => one.key === key)!;
      assert.ok((await reading.open(key, versionId)).equals(bytes), "a file is to the byte");
      compared += 1;
    }
  }
  assert.ok(compared > 0, "some files were compared");
  return files;
}

/** Runs `export`, which must succeed and say nothing personal. */
export async function night(place: Workplace, sandbox: Sandbox, clock: () => number): Promise<Summary> {
  const now: Clock = () => Temporal.Instant.fromEpochMilliseconds(clock());
  const ended = await place.here("export", ["--json"], { now });
  assert.equal(ended.code, 0, ended.stderr);
  const said = ended.stdout + ended.stderr;
  for (const canary of sandbox.canaries()) assert.ok(!said.includes(canary), "no personal data is shown");
  return (ended.json as { clients: Summary[] }).clients[0]!;
}

/**
 * Indexes of people whose turn it is not in any run between these times. Subjects follow from the workplace's own key,
 * so any one person may be asked in turn on any night.
 */
export async function outOfTurn(
  place: Workplace,
  kind: string,
  sandbox: Sandbox,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<number[]> {
  const { lookups, sources } = await place.client();
  const tokens = new Tokens(await lookups.key.resolve());
  const [begin, end] = [from, to].map((at) => Temporal.Instant.fromEpochMilliseconds(at)) as [
    Temporal.Instant,
    Temporal.Instant,
  ];
  const ranges = turnOf(begin, end, sources[0]!.resync);
  return sandbox.ids().flatMap((id, index) => {
    const subject = tokens.subject(kind, id);
    return ranges.some(([first, last]) => subject >= first && subject < last) ? [] : [index];
  });
}

async function opener(place: Workplace) {
  const s3 = s3Client(cephEndpoint);
  const decrypter = new Decrypter();
  decrypter.addIdentity(place.officer.identity);
  const [, Bucket, prefix] = /^s3:\/\/([^/]+)\/(.+)$/.exec((await place.client()).vault.url)!;
  const open = async (key: string, VersionId: string): Promise<Buffer> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: `${prefix}/${key}`, VersionId }));
    return Buffer.from(await decrypter.decrypt(await Body!.transformToByteArray()));
  };
  return { open, [Symbol.dispose]: () => s3.destroy() };
}
