import assert from "node:assert/strict";
import { readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { program } from "../cli/program.ts";
import { onTerminal, withoutTerminal } from "../cli/terminal.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { lockedBucket } from "../servers/s3.ts";
import { startStrictS3 } from "../servers/strict-s3.ts";

let sandbox: Sandbox;
before(async () => {
  sandbox = await startSandbox({ identities: 2, files: false });
});
after(() => sandbox.close());

const doctorOf = (place: Workplace) => onTerminal(["doctor", "--config", place.file], place.folder);
const failures = (lines: readonly string[]): string[] => lines.filter((line) => line.includes("FAILURE"));

describe("doctor", { skip: withoutTerminal }, () => {
  test("before init has one failure, which names init, and none that reads like a loss", async () => {
    await using place = await makeWorkplace(sandbox, { init: false });
    const { code, lines, text } = await doctorOf(place);
    assert.deepEqual([code, failures(lines).length], [1, 1], text);
    assert.match(failures(lines)[0]!, /vault +not initialized: there is no vault at /);
    assert.match(text, new RegExp(`→ Run \`holdfast init --client ${CLIENT}\``));
    assert.doesNotMatch(text, /restore|backup/i);
  });

  test("with init done misses a key that is gone, and says where it comes from", async () => {
    await using place = await makeWorkplace(sandbox);
    await rm(place.path("keys/log"));
    const { code, text } = await doctorOf(place);
    assert.equal(code, 1);
    assert.match(text, /FAILURE +secrets +file:\.\/keys\/log: there is no file/);
    assert.match(text, /restore the file from your backup/);
  });

  test("does not take a vault that was emptied for a new one", async () => {
    await using place = await makeWorkplace(sandbox);
    await rm(place.path("vault"), { recursive: true });
    const { lines, text } = await doctorOf(place);
    assert.match(failures(lines).join("\n"), /is empty, but this machine has seen a log there/, text);
    assert.doesNotMatch(text, /not initialized/);
  });
});

test("doctor before init leaves nothing behind, in a directory", async () => {
  await using place = await makeWorkplace(sandbox, { init: false });
  const before = (await readdir(place.folder, { recursive: true })).toSorted();
  for (let run = 0; run < 2; run += 1) {
    const { stdout } = await place.holdfast("doctor");
    assert.match(stdout, /not initialized/);
    assert.deepEqual((await readdir(place.folder, { recursive: true })).toSorted(), before);
  }
});

test("doctor before init does not ask for key files where the bucket cannot be asked, and leaves nothing behind", async (t) => {
  const s3 = await startStrictS3();
  t.after(() => s3.close());
  await using place = await onBucket("s3://no-such-bucket/acme", s3.endpoint);
  const before = (await readdir(place.folder, { recursive: true })).toSorted();
  const { stdout } = await place.holdfast("doctor", [], { env: KEYS });
  assert.match(stdout, /FAILURE .*no such bucket/);
  assert.doesNotMatch(stdout, /there is no file/);
  assert.deepEqual((await readdir(place.folder, { recursive: true })).toSorted(), before);
});

test("doctor says that it did not check the clock where the provider cannot be reached", async () => {
  await using place = await makeWorkplace({ url: "http://127.0.0.1:9/verification/v2", apiKey: "key" });
  const { stdout } = await place.holdfast("doctor");
  assert.match(stdout, /clock +not checked: the provider could not be reached/);
  assert.doesNotMatch(stdout, /does not send its time/);
});

test("a damaged lookup key of a vault that exists is restored from a backup, not made again", async () => {
  await using place = await makeWorkplace(sandbox);
  for (const key of ["ab", "ab".repeat(32)]) {
    await writeFile(place.path("keys/lookup"), key);
    for (const command of ["init", "export", "doctor"]) {
      const { stdout, stderr } = await place.holdfast(command);
      assert.match(stdout + stderr, /Restore the file that `holdfast init` made, from your backup; with any other key/);
      assert.doesNotMatch(stdout + stderr, /openssl rand/);
    }
  }
});

const KEYS = { AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "x" };
const onBucket = async (url: string, endpoint: string) =>
  makeWorkplace(sandbox, {
    init: false,
    client: { vault: { url, endpoint, region: "us-east-1", forcePathStyle: true } },
  });

test("doctor and init say the same of conditional writes, whatever the store does with them", async (t) => {
  for (const conditionals of ["honoured", "ignored", "refused", "create-only"] as const) {
    const s3 = await startStrictS3({ conditionals });
    t.after(() => s3.close());
    await using place = await onBucket(`s3://${await lockedBucket(s3.endpoint)}/acme`, s3.endpoint);
    const doctor = await place.holdfast("doctor", ["--json"], { env: KEYS });
    const { clients } = doctor.json as { clients: { findings: { text: string }[] }[] };
    const said = clients[0]!.findings.map(({ text }) => text).filter((text) => /\(If-(None-)?Match\)/.test(text));
    const init = await place.holdfast("init", ["--json"], { env: KEYS });
    assert.equal(init.code, 0, init.stderr);
    const [{ store }] = (init.json as { clients: [{ store: { ifNoneMatch: boolean; ifMatch: boolean } }] }).clients;
    assert.deepEqual(
      said.map((text) => !/(not|no longer) supported/.test(text)),
      [store.ifNoneMatch, store.ifMatch],
      `${conditionals}: ${said}`,
    );
    const { stdout, stderr } = await place.holdfast("init", [], { env: KEYS });
    assert.equal(
      /Holdfast checks before each write instead: one more request/.test(stdout + stderr),
      !(store.ifNoneMatch && store.ifMatch),
      stdout,
    );
  }
});

test("without S3 credentials every command says what is missing, and where it looked", async (t) => {
  const s3 = await startStrictS3();
  t.after(() => s3.close());
  await using place = await onBucket("s3://acme-kyc/holdfast", s3.endpoint);
  const env = {
    ...{ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_PROFILE: undefined },
    ...{ HOME: place.path("nowhere"), AWS_EC2_METADATA_DISABLED: "true" },
  };
  for (const command of ["init", "export", "verify"]) {
    const { code, log } = await place.holdfast(command, [], { env });
    assert.equal(code, 1);
    assert.equal(
      log.at(-1)!.error,
      "no S3 credentials found; looked at: environment, shared profile, container and instance role",
    );
  }
  const doctor = await program(["doctor", "--config", place.file], { env });
  const none = doctor.stdout.split("\n").filter((line) => /no S3 credentials found/.test(line));
  assert.deepEqual([doctor.code, none.length], [1, 1], doctor.stdout);
});

test("a store that is down is named at once, with its address and the reason", async () => {
  const closed = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => closed.once("listening", resolve));
  const { port } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  const endpoint = `http://127.0.0.1:${port}`;
  await using place = await onBucket("s3://acme-kyc/holdfast", endpoint);
  const error = `cannot reach the S3 endpoint ${endpoint} (ECONNREFUSED)`;
  for (const command of ["init", "export"]) {
    const running = place.start(command, [], { env: KEYS });
    const told = await running.logged(({ level }) => level === "warn");
    assert.deepEqual([told.client, told.error], [CLIENT, error]);
    running.kill("SIGTERM");
    assert.equal((await running.ended).code, 130);
  }
  const doctor = await place.holdfast("doctor", [], { env: KEYS });
  assert.equal(doctor.stdout.split("\n").filter((line) => line.includes(error)).length, 1, doctor.stdout);
});
