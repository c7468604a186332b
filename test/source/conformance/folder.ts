import { mkdtempSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { parsePointer } from "../../../src/config/pointer.ts";
import type { FolderSourceConfig } from "../../../src/config/source-config.ts";
import { BucketStore } from "../../../src/source/folder/bucket.ts";
import { DirectoryStore } from "../../../src/source/folder/directory.ts";
import { FolderSource } from "../../../src/source/folder/folder.ts";
import type { Store } from "../../../src/source/folder/store.ts";
import { FileStore, wholeOf } from "../../sandbox/files.ts";
import { makePerson } from "../../sandbox/person.ts";
import { cephEndpoint, lockedBucket, s3Client, withoutCeph } from "../../servers/s3.ts";
import { configOf } from "../folder/place.ts";
import type { Opening, Provider, StagedFile } from "./stage.ts";

const SEED = 1;
/** How many people have pictures, the first ones: the suite looks at no more. */
const PICTURED = 16;
const MARKER = "_SUCCESS";

const CONFIG: FolderSourceConfig = configOf("/", {
  ...{ ready: { kind: "marker", name: MARKER }, beside: "files/{id}", verified: ["GREEN"] },
  fields: {
    ...{
      id: parsePointer("/id"),
      updated: parsePointer("/updated"),
      created: parsePointer("/created"),
      status: parsePointer("/result"),
    },
    ...{ email: parsePointer("/email"), reference: parsePointer("/customer"), dateOfBirth: parsePointer("/born") },
    ...{ firstName: parsePointer("/name/first"), lastName: parsePointer("/name/last") },
    numbers: [parsePointer("/documents/0/number"), parsePointer("/documents/1/number")],
    ...{ files: [], data: {} },
  },
});

/** For all tests: drawing takes long. */
const PAGES = new FileStore(SEED, { plainImages: true });

interface Pictures {
  readonly pages: FileStore;
  readonly clips: FileStore;
}

/** Where drops are put: a folder or a bucket. */
interface Target extends AsyncDisposable {
  readonly url: string;
  store(): Store;
  put(path: string, content: string | Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
}

const about = {
  kind: "folder",
  can: { list: true, changes: false, deletes: false },
  parts: [
    { name: "result", told: true },
    { name: "address", told: true },
  ],
  listTells: true,
  redacts: false,
  hasVideos: true,
  alwaysNames: true,
  minimalTellsAge: true,
  hidesEnvironment: true,
  // A run goes on with what it has read, and looks for newer drops only now and then.
  delays: { changes: 0, redaction: 0, reread: 601 },
} satisfies Partial<Provider>;

export const folder: Provider = {
  ...about,
  start: (options) => start(options, directory()),
};

export const folderInBucket: Provider = {
  ...about,
  title: "folder in a bucket",
  skip: withoutCeph,
  start: async (options) => start(options, await bucket()),
};

/** One drop of everyone at the start; each event comes as a newer drop, or as a correction of those that are there. */
async function start({ people, videoBytes }: Parameters<Provider["start"]>[0], target: Target) {
  let now = Date.parse("2026-03-04T05:06:07Z");
  const world = Array.from({ length: people }, (_, index) => new Applicant(index, now));
  const drops: Applicant[][] = [];
  const pictures = { pages: PAGES, clips: new FileStore(SEED, { videoBytes }) };

  const name = (drop: number): string => `drop-${drop + 1}`;
  /** Every version of an entry, oldest first: a drop keeps what it said. */
  const lines = async (drop: number): Promise<void> =>
    target.put(`${name(drop)}/people.jsonl`, drops[drop]!.map((one) => `${one.text}\n`).join(""));
  const deliver = async (those: readonly Applicant[]): Promise<void> => {
    const drop = drops.push([...those]) - 1;
    for (const one of those)
      for (const [path, { bytes }] of await one.files(pictures)) await target.put(`${name(drop)}/${path}`, bytes);
    await lines(drop);
    await target.put(`${name(drop)}/${MARKER}`, "");
  };
  const renew = async (index: number, change: (one: Applicant) => void): Promise<void> => {
    const next = world[index]!.next(now);
    change(next);
    world[index] = next;
    await deliver([next]);
  };
  await deliver(world);

  return {
    open: ({ onRequest }: Opening) =>
      new FolderSource({ ...CONFIG, url: target.url }, target.store(), {
        now: () => Temporal.Instant.fromEpochMilliseconds(now),
        onRequest,
      }),
    id: (index: number) => idOf(index),
    ids: () => world.filter(({ gone }) => !gone).map(({ index }) => idOf(index)),
    said: (index: number) => [JSON.parse(world[index]!.text)],
    files: async (index: number) => [...(await world[index]!.files(pictures)).values()],
    change: (index: number, part: string) => renew(index, (one) => one.change(part)),
    recapture: (index: number) => renew(index, (one) => one.recapture()),
    vanish: async (index: number) => {
      world[index]!.gone = true;
      for (const [drop, those] of drops.entries()) {
        const left = those.filter((one) => one.index !== index);
        if (left.length === those.length) continue;
        for (const one of those.filter((each) => each.index === index))
          for (const path of (await one.files(pictures)).keys()) await target.remove(`${name(drop)}/${path}`);
        drops[drop] = left;
        await lines(drop);
      }
    },
    redact: () => {
      throw new Error("a folder redacts no one");
    },
    add: async (count: number) => {
      const indexes = Array.from({ length: count }, (_, at) => world.length + at);
      const those = indexes.map((index) => new Applicant(index, now));
      world.push(...those);
      await deliver(those);
      return indexes;
    },
    now: () => Temporal.Instant.fromEpochMilliseconds(now),
    advance: (seconds: number) => {
      now += seconds * 1_000;
    },
    canaries: () => world.flatMap((one) => one.canaries()),
    secrets: () => [],
    objections: () => [],
    [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
  };
}

const idOf = (index: number): string => `applicant-${String(index).padStart(6, "0")}`;

/** One version of someone's entry. */
class Applicant {
  readonly index: number;
  readonly #created: number;
  #updated: number;
  #result = "GREEN";
  #moves = 0;
  #captures = 0;
  gone = false;

  constructor(index: number, created: number) {
    this.index = index;
    this.#created = created;
    this.#updated = created;
  }

  next(now: number): Applicant {
    const next = new Applicant(this.index, this.#created);
    next.#updated = now;
    next.#result = this.#result;
    next.#moves = this.#moves;
    next.#captures = this.#captures;
    return next;
  }

  change(part: string): void {
    if (part === "address") this.#moves += 1;
    else this.#result = this.#result === "GREEN" ? "RED" : "GREEN";
  }

  recapture(): void {
    this.#captures += 1;
  }

  get text(): string {
    const { given, family, birth, email, customer, address, city, state, documents } = makePerson(SEED, this.index);
    return JSON.stringify({
      ...{ id: idOf(this.index), created: time(this.#created), updated: time(this.#updated), result: this.#result },
      ...{ name: { first: given, last: family }, born: birth, email, customer },
      address: { street: address, city, country: state.code, moves: this.#moves },
      documents: documents.map(({ type, number, mrz }) => ({ type, number, mrz })),
    });
  }

  async files({ pages, clips }: Pictures): Promise<Map<string, StagedFile>> {
    const found = new Map<string, StagedFile>();
    if (this.index >= PICTURED) return found;
    const person = makePerson(SEED, this.index);
    const add = async (name: string, document: (typeof person.documents)[number] | undefined, page: number | null) => {
      const id = `${this.index} ${name}`;
      const body = (document ? pages : clips).body({
        file: { id, page },
        person,
        document,
        recaptured: this.#captures,
      });
      const bytes = await wholeOf(body);
      found.set(`files/${idOf(this.index)}/${name}`, { mediaType: body.mediaType, bytes });
    };
    await add("front.png", person.documents[0], 1);
    // One is enough, and it may be long.
    if (this.index === 0) await add("selfie.mp4", undefined, null);
    return found;
  }

  canaries(): string[] {
    const { family, email, customer, documents } = makePerson(SEED, this.index);
    return [idOf(this.index), family, email, customer, ...documents.map(({ number }) => number)];
  }
}

const time = (ms: number): string => Temporal.Instant.fromEpochMilliseconds(ms).toString();

function directory(): Target {
  const root = mkdtempSync(join(tmpdir(), "holdfast-folder-"));
  return {
    url: `file://${root}`,
    store: () => new DirectoryStore(root),
    put: async (path, content) => {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    },
    remove: (path) => rm(join(root, path)),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}

let shared: Promise<string> | undefined;
let count = 0;

/** One bucket for all tests, and a prefix for each. */
async function bucket(): Promise<Target> {
  shared ??= lockedBucket();
  const Bucket = await shared;
  const prefix = `kyc-${++count}`;
  const client = s3Client();
  const place = { kind: "s3", bucket: Bucket, prefix, endpoint: cephEndpoint, region: undefined } as const;
  return {
    store: () => new BucketStore({ ...place, forcePathStyle: true, expectedOwner: undefined }),
    url: `s3://${Bucket}/${prefix}`,
    put: async (path, Body) => {
      await client.send(new PutObjectCommand({ Bucket, Key: `${prefix}/${path}`, Body }));
    },
    remove: async (path) => {
      await client.send(new DeleteObjectCommand({ Bucket, Key: `${prefix}/${path}` }));
    },
    [Symbol.asyncDispose]: async () => client.destroy(),
  };
}
