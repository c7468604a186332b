import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
} from "@aws-sdk/client-s3";
import { DirectoryVault } from "../../src/vault/directory.ts";
import { S3Vault } from "../../src/vault/s3.ts";
import type { Conditional, Vault } from "../../src/vault/vault.ts";
import { cephEndpoint, lockedBucket, s3Client } from "../servers/s3.ts";

/** A real store, and a view of it that does not use Holdfast. */
export interface Store extends AsyncDisposable {
  readonly vault: Vault;
  readonly conditional: Conditional;
  /** The bytes of every version of a key, newest first. */
  versions(key: string): Promise<Buffer[]>;
  /** What a plain read of the key returns. */
  shown(key: string): Promise<Buffer>;
  /** When the newest version's lock ends. */
  lockedUntil(key: string): Promise<string | undefined>;
  /** Hides a key with a delete marker. Undefined if the store cannot. */
  hide?(key: string): Promise<void>;
}

export async function directoryStore(conditional: Conditional = { ifNoneMatch: true, ifMatch: true }): Promise<Store> {
  const root = await mkdtemp(join(tmpdir(), "holdfast-store-"));
  const numbers = async (key: string) =>
    (await readdir(join(root, ".versions", key)).catch(() => []))
      .filter((name) => /^\d+$/.test(name))
      .sort()
      .reverse();
  return {
    ...{ vault: new DirectoryVault(root), conditional },
    versions: async (key) =>
      Promise.all((await numbers(key)).map((number) => readFile(join(root, ".versions", key, number)))),
    shown: (key) => readFile(join(root, key)),
    lockedUntil: async (key) => {
      const note = join(root, ".versions", key, `${(await numbers(key))[0]}.json`);
      return JSON.parse(await readFile(note, "utf8")).lock?.until;
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

/** Ceph RGW, which accepts conditional headers and ignores them. */
export async function cephStore(): Promise<Store> {
  const bucket = await lockedBucket();
  const client = s3Client();
  const of = (key: string) => ({ Bucket: bucket, Key: key });
  const vault = new S3Vault({
    ...{ bucket, prefix: "", endpoint: cephEndpoint, region: "us-east-1" },
    ...{ forcePathStyle: true, concurrency: 8 },
  });
  const read = async (key: string, VersionId?: string) => {
    const { Body } = await client.send(new GetObjectCommand({ ...of(key), ...(VersionId ? { VersionId } : {}) }));
    return Buffer.from(await Body!.transformToByteArray());
  };
  return {
    ...{ vault, conditional: { ifNoneMatch: false, ifMatch: false } },
    versions: async (key) => {
      const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key }));
      return Promise.all(Versions.filter(({ Key }) => Key === key).map(({ VersionId }) => read(key, VersionId)));
    },
    shown: (key) => read(key),
    lockedUntil: async (key) => {
      return (await client.send(new HeadObjectCommand(of(key)))).ObjectLockRetainUntilDate?.toISOString();
    },
    hide: async (key) => void (await client.send(new DeleteObjectCommand(of(key)))),
    [Symbol.asyncDispose]: async () => {
      await vault.close();
      client.destroy();
    },
  };
}
