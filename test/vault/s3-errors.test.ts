import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ErrorCode, HoldfastError } from "../../src/core/error.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { collect, produce, text } from "./body.ts";
import { code } from "./refusal.ts";
import { type StrictVault, strictVault } from "./strict-vault.ts";

const KEY = "records/aa/a.age";
const lock = { mode: "governance", until: Temporal.Instant.from("2099-01-01T00:00:00Z") } as const;

const CODES: readonly (readonly [status: number, name: string, code: ErrorCode])[] = [
  [500, "InternalError", "vault-unavailable"],
  [502, "BadGateway", "vault-unavailable"],
  [503, "SlowDown", "vault-unavailable"],
  [504, "GatewayTimeout", "vault-unavailable"],
  [429, "TooManyRequests", "vault-unavailable"],
  [400, "RequestTimeout", "vault-unavailable"],
  [409, "ConditionalRequestConflict", "vault-unavailable"],
  [409, "OperationAborted", "vault-unavailable"],
  [403, "AccessDenied", "vault-denied"],
  [400, "ExpiredToken", "vault-denied"],
  [400, "InvalidToken", "vault-denied"],
  [403, "InvalidAccessKeyId", "vault-denied"],
  [403, "SignatureDoesNotMatch", "vault-denied"],
  [403, "RequestTimeTooSkewed", "vault-denied"],
  [404, "NoSuchKey", "vault-missing"],
  [404, "NoSuchVersion", "vault-missing"],
  [404, "NoSuchBucket", "vault-missing"],
  [412, "PreconditionFailed", "vault-conflict"],
  [400, "BadDigest", "vault-unavailable"],
  [400, "IncompleteBody", "vault-unavailable"],
  [409, "InvalidBucketState", "vault-rejected"],
  [400, "InvalidArgument", "vault-rejected"],
  [400, "AuthorizationHeaderMalformed", "vault-rejected"],
  [301, "PermanentRedirect", "vault-rejected"],
  [405, "MethodNotAllowed", "vault-rejected"],
  [501, "NotImplemented", "vault-rejected"],
];

/** Every operation of a vault that sends a request to the store. */
function operations(vault: Vault, versionId: string): Record<string, () => Promise<unknown>> {
  return {
    put: () => vault.put(KEY, text("one")),
    "put a short stream": () => vault.put(KEY, produce(10)),
    "put a long stream": () => vault.put(KEY, produce(10_000_000)),
    read: () => vault.read(KEY, 10),
    stream: () => vault.stream(KEY),
    head: () => vault.head(KEY),
    list: () => Array.fromAsync(vault.list("")),
    versions: () => Array.fromAsync(vault.versions("")),
    lock: () => vault.lock(KEY, versionId, lock),
    deleteVersion: () => vault.deleteVersion(KEY, versionId),
  };
}

describe("how S3's answers map to error codes", () => {
  let strict: StrictVault;
  let versionId: string;
  before(async () => {
    strict = await strictVault({}, 2000);
    ({ versionId } = await strict.vault.put(KEY, text("one")));
  });
  after(() => strict[Symbol.asyncDispose]());

  for (const [status, name, expected] of CODES) {
    test(`${status} ${name} is ${expected}`, async () => {
      strict.server.setFaults([{ fails: { status, code: name } }]);
      for (const [what, ask] of Object.entries(operations(strict.vault, versionId))) {
        // The answer to a HEAD has no body: only the status tells the error.
        if (what === "head" && (status === 400 || name === "InvalidBucketState")) continue;
        const refusedByLock = name === "AccessDenied" && (what === "lock" || what === "deleteVersion");
        await assert.rejects(ask, code(refusedByLock ? "vault-locked" : expected), what);
      }
    });
  }

  test("Retry-After is given in milliseconds", async () => {
    for (const [status, name] of [
      [503, "SlowDown"],
      [429, "TooManyRequests"],
    ] as const) {
      strict.server.setFaults([{ fails: { status, code: name, headers: { "retry-after": "7" } } }]);
      await assert.rejects(strict.vault.head(KEY), (error) => {
        assert.ok(error instanceof HoldfastError);
        assert.deepEqual([error.code, error.retryAfter], ["vault-unavailable", 7000]);
        return true;
      });
    }
  });

  test("an error in the body of a 200 is an error", async () => {
    strict.server.setFaults([{ operation: "CompleteMultipartUpload", fails: { status: 200, code: "InternalError" } }]);
    await assert.rejects(strict.vault.put(KEY, produce(10_000_000)), code("vault-unavailable"));
  });

  test("a gateway's error page is not an answer", async () => {
    strict.server.setFaults([]);
    strict.server.intercept((request, response) => {
      request.resume();
      response.writeHead(502, { "content-type": "text/html" }).end("<html><body><h1>502</h1><p>bad<br></body></html>");
      return true;
    });
    for (const ask of Object.values(operations(strict.vault, versionId))) {
      await assert.rejects(ask, code("vault-unavailable"));
    }
    strict.server.intercept(() => false);
  });

  test("the message contains nothing that the store sent", async () => {
    strict.server.intercept((request, response) => {
      request.resume();
      response.writeHead(400).end("<Error><Code>InvalidArgument</Code><Message>canary</Message></Error>");
      return true;
    });
    await assert.rejects(strict.vault.put(KEY, text("one")), (error) => {
      assert.ok(error instanceof HoldfastError);
      assert.doesNotMatch(`${error.message} ${error.hint}`, /canary/);
      return true;
    });
    strict.server.intercept(() => false);
    assert.equal(String(await collect(await strict.vault.stream(KEY))), "one");
  });
});
