import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { ask } from "./ask.ts";
import { startVeriff, type Veriff } from "./server.ts";
import { signatureOf } from "./signature.ts";

const ID = "11111111-1111-4111-8111-111111111111";

/** Computed apart from this code, with `openssl dgst -sha256 -hmac sandbox-secret`. */
const VECTORS = {
  [ID]: "3af34cad923027d3ae0944813e1b251ff07e4843835f55da9244f0911846fea6",
  [`{"id":"${ID}","code":7002,"action":"submitted"}`]:
    "84040c3e57669836e64c26b8233ccb969f3575e1339cbdb1f55e2fde1c1afc06",
};

test("signatures are those of the vectors", () => {
  for (const [message, signature] of Object.entries(VECTORS))
    assert.equal(signatureOf("sandbox-secret", message), signature);
});

const codeOf = async (response: Response) => [response.status, ((await response.json()) as { code: string }).code];

test("a request needs the integration's key, and its secret's signature over the bare id of the path", async () => {
  await using sandbox = await startVeriff({ apiKey: "sandbox-secret" });
  const id = sandbox.id(0);
  const path = `/sessions/${id}/decision`;
  assert.equal((await ask(sandbox, path)).status, 200);
  const signature = signatureOf(sandbox.apiKey, id).toUpperCase();
  assert.equal((await ask(sandbox, path, id, { "X-HMAC-SIGNATURE": signature })).status, 200);
  for (const signed of [`/v1${path}`, path, "", sandbox.id(1), `${id}/decision`, sandbox.attemptIds(0)[0]!])
    assert.deepEqual(await codeOf(await ask(sandbox, path, signed)), [401, "1103"], signed);
  assert.deepEqual(await codeOf(await ask(sandbox, path, id, { "X-AUTH-CLIENT": "another" })), [401, "1102"]);
  assert.deepEqual(await codeOf(await fetch(sandbox.url + path)), [401, "1101"]);
  const unsigned = await fetch(sandbox.url + path, { headers: { "X-AUTH-CLIENT": sandbox.integrationKey } });
  assert.deepEqual(await codeOf(unsigned), [401, "1103"]);
});

test("an attempt's media are signed by the attempt's id, and bytes by the medium's, or by the session's if that is set", async () => {
  for (const mediaSignedBy of ["media", "session"] as const) {
    await using sandbox = await startVeriff({ plainImages: true, mediaSignedBy });
    const index = await withFiles(sandbox);
    const [attempt] = sandbox.attemptIds(index);
    assert.equal((await ask(sandbox, `/attempts/${attempt}/media`)).status, 200);
    assert.equal((await ask(sandbox, `/attempts/${attempt}/media`, sandbox.id(index))).status, 401);
    const [file] = await sandbox.files(index);
    const statuses = [file!.id, sandbox.id(index)].map(
      async (by) => (await ask(sandbox, `/media/${file!.id}`, by)).status,
    );
    assert.deepEqual(await Promise.all(statuses), mediaSignedBy === "media" ? [200, 401] : [401, 200]);
  }
});

test("every answer is signed over its bytes, under either name or both", async () => {
  for (const signs of ["x", "vrf", "both", "none"] as const) {
    await using sandbox = await startVeriff({ plainImages: true, signs, videoBytes: 300_000 });
    const index = await withFiles(sandbox);
    const id = sandbox.id(index);
    const files = await sandbox.files(index);
    for (const path of [
      `/sessions/${id}/decision`,
      `/sessions/${id}/media`,
      ...files.map((file) => `/media/${file.id}`),
    ]) {
      const response = await ask(sandbox, path);
      const hmac = createHmac("sha256", sandbox.apiKey).update(Buffer.from(await response.arrayBuffer()));
      const made = hmac.digest("hex");
      const [x, vrf] = [response.headers.get("x-hmac-signature"), response.headers.get("vrf-hmac-signature")];
      assert.deepEqual(
        [x, vrf],
        [signs === "x" || signs === "both" ? made : null, signs === "vrf" || signs === "both" ? made : null],
      );
    }
  }
});

async function withFiles(sandbox: Veriff): Promise<number> {
  for (const index of sandbox.ids().keys()) if ((await sandbox.files(index)).length > 0) return index;
  return assert.fail("no session has media");
}
