import assert from "node:assert/strict";
import { execSync } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { doctor } from "../../jobs/doctor.ts";
import { systemClock } from "../../src/core/clock.ts";
import { checkRedis } from "../../src/doctor/redis.ts";
import { checkPrivate, checkState } from "../../src/doctor/state.ts";
import { redisAddress } from "../../src/workers/address.ts";
import { fillUp } from "../faults/disk.ts";
import { makePlace } from "../faults/place.ts";
import { workOnDisk } from "../memory.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { RedisServer, withoutRedis } from "../servers/redis.ts";
import { assertLines, diagnosed, lines } from "./diagnosed.ts";

workOnDisk();

describe("doctor on this machine and at the provider", () => {
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await startSandbox({ identities: 3, plainImages: true });
  });
  after(() => sandbox.close());

  /** What every place here has: a sandbox for a provider, a directory for a vault. */
  const ALWAYS = [/source: .*sandbox/, /vault: a directory's locks bind only Holdfast/];
  const worse = async (place: Awaited<ReturnType<typeof makePlace>>, changes = {}) =>
    lines(await diagnosed(place, changes), "warning", "failure").filter((line) => !/lies on overlayfs/.test(line));

  test("all is well", async () => {
    await using place = await makePlace(sandbox);
    assertLines(await worse(place), ...ALWAYS);
    assert.deepEqual(
      (await readdir(place.work.path("state"), { recursive: true })).filter((name) => /doctor/.test(name)),
      [],
    );
  });

  test("before init there is no vault, and there are no keys: one failure for all of it", async () => {
    await using place = await makePlace(sandbox);
    await rm(place.work.path("vault"), { recursive: true });
    await rm(place.work.path("state"), { recursive: true });
    for (const key of ["lookup", "log"]) await rm(place.work.path("keys", key));
    assertLines(await worse(place), ...ALWAYS, /vault: not initialized/);
  });

  test("secrets that others can read, that are missing, empty or no key", async () => {
    await using place = await makePlace(sandbox);
    await chmod(place.work.path("keys/provider"), 0o644);
    await writeFile(place.work.path("keys/lookup"), "canary-no-key");
    await rm(place.work.path("keys/log"));
    assertLines(
      await worse(place),
      ...ALWAYS,
      /secrets: file:\.\/keys\/provider: others on this machine can use this file \(mode 0644\)/,
      /secrets: file:\.\/keys\/log: there is no file/,
      /keys: the lookup key is not 64 hexadecimal digits/,
    );
  });

  test("keys in files that are named like logs, until they are renamed as doctor says", async () => {
    await using place = await makePlace(sandbox);
    const keys = place.work.path("keys");
    await rename(join(keys, "log"), join(keys, "acme-bank.log"));
    await copyFile(join(keys, "acme-bank.log"), join(keys, "acme-bank-2026.LOG"));
    const named = async (key: string, previousKey?: string) =>
      place.work.configure({
        log: { key: `file:./keys/${key}`, previousKey: previousKey && `file:./keys/${previousKey}` },
      });
    await named("acme-bank.log", "acme-bank-2026.LOG");
    const found = await diagnosed(place);
    assertLines(
      lines(found, "warning", "failure").filter((line) => /\*\.log/.test(line)),
      /secrets: file:\.\/keys\/acme-bank\.log: this key is in a file named \*\.log/,
      /secrets: file:\.\/keys\/acme-bank-2026\.LOG: this key is in a file named \*\.log/,
    );
    const [hint] = found.flatMap(({ text, hint }) => (/bank\.log: this key/.test(text) ? [hint!] : []));
    const [, command] = /\((mv .*)\)/.exec(hint!)!;
    execSync(command!);
    assert.match(hint!, /set log\.key to file:\.\/keys\/acme-bank\.log-key/);
    await named("acme-bank.log-key");
    assertLines(await worse(place), ...ALWAYS);
  });

  test("keys of another vault, and recipients that are not the vault's", async () => {
    await using place = await makePlace(sandbox);
    await using other = await makePlace(sandbox);
    const { officer, escrow } = place.work;
    await place.work.configure({
      ...{
        lookups: { key: `file:${other.work.path("keys/lookup")}` },
        log: { key: `file:${other.work.path("keys/log")}` },
      },
      recipients: [other.work.officer.recipient],
    });
    assertLines(
      await worse(place),
      ...ALWAYS,
      /keys: one recipient only/,
      /keys: recipients differ from the vault's: 1 added, 2 removed/,
      /keys: .* is not the log key of this vault/,
      /keys: .* is not the lookup key of this vault/,
    );
    await place.work.configure({
      recipients: [officer.recipient, escrow.recipient],
      log: { origin: "other.example/log" },
    });
    const said = (await worse(place)).join("\n");
    assert.match(said, /vault: .* belongs to another client or another log/);
    assert.match(said, /keys: .* is the key of a different log, not of other\.example\/log/);
  });

  test("the provider: a key refused, rights missing, no one listed, no one there", async () => {
    await using place = await makePlace(sandbox);
    const others = ALWAYS.slice(1);
    await writeFile(place.work.path("keys/provider"), "canary-wrong-key");
    assertLines(await worse(place), ...others, /source: GET \/settings: the provider answered 401/);
    await writeFile(place.work.path("keys/provider"), sandbox.apiKey);
    sandbox.setFaults({ withhold: 100 });
    assertLines(await worse(place), ...ALWAYS, /source: cannot fetch files: every record will lack its images/);
    await place.work.configure({ collect: "minimal", legalBasis: [] });
    assertLines(await worse(place), ...ALWAYS);
    await place.work.configure({ collect: "full", legalBasis: ["a law"] });
    sandbox.setFaults({ withhold: 0 });
    sandbox.intercept((request, response) => {
      if (!request.url!.endsWith("/settings")) return false;
      response.writeHead(403).end(sandbox.text(0));
      return true;
    });
    assertLines(await worse(place), ...others, /source: GET \/settings: the provider answered 403/);
    sandbox.intercept((request, response) => {
      if (!request.url!.includes("/identities?")) return false;
      response.writeHead(200, { "Content-Type": "application/json" }).end('{"cursor":{"next":null},"data":[]}');
      return true;
    });
    assertLines(await worse(place), ...ALWAYS, /source: the provider lists no identities/);
    sandbox.intercept(undefined);
    await place.work.configure({ source: { url: "http://127.0.0.1:9" } });
    assertLines(
      await worse(place),
      ...others,
      /clock: not checked: the provider could not be reached/,
      /source: GET \/settings: the connection to http:\/\/127\.0\.0\.1:9 failed/,
    );
  });

  test("a config that others can change", async () => {
    await using place = await makePlace(sandbox);
    await chmod(place.work.file, 0o664);
    const { machine } = await doctor(await place.session(), place.work.file);
    assert.match(
      lines(machine, "warning").join("\n"),
      /config: .* can be changed by other users of this machine \(mode 0664\)/,
    );
    await chmod(place.work.file, 0o644);
    const again = await doctor(await place.session(), place.work.file);
    assert.match(lines(again.machine, "ok").join("\n"), /config: .* is valid: 1 client/);
  });

  test("this machine's clock, against the provider's", async () => {
    await using place = await makePlace(sandbox);
    for (const [minutes, expected] of [
      [-10, /clock: 6\d\d s behind the provider|clock: 59\d s behind the provider/],
      [1, /clock: (59|6\d) s ahead of the provider/],
    ] as const) {
      const now = () => systemClock().add({ minutes });
      const found = await diagnosed(place, { now });
      assert.match(lines(found, minutes === 1 ? "warning" : "failure").join("\n"), expected);
    }
  });

  test("the state's disk: full, nearly full, read-only, in memory, on a network", async () => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-state-"));
    const disk =
      (bavail: number, type = 0xef53) =>
      async () => ({ type, bsize: 4096, bavail });
    const roomy = disk(10 ** 6);
    const of = async (statfs = roomy, at = folder) => lines(await checkState(at, statfs), "warning", "failure");
    assertLines(await of());
    assertLines(await of(disk(2 ** 14)), /67\.1 MB free$/);
    assertLines(await of(disk(2 ** 14 - 1)), /67\.1 MB free, too little for a run/);
    assertLines(await of(disk(2 ** 18)));
    assertLines(await of(disk(2 ** 18 - 1)), /1\.07 GB free$/);
    assertLines(await of(disk(10 ** 6, 0x6969)), /network file system \(NFS\)/);
    assertLines(await of(disk(10 ** 6, 0x01021994)), /tmpfs, which is memory/);
    assertLines(await of(roomy, join(folder, "not", "there")));
    {
      using _full = fillUp(/\.doctor-/);
      assertLines(await of(), /is not writable \(ENOSPC\)/);
    }
    await writeFile(join(folder, "file"), "");
    assertLines(await of(roomy, "/proc/self"), /is not writable/);
    assert.deepEqual(await readdir(folder), ["file"]);
    await rm(folder, { recursive: true });
  });

  test("a state folder that others can read, and a link that leads nowhere", async () => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-state-"));
    const state = join(folder, "state");
    await mkdir(state, { mode: 0o700 });
    assertLines(lines([...(await checkState(state)), ...(await checkPrivate(state))], "failure"));
    assert.deepEqual([await checkPrivate(state), await checkPrivate(join(state, "none"))], [[], []]);
    for (const mode of [0o750, 0o705]) {
      await chmod(state, mode);
      assertLines(lines(await checkPrivate(state), "warning"), /other users/);
    }
    await rm(state, { recursive: true });
    await symlink("state", state);
    assertLines(lines(await checkState(state), "failure"), /the symbolic link .* leads nowhere \(E(NOENT|LOOP)\)/);
    await rm(state);
    await symlink("/not/mounted", state);
    for (const path of [state, join(state, "acme-bank")])
      assertLines(lines(await checkState(path), "failure"), /the symbolic link .* leads nowhere \(E(NOENT|LOOP)\)/);
    await rm(folder, { recursive: true });
  });

  test("Redis: reachable, evicting keys, unreachable", { skip: withoutRedis }, async () => {
    await using redis = await RedisServer.start(false);
    const address = await redisAddress(redis.url, process.cwd());
    const found = await checkRedis(address);
    assertLines(lines(found, "ok"), /redis: answers, version \d/);
    assertLines(lines(found, "warning", "failure"));
    const { Redis } = await import("ioredis");
    const client = new Redis(redis.url);
    await client.config("SET", "maxmemory-policy", "allkeys-lru");
    client.disconnect();
    assertLines(lines(await checkRedis(address), "failure"), /evicts keys.*allkeys-lru/);
    await redis.kill();
    assertLines(lines(await checkRedis(address), "failure"), /cannot use Redis at 127\.0\.0\.1:\d+/);
  });
});
