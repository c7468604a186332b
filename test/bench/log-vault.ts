import { createHash, randomBytes } from "node:crypto";
import { link, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import PQueue from "p-queue";
import type { RecordStored } from "../../src/audit/entry.ts";
import { parseSigner } from "../../src/audit/note.ts";
import { AuditWriter } from "../../src/audit/writer.ts";
import { systemClock } from "../../src/core/clock.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { fileKey, recordKey } from "../../src/vault/layout.ts";
import { openVault } from "../../src/vault/open.ts";
import { CLIENT, makeWorkplace, type Provider, type Workplace } from "../export/workplace.ts";

export interface LogVaultOptions {
  readonly entries: number;
  /** Whether the objects of this entry exist: in a bucket they are stored without a lock, unless `locked`. Default: none. */
  readonly objects?: (n: number) => boolean;
  readonly locked?: boolean;
  /** Until when they are locked, in the log and in a directory. Default: longer than any measurement. */
  readonly lockedUntil?: (n: number) => string;
  /** A URL and an endpoint: a bucket elsewhere. */
  readonly vault?: "directory" | "ceph" | { readonly url: string; readonly endpoint: string };
  /** Default: nothing listens there. */
  readonly provider?: Provider;
  /** 64 hex digits. Default: a new one. */
  readonly lookupKey?: string;
  /** This many were purged long ago: four entries each, and no objects. */
  readonly purged?: number;
  /** The person an entry is about, and what of the entry is not as for everyone. Default: an invented person. */
  readonly record?: (n: number, tokens: Tokens) => Invented;
}

export interface LogVault extends AsyncDisposable {
  readonly place: Workplace;
}

type Invented = Pick<RecordStored, "subject" | "version"> &
  Partial<Pick<RecordStored, "listed" | "source" | "handle" | "lookups">> & {
    /** The files' own parts of their keys: 32 hex digits each. */
    readonly files?: readonly string[];
  };

/** Bytes of a sealed record without images. */
const SIZE = 4630;
/** Entries in flight at once. */
const AT_ONCE = 4096;
export const LOCKED_UNTIL = "2099-01-01T00:00:00Z";
const LONG_AGO = "2010-01-01T00:00:00.000Z";

/** A vault with this many records, each one entry of the log, written by the log's own writer. */
export async function makeLogVault({
  entries,
  objects = () => false,
  locked = false,
  lockedUntil = () => LOCKED_UNTIL,
  purged = 0,
  vault: kind = "directory",
  provider = { url: "http://127.0.0.1:9/verification/v2", apiKey: "none" },
  record = invented,
  lookupKey,
}: LogVaultOptions): Promise<LogVault> {
  const source = { rate: "10000/s" };
  const place = await makeWorkplace(provider, {
    ...(typeof kind === "string"
      ? { vault: kind, client: { source } }
      : { client: { source, vault: { ...kind, forcePathStyle: true } } }),
    ...(lookupKey ? { lookupKey } : {}),
  });
  const client = await place.client();
  const tokens = new Tokens(await client.lookups.key.resolve());
  const vault = await openVault(client.vault);
  const writer = await AuditWriter.open({
    ...{ vault, signer: parseSigner((await readFile(place.path("keys/log"), "utf8")).trim()), now: systemClock },
    ...{ state: client.state, holds: () => {}, conditional: { ifNoneMatch: false, ifMatch: false } },
    lock: { mode: "governance", initial: client.retention.initialLock },
  });
  const putting = new PQueue({ concurrency: 32 });
  const sealed = randomBytes(SIZE);
  const sha256 = createHash("sha256").update(sealed).digest("hex");
  const root = place.path("vault", CLIENT);
  const gone: { subject: string; object: { key: string; versionId: string; size: number; sha256: string } }[] = [];
  for (let first = 0; first < entries; first += AT_ONCE) {
    const count = Math.min(AT_ONCE, entries - first);
    await Promise.all(
      Array.from({ length: count }, async (_, n) => {
        const { subject, version, files: names = [], ...more } = record(first + n, tokens);
        const isPurged = first + n < purged;
        const until = isPurged ? LONG_AGO : lockedUntil(first + n);
        const isThere = objects(first + n) && !isPurged;
        const store = async (key: string) => {
          if (isThere && kind === "directory") await lay(root, key, sealed, noteOf(sha256, until));
          const isPut = isThere && kind !== "directory";
          const lock = locked ? { mode: "governance" as const, until: Temporal.Instant.from(until) } : undefined;
          const versionId = isPut ? (await putting.add(() => vault.put(key, sealed, { lock }))).versionId : "00000001";
          return { key, versionId, size: SIZE, sha256 };
        };
        const object = await store(recordKey(subject, version));
        const stored = await Promise.all(names.map((name) => store(fileKey(subject, name))));
        const files = stored.map((one) => ({ ...one, type: "document", mediaType: "image/jpeg", lockedUntil: until }));
        await writer.append({
          ...{ type: "record.stored", time: isPurged ? LONG_AGO : "2026-11-23T10:15:00.000Z", run: "bench", subject },
          ...{ version, updated: timeOf(version), object, files, withheld: 0, recipients: ["0123456789abcdef"] },
          ...{ lockedUntil: until, lookups: { email: subject }, ...more },
        });
        if (isPurged) gone.push({ subject, object });
      }),
    );
  }
  for (const { subject, object } of gone) {
    const common = { time: "2026-11-23T10:15:00.000Z", run: "bench", subject };
    const ended = "2010-01-01";
    void writer.append({ type: "relationship.ended", ...common, ended });
    void writer.append({ type: "purge.begun", ...common, keys: [object.key] });
    const objects = [{ ...object, versions: 1, due: "2020-01-01T00:00:00Z" }];
    await writer.append({ type: "record.purged", ...common, objects, ended, whole: true });
  }
  await writer.flush();
  await writer.close();
  await vault.close();
  return { place, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

function invented(n: number): { subject: string; version: string } {
  return { subject: createHash("md5").update(`${n}`).digest("hex"), version: "20261123T101500Z-0123456789ab" };
}

/** The provider's time at the start of a version's name. */
function timeOf(version: string): string {
  return version.replace(/^(....)(..)(..T..)(..)(..Z)-.*/, "$1-$2-$3:$4:$5");
}

/** What a directory keeps beside a version. */
function noteOf(sha256: string, until: string): string {
  return JSON.stringify({ sha256, lock: { mode: "governance", until }, hold: false });
}

async function lay(root: string, key: string, bytes: Uint8Array, note: string): Promise<void> {
  const version = join(root, ".versions", key, "00000001");
  await mkdir(dirname(version), { recursive: true });
  await mkdir(dirname(join(root, key)), { recursive: true });
  await writeFile(version, bytes);
  await writeFile(`${version}.json`, note);
  await link(version, join(root, key));
}
