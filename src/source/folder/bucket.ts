import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  S3Client,
  type S3ServiceException,
} from "@aws-sdk/client-s3";
import type { FolderSourceConfig } from "../../config/source-config.ts";
import { HoldfastError } from "../../core/error.ts";
import { AwsCredentials, CREDENTIALS_REFUSED } from "../../net/aws-credentials.ts";
import { awsAgents } from "../../net/proxy.ts";
import { changed, FILE, lost, missing, noFolder } from "./errors.ts";
import type { Changes, Item, OpenFile, Stat, Store } from "./store.ts";

type Bucket = Extract<FolderSourceConfig["place"], { kind: "s3" }>;

const SOCKETS = 16;
const SILENCE = 60_000;
/** Read at a time: fewer and larger requests than of a disk. */
const CHUNK = 4 * 1024 * 1024;

/** Drops in a bucket. It asks for objects and lists of them, and for nothing else. */
export class BucketStore implements Store {
  readonly #client: S3Client;
  readonly #credentials = new AwsCredentials();
  readonly #place: Bucket;

  constructor(place: Bucket) {
    this.#place = place;
    const { endpoint, region, forcePathStyle } = place;
    this.#client = new S3Client({
      region: region ?? process.env.AWS_REGION ?? "us-east-1",
      ...(endpoint ? { endpoint } : {}),
      forcePathStyle,
      credentials: this.#credentials.provide,
      // Older gateways do not know the checksums that the SDK asks for by default.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      maxAttempts: 5,
      requestHandler: { connectionTimeout: 10_000, socketTimeout: SILENCE, ...awsAgents(SOCKETS) },
    });
  }

  async *list(folder: string): AsyncGenerator<Item> {
    const prefix = this.#key(folder === "" ? "" : `${folder}/`);
    for await (const { CommonPrefixes = [], Contents = [] } of this.#pages({ Prefix: prefix, Delimiter: "/" })) {
      for (const { Prefix = "" } of CommonPrefixes) {
        const name = Prefix.slice(prefix.length, -1);
        if (name !== "") yield { name, kind: "folder" };
      }
      for (const { Key = "" } of Contents) {
        const name = Key.slice(prefix.length);
        // Consoles mark a folder by an empty object with its name.
        if (name !== "") yield { name, kind: "file" };
      }
    }
  }

  async stat(path: string): Promise<Stat | undefined> {
    const asked = new HeadObjectCommand({ ...this.#of(), Key: this.#key(path) });
    try {
      const { ContentLength = 0, ETag = "" } = await this.#send(() => this.#client.send(asked));
      return { size: ContentLength, stamp: `${ContentLength}-${ETag}` };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw failure(error);
    }
  }

  async open(path: string): Promise<OpenFile> {
    const stat = await this.stat(path);
    if (stat === undefined) throw missing();
    const Key = this.#key(path);
    const IfMatch = stat.stamp.slice(stat.stamp.indexOf("-") + 1);
    const read = async (at: number, length: number): Promise<Buffer> => {
      if (length === 0 || at >= stat.size) return Buffer.alloc(0);
      const Range = `bytes=${at}-${at + length - 1}`;
      const asked = new GetObjectCommand({ ...this.#of(), Key, Range, IfMatch });
      try {
        const { Body } = await this.#send(() => this.#client.send(asked));
        return Buffer.from((await Body?.transformToByteArray()) ?? []);
      } catch (error) {
        throw statusOf(error) === 412 ? changed() : failure(error);
      }
    };
    return {
      ...stat,
      read,
      chunk: CHUNK,
      // Each request named the version.
      confirm: async () => {},
      close: async () => {},
    };
  }

  async changes(folder: string): Promise<Changes> {
    let last = 0;
    let first = Number.POSITIVE_INFINITY;
    for await (const { Contents = [] } of this.#pages({ Prefix: this.#key(folder === "" ? "" : `${folder}/`) }))
      for (const { LastModified } of Contents) {
        const change = LastModified?.getTime() ?? 0;
        last = Math.max(last, change);
        first = Math.min(first, change);
      }
    return { last, first };
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  async *#pages(of: Omit<ListObjectsV2CommandInput, "Bucket">): AsyncGenerator<ListObjectsV2CommandOutput> {
    let ContinuationToken: string | undefined;
    do {
      const token = ContinuationToken === undefined ? {} : { ContinuationToken };
      const asked = new ListObjectsV2Command({ ...this.#of(), ...of, ...token });
      let page: ListObjectsV2CommandOutput;
      try {
        page = await this.#send(() => this.#client.send(asked));
      } catch (error) {
        throw failure(error);
      }
      yield page;
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
  }

  /** Once more with fresh credentials: they may have been rotated. */
  async #send<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error && CREDENTIALS_REFUSED.has(error.name)) || !this.#credentials.expire()) throw error;
      return work();
    }
  }

  #of() {
    const { bucket, expectedOwner } = this.#place;
    return { Bucket: bucket, ...(expectedOwner === undefined ? {} : { ExpectedBucketOwner: expectedOwner }) };
  }

  #key(path: string): string {
    const { prefix } = this.#place;
    return prefix === "" ? path : `${prefix}/${path}`;
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as Partial<S3ServiceException> | null)?.$metadata?.httpStatusCode;
}

/** The SDK's error may have the key in it, so it must not be the cause. */
function failure(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const { name = "unknown", code } = error as { name?: string; code?: string };
  const status = statusOf(error);
  if (status === 401 || status === 403 || name === "CredentialsProviderError" || CREDENTIALS_REFUSED.has(name))
    return new HoldfastError("source-denied", `${FILE}: the S3 store refuses it (${status ?? name})`, {
      hint: "Give these AWS credentials s3:GetObject and s3:ListBucket on the source's bucket and prefix.",
    });
  if (status === 404) return noFolder("NoSuchBucket");
  return lost({ code: `${status ?? code ?? name}` });
}
