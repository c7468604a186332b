import { Readable } from "node:stream";
import { PutObjectCommand, type PutObjectCommandInput, type S3Client } from "@aws-sdk/client-s3";

import type { BucketHeaders } from "./s3-headers.ts";

type Signer = Awaited<ReturnType<S3Client["config"]["signer"]>>;
type Request = Parameters<Signer["sign"]>[0];

/** What `headersOf` supports of a PUT. */
export type Put = Pick<
  PutObjectCommandInput,
  | "Bucket"
  | "ChecksumAlgorithm"
  | "ContentType"
  | "Metadata"
  | "IfNoneMatch"
  | "IfMatch"
  | "ObjectLockMode"
  | "ObjectLockRetainUntilDate"
> & { readonly Key: string; readonly ChecksumSHA256: string };

/** What is put, in pieces so that it need not be in memory twice. */
export interface PutContent {
  readonly pieces: readonly Uint8Array[];
  readonly size: number;
}

export interface PutAnswer {
  readonly VersionId?: string | undefined;
  readonly ETag?: string | undefined;
}

/** What we learn from one PUT by the SDK: where the bucket is and how requests are signed. */
interface Route {
  readonly origin: Pick<Request, "protocol" | "hostname" | "port" | "query">;
  /** Path of the bucket, with a trailing slash. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signer: Signer;
}

/** Keys that a URL needs no escaping for. */
const PLAIN_KEY = /^[\w.~/-]+$/;

/**
 * A fast path for PUTs of whole objects. The SDK takes 0.75 ms of CPU for one, of which 0.55 ms recompute what is the
 * same for all (measured; sealing a 4 KB record takes 0.3 ms). The first PUT goes through the SDK, which finds endpoint
 * and credentials. Later ones use the SDK's signer and its connections. Any answer other than success goes back to the
 * SDK, which reads it as its own, and the next PUT goes through the SDK again: what the SDK learns from a refusal (a
 * region, the clock) then applies to later PUTs.
 */
export class Puts {
  readonly #client: S3Client;
  readonly #headers: BucketHeaders;
  #route: Route | undefined;

  constructor(client: S3Client, headers: BucketHeaders) {
    this.#client = client;
    this.#headers = headers;
  }

  async send(put: Put, content: PutContent): Promise<PutAnswer> {
    const route = this.#route;
    if (!route || !PLAIN_KEY.test(put.Key)) return this.#throughSdk(commandOf(put, content));
    const { config } = this.#client;
    const request = await route.signer.sign(
      {
        ...route.origin,
        method: "PUT",
        path: route.base + put.Key,
        body: bodyOf(content),
        headers: { ...route.headers, ...headersOf(put, content), ...this.#headers.ofPut(content.pieces) },
      },
      { signingDate: new Date(Date.now() + config.systemClockOffset) },
    );
    const { response } = await config.requestHandler.handle(request);
    const { statusCode, headers } = response;
    if (statusCode === 200 && headers["content-length"] === "0") {
      // Nothing follows. Read to its end, the connection is free for the next request.
      (response.body as Readable).resume();
      return { VersionId: headers["x-amz-version-id"], ETag: headers.etag };
    }
    this.#route = undefined;
    return this.#client.send(answered(commandOf(put, content), response));
  }

  async #throughSdk(command: PutObjectCommand): Promise<PutAnswer> {
    const key = command.input.Key!;
    let route: (() => Promise<Route | undefined>) | undefined;
    command.middlewareStack.add(
      (next, context) => (args) => {
        route = () => this.#routeOf(args.request as Request, key, context as Context);
        return next(args);
      },
      { step: "finalizeRequest", priority: "low", name: "route" },
    );
    const output = await this.#client.send(command);
    this.#route = await route?.();
    return output;
  }

  /** Undefined unless the result certainly applies to all keys. */
  async #routeOf(sent: Request, key: string, { endpointV2 }: Context): Promise<Route | undefined> {
    const [scheme] = endpointV2?.properties?.authSchemes ?? [];
    if (!PLAIN_KEY.test(key) || !sent.path.endsWith(`/${key}`) || (scheme && scheme.name !== "sigv4")) return undefined;
    const { protocol, hostname, port, query, headers } = sent;
    return {
      origin: { protocol, hostname, ...(port === undefined ? {} : { port }), query: query ?? {} },
      base: sent.path.slice(0, -key.length),
      headers: { host: headers.host!, "user-agent": headers["user-agent"]! },
      signer: await this.#client.config.signer(scheme),
    };
  }
}

type Scheme = NonNullable<Parameters<S3Client["config"]["signer"]>[0]>;
interface Context {
  readonly endpointV2?: { readonly properties?: { readonly authSchemes?: readonly Scheme[] } };
}

/** The SDK wants one piece: it may send it again. */
function commandOf(put: Put, { pieces, size }: PutContent): PutObjectCommand {
  return new PutObjectCommand({ ...put, Body: pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size) });
}

function bodyOf({ pieces }: PutContent): Uint8Array | Readable {
  return pieces.length === 1 ? pieces[0]! : Readable.from(pieces, { objectMode: false });
}

/** A command whose first attempt gets this response without being sent. Retries are sent. */
function answered(command: PutObjectCommand, response: unknown): PutObjectCommand {
  let isGiven = false;
  command.middlewareStack.add(
    (next) => async (args) => {
      if (isGiven) return next(args);
      isGiven = true;
      return { response } as never;
    },
    { step: "deserialize", priority: "low", name: "answered" },
  );
  return command;
}

/** The same headers as the SDK's. The body's SHA-256 is also the signed payload hash: see `signChecksums`. */
function headersOf(put: Put, { size }: PutContent): Record<string, string> {
  const headers: Record<string, string> = {
    "content-length": String(size),
    "x-amz-checksum-sha256": put.ChecksumSHA256,
    "x-amz-content-sha256": Buffer.from(put.ChecksumSHA256, "base64").toString("hex"),
  };
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined) headers[name] = value;
  };
  add("content-type", put.ContentType);
  // AWS requires it with the checksum of a locked object. Strict stores refuse requests without it.
  add("x-amz-sdk-checksum-algorithm", put.ChecksumAlgorithm);
  add("x-amz-object-lock-mode", put.ObjectLockMode);
  add("x-amz-object-lock-retain-until-date", put.ObjectLockRetainUntilDate?.toISOString().replace(".000Z", "Z"));
  add("if-none-match", put.IfNoneMatch);
  add("if-match", put.IfMatch);
  for (const [name, value] of Object.entries(put.Metadata ?? {})) add(`x-amz-meta-${name}`, value);
  return headers;
}
