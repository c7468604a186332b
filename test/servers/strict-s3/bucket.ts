import { randomBytes } from "node:crypto";
import type { Locked } from "./lock.ts";
import { Refusal } from "./refusal.ts";
import type { Request } from "./request.ts";

export interface Version extends Locked {
  readonly key: string;
  /** "null" for a version written without versioning. */
  readonly id: string;
  /** Quoted, as sent in headers. */
  readonly etag: string;
  readonly bytes: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
  readonly modified: number;
  /** Whether it is a delete marker, which hides the versions below it. */
  readonly marker: boolean;
}

export interface UploadedPart {
  readonly etag: string;
  readonly bytes: Buffer;
  readonly checksum: Readonly<Record<string, string>>;
}

export interface MultipartUpload extends Locked {
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Lower case, as in the header's name. */
  readonly checksumAlgorithm: string | undefined;
  readonly parts: Map<number, UploadedPart>;
}

export class Bucket {
  versioning: "Enabled" | "Suspended" | undefined;
  readonly locks: boolean;
  readonly uploads = new Map<string, MultipartUpload>();
  /** Oldest first. */
  readonly #versions = new Map<string, Version[]>();

  constructor(locks: boolean) {
    this.locks = locks;
    this.versioning = locks ? "Enabled" : undefined;
  }

  add(version: Omit<Version, "id">): Version {
    const versioned = this.versioning === "Enabled";
    const added = { ...version, id: versioned ? randomBytes(24).toString("base64url") : "null" };
    const kept = this.versions(version.key).filter(({ id }) => id !== added.id);
    this.#versions.set(version.key, [...kept, added]);
    return added;
  }

  remove({ key, id }: Version): void {
    const kept = this.versions(key).filter((version) => version.id !== id);
    if (kept.length > 0) this.#versions.set(key, kept);
    else this.#versions.delete(key);
  }

  versions(key: string): readonly Version[] {
    return this.#versions.get(key) ?? [];
  }

  /** What a read without a version sees. Undefined if there is nothing or a delete marker. */
  current(key: string): Version | undefined {
    const newest = this.versions(key).at(-1);
    return newest?.marker ? undefined : newest;
  }

  /** The version that a request names with `versionId`, or the newest. */
  find({ key, query }: Pick<Request, "key" | "query">): Version {
    const id = query.get("versionId");
    if (id === null) {
      const newest = this.current(key);
      if (newest === undefined) throw new Refusal(404, "NoSuchKey");
      return newest;
    }
    const version = this.versions(key).find((each) => each.id === id);
    if (version === undefined) throw new Refusal(404, "NoSuchVersion");
    if (version.marker) throw new Refusal(405, "MethodNotAllowed");
    return version;
  }

  /** In the order of their UTF-8 bytes. */
  keys(prefix: string): string[] {
    const keys = [...this.#versions.keys()].filter((key) => key.startsWith(prefix));
    return keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }
}
