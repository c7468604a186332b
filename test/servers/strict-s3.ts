import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { type Answer, errorAnswer } from "./strict-s3/answer.ts";
import { type Fault, Faults, send } from "./strict-s3/fault.ts";
import { listObjects, listVersions } from "./strict-s3/list.ts";
import { abortUpload, completeUpload, createUpload, listUploads, uploadPart } from "./strict-s3/multipart.ts";
import * as object from "./strict-s3/object.ts";
import type { Operation } from "./strict-s3/operation.ts";
import { Refusal } from "./strict-s3/refusal.ts";
import { admit, type Request, type Target, targetOf } from "./strict-s3/request.ts";
import * as settings from "./strict-s3/settings.ts";
import * as store from "./strict-s3/store.ts";

/** A request as received. */
export type Seen = Target & {
  readonly headers: IncomingHttpHeaders;
  readonly size: number;
  /** Its body, if it is an XML document. */
  readonly xml: string;
};

/**
 * Whether a policy grants a request.
 * @param within the read whose answer would contain the lock and hold that `request` asks for
 */
export type Rights = (request: Seen, within?: Operation) => boolean;

export interface StrictS3 {
  readonly endpoint: string;
  /** Number of requests of each operation, including failed ones. */
  readonly requests: Partial<Record<Operation, number>>;
  /** All requests, in the order in which they were complete. */
  readonly seen: readonly Seen[];
  /** Forgets the requests so far. */
  forget(): void;
  /** From now on all clients have these rights. A request that is not granted gets 403 before anything else. */
  grant(rights: Rights): void;
  /** Replaces the faults. [] removes them. */
  setFaults(faults: readonly Fault[]): void;
  /** Calls `handler` with each request before reading its body. If it returns true, it answers the request itself. */
  intercept(handler: (request: IncomingMessage, response: ServerResponse) => boolean): void;
  close(): Promise<void>;
}

/** What each operation does. */
export const OPERATIONS: Readonly<Record<Operation, (all: store.Store, request: Request) => Answer>> = {
  CreateBucket: store.createBucket,
  HeadBucket: store.headBucket,
  GetBucketVersioning: store.getVersioning,
  PutBucketVersioning: store.putVersioning,
  GetObjectLockConfiguration: store.getLockConfiguration,
  GetBucketEncryption: settings.getEncryption,
  GetPublicAccessBlock: settings.getPublicAccessBlock,
  GetBucketPolicyStatus: settings.getPolicyStatus,
  GetBucketLifecycleConfiguration: settings.getLifecycle,
  ListObjectsV2: listObjects,
  ListObjectVersions: listVersions,
  ListMultipartUploads: listUploads,
  PutObject: object.putObject,
  GetObject: object.getObject,
  HeadObject: object.getObject,
  DeleteObject: object.deleteObject,
  PutObjectRetention: object.putRetention,
  GetObjectRetention: object.getRetention,
  PutObjectLegalHold: object.putLegalHold,
  GetObjectLegalHold: object.getLegalHold,
  CreateMultipartUpload: createUpload,
  UploadPart: uploadPart,
  CompleteMultipartUpload: completeUpload,
  AbortMultipartUpload: abortUpload,
};

/**
 * An S3 server in memory, on loopback, for path-style requests. It is as strict as AWS's documentation where the real
 * servers available to tests are lax (checksums, conditional writes, what a lock forbids), and lax on demand where some
 * servers are.
 */
export async function startStrictS3(options: store.StrictOptions = {}): Promise<StrictS3> {
  const all = new store.Store(options);
  const faults = new Faults();
  const requests: Partial<Record<Operation, number>> = {};
  const seen: Seen[] = [];
  let granted: Rights = () => true;
  let interceptor: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (interceptor(incoming, response)) return;
    // If a client disconnects while sending its body, there is no request.
    const body = await buffer(incoming).catch(() => null);
    if (body === null) return;
    const headOnly = incoming.method === "HEAD";
    try {
      const target = targetOf(incoming);
      requests[target.operation] = (requests[target.operation] ?? 0) + 1;
      const asked = { ...target, headers: incoming.headers, size: body.length, xml: xmlOf(body) };
      seen.push(asked);
      const failure = faults.take(target.operation);
      if (failure === "reset") {
        response.socket?.resetAndDestroy();
      } else if (typeof failure === "object") {
        const refused = errorAnswer(new Refusal(failure.status, failure.code));
        send(response, { ...refused, headers: { ...refused.headers, ...failure.headers } }, undefined, headOnly);
      } else {
        admit(incoming, body);
        if (!granted(asked)) throw new Refusal(403, "AccessDenied");
        const answered = OPERATIONS[target.operation](all, { ...target, headers: incoming.headers, body });
        const answer = withoutSecrets(answered, asked, granted);
        send(response, answer, failure, headOnly);
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const last = seen.at(-1)!;
      // A client without the right to list does not learn that a key is missing.
      const untold = error.code === "NoSuchKey" && !granted({ ...last, operation: "ListObjectsV2" }, last.operation);
      send(response, errorAnswer(untold ? new Refusal(403, "AccessDenied") : error), undefined, headOnly);
    }
  };

  const server = createServer((incoming, response) => void serve(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    seen,
    forget: () => {
      seen.length = 0;
      for (const name of Object.keys(requests) as Operation[]) delete requests[name];
    },
    grant: (rights) => {
      granted = rights;
    },
    setFaults: (next) => faults.set(next),
    intercept: (handler) => {
      interceptor = handler;
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function xmlOf(body: Buffer): string {
  return body.length < 4096 && body.toString("latin1", 0, 1) === "<" ? String(body) : "";
}

/** The answer to a read contains lock and hold only for clients that may read those. */
function withoutSecrets(answer: Answer, asked: Seen, granted: Rights): Answer {
  if (asked.operation !== "HeadObject" && asked.operation !== "GetObject") return answer;
  const hidden = (["GetObjectRetention", "GetObjectLegalHold"] as const).filter(
    (operation) => !granted({ ...asked, operation }, asked.operation),
  );
  const lock = hidden.includes("GetObjectRetention") ? ["mode", "retain-until-date"] : [];
  const hold = hidden.includes("GetObjectLegalHold") ? ["legal-hold"] : [];
  const names = [...lock, ...hold].map((name) => `x-amz-object-lock-${name}`);
  const headers = Object.entries(answer.headers ?? {}).filter(([name]) => !names.includes(name));
  return { ...answer, headers: Object.fromEntries(headers) };
}
