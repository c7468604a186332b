import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, filePath } from "./ask.ts";
import { startSandbox } from "./server.ts";

async function refusal(response: Response): Promise<[number, string]> {
  assert.equal(response.headers.get("content-type"), "application/json");
  const { error } = (await response.json()) as { error: { code: number; message: string } };
  assert.equal(error.code, response.status);
  return [response.status, error.message];
}

test("a wrong key is refused everywhere, before anything is looked up", async () => {
  await using sandbox = await startSandbox({ rate: 1 });
  for (const path of ["/settings", "/identities", "/identities/none", filePath(sandbox, 0)]) {
    assert.deepEqual(await refusal(await ask(sandbox, path, "wrong")), [401, "invalid API key"]);
  }
  assert.equal((await fetch(`${sandbox.url}/settings`)).status, 401);
});

test("an unknown path or id gets 404, even when it looks like an id", async () => {
  await using sandbox = await startSandbox();
  await using larger = await startSandbox({ identities: 21 });
  const [known] = sandbox.ids();
  const resource = sandbox.resources(0)[0]!.id;
  for (const path of [
    "/nothing",
    `/identities/${larger.ids()[20]}`,
    `/identities/${known!.slice(0, -1)}${known!.endsWith("0") ? "1" : "0"}`,
    `/identity/${known}`,
    `/identity/${known}/resources/${known}`,
    `/identity/${known}/resources/${resource}/resource_files/${resource}`,
    filePath(sandbox, 0).replace(known!, sandbox.ids()[1]!),
  ]) {
    assert.deepEqual(await refusal(await ask(sandbox, path)), [404, "not found"], path);
  }
});

test("an invalid cursor or limit gets 400, another method 405", async () => {
  await using sandbox = await startSandbox();
  assert.equal((await refusal(await ask(sandbox, "/identities?cursor=x")))[0], 400);
  assert.equal((await refusal(await ask(sandbox, "/identities?limit=-1")))[0], 400);
  const response = await fetch(`${sandbox.url}/settings`, { method: "POST", headers: { "X-API-KEY": sandbox.apiKey } });
  assert.equal(response.status, 405);
});

test("withheld files get 403, the same ones each time, about as many as requested", async () => {
  await using sandbox = await startSandbox({ identities: 300, withhold: 30, plainImages: true });
  const withheld = async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 300; i++) {
      if (sandbox.resources(i).length > 0) statuses.push((await ask(sandbox, filePath(sandbox, i))).status);
    }
    return statuses;
  };
  const once = await withheld();
  const share = once.filter((status) => status === 403).length / once.length;
  assert.ok(share > 0.2 && share < 0.4, `${share}`);
  assert.deepEqual(await withheld(), once);
});

test("beyond the rate it answers 429 and says how long to wait", async () => {
  await using sandbox = await startSandbox({ rate: 0.01 });
  assert.equal((await ask(sandbox, "/settings")).status, 200);
  const response = await ask(sandbox, "/settings");
  assert.equal(response.status, 429);
  const wait = Number(response.headers.get("retry-after"));
  assert.ok(wait > 90 && wait <= 100, `${wait}`);
  sandbox.setFaults({ rate: undefined });
  assert.equal((await ask(sandbox, "/settings")).status, 200);
  assert.equal(sandbox.requests.of("settings", 429), 1);
});

test("random failures are of every kind, as frequent as requested, and repeat with the seed", async () => {
  const outcomes = async (seed: number) => {
    await using sandbox = await startSandbox({ seed, fail: 40, retryAfter: 0 });
    const seen: string[] = [];
    for (let i = 0; i < 120; i++) {
      seen.push(
        await ask(sandbox, "/settings").then(
          ({ status, headers }) => `${status} ${headers.get("retry-after")}`,
          () => "reset",
        ),
      );
    }
    assert.equal(sandbox.requests.of("settings", "reset"), seen.filter((outcome) => outcome === "reset").length);
    return seen;
  };
  const seen = await outcomes(1);
  for (const kind of ["200 null", "500 null", "503 0", "503 null", "429 0", "reset"])
    assert.ok(seen.includes(kind), kind);
  const failed = seen.filter((outcome) => !outcome.startsWith("200")).length;
  assert.ok(failed > 30 && failed < 66, `${failed}`);
  assert.deepEqual(await outcomes(1), seen);
});

test("a truncated file is shorter than its Content-Length", async () => {
  await using sandbox = await startSandbox({ truncate: 100, videoBytes: 400_000 });
  for (const type of ["document_image", "face_video"]) {
    const response = await ask(sandbox, filePath(sandbox, 0, type));
    assert.equal(response.status, 200);
    assert.ok(Number(response.headers.get("content-length")) > 20_000);
    await assert.rejects(response.arrayBuffer());
  }
});

test("a hook can answer instead of the sandbox", async () => {
  await using sandbox = await startSandbox();
  sandbox.intercept((request, response) => {
    if (!request.url?.endsWith("/settings")) return false;
    response.writeHead(418).end();
    return true;
  });
  assert.equal((await ask(sandbox, "/settings")).status, 418);
  assert.equal((await ask(sandbox, "/identities")).status, 200);
  sandbox.intercept(undefined);
  assert.equal((await ask(sandbox, "/settings")).status, 200);
});
