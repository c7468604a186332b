import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { GetObjectCommand, ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { Decrypter } from "age-encryption";
import { stringify } from "yaml";
import { Tokens } from "../../src/record/tokens.ts";
import { readLastExport } from "../../src/state/last-export.ts";
import { LEASE } from "../../src/vault/layout.ts";
import type { LogLine, Running } from "../cli/program.ts";
import { CLIENT, makeWorkplace, type Workplace, type WorkplaceOptions } from "../export/workplace.ts";
import { startSumsub } from "../sandbox/sumsub/server.ts";
import { cephEndpoint, s3Client, withoutCeph } from "../servers/s3.ts";
import { eventOf, sign } from "./signing.ts";
import { filesIn, send } from "./stage.ts";

const SECRET = "sumsub-hook-5a5a";
const NEVER = "0 0 29 2 *";

/** A client of Sumsub, which lists no one, with a daemon that exports at once. */
async function begun({ vault = "directory" }: Pick<WorkplaceOptions, "vault"> = {}) {
  const sumsub = await startSumsub({ identities: 6, plainImages: true });
  const source = {
    ...{ kind: "sumsub", appToken: sumsub.appToken, aml: false, resync: "P100Y", rate: "1000/s" },
    webhook: { secrets: ["file:./keys/hook"] },
  };
  const place = await makeWorkplace(sumsub, { vault, client: { source, lookups: { fields: ["email"] } } });
  await writeFile(place.path("keys/hook"), SECRET, { mode: 0o600 });
  const settings = place.config as Workplace["config"] & { inbox?: object };
  settings.inbox = { listen: "127.0.0.1:0", export: "at-once" };
  settings.schedule = { cron: NEVER };
  settings.metrics = { listen: "127.0.0.1:0" };
  await place.configure();
  const start = (command = "export", args: string[] = command === "export" ? ["--schedule"] : []): Running =>
    place.start(command, args);
  return {
    ...{ sumsub, place, start, settings },
    async [Symbol.asyncDispose]() {
      await place[Symbol.asyncDispose]();
      await sumsub.close();
    },
  };
}

async function portOf(running: Running, what = /^webhooks at /): Promise<number> {
  const { msg } = await running.logged(({ msg }) => what.test(String(msg)));
  return Number(/:(\d+)/.exec(String(msg))![1]);
}

let events = 0;
async function deliver(port: number, id: string, client = CLIENT, secret = SECRET): Promise<number> {
  const signed = sign("sumsub-sha256", secret, eventOf("sumsub-sha256", id, `event-${++events}`), 0);
  return (await send(port, `/hooks/${client}/sumsub`, signed)).status;
}

const isEnd = ({ job, outcome }: LogLine): boolean => job === "inbox" && outcome !== undefined;

async function subjectOf(place: Workplace, id: string, client?: string): Promise<string> {
  return new Tokens(await (await place.client(client)).lookups.key.resolve()).subject("sumsub", id);
}

/** The person's sealed records, as the disk has them and age opens them. */
async function onDisk(place: Workplace, id: string, client = CLIENT): Promise<{ identity: { id: string } }[]> {
  const subject = await subjectOf(place, id, client);
  const folder = place.path("vault", client, "records", subject.slice(0, 2), subject);
  const paths = (await filesIn(folder).catch(() => [])).filter((path) => !path.includes("/files/"));
  const decrypter = new Decrypter();
  decrypter.addIdentity(place.officer.identity);
  return Promise.all(
    paths.map(async (path) => JSON.parse(Buffer.from(await decrypter.decrypt(await readFile(path))).toString())),
  );
}

async function endOf(daemon: Running): Promise<void> {
  daemon.kill("SIGTERM");
  const ended = await daemon.ended;
  assert.equal(ended.code, 0, ended.stderr);
}

describe("whom a webhook names", { concurrency: 3 }, () => {
  test("is in the vault within a minute, in a run that is not the night's", async () => {
    await using all = await begun();
    const { sumsub, place, start } = all;
    const daemon = start();
    const port = await portOf(daemon);
    await daemon.logged(({ msg }) => msg === "people named by webhooks are exported within a minute");
    const { due } = readLastExport((await place.client()).state);
    const [id = "", other = ""] = sumsub.ids();
    const sent = Date.now();
    assert.equal(await deliver(port, id), 200);
    assert.equal(await deliver(port, "no-one-yet"), 200);
    await daemon.logged(isEnd);
    assert.ok(Date.now() - sent < 60_000, `it took ${Date.now() - sent} ms`);
    assert.deepEqual(
      (await onDisk(place, id)).map(({ identity }) => identity.id),
      [id],
    );
    assert.deepEqual(await onDisk(place, other), []);
    await daemon.logged(({ msg }) =>
      /^acme-bank: 2 identities named by webhooks: 1 new, 1 not yet at the provider {2}\(run /.test(String(msg)),
    );

    // Nothing takes it for a nightly run.
    assert.deepEqual(readLastExport((await place.client()).state), { due });
    const [started] = await place.entries("run.started");
    const [finished] = await place.entries("run.finished");
    assert.equal(started!.job, "inbox");
    assert.deepEqual([finished!.outcome, finished!.round, finished!.walked], ["done", undefined, undefined]);
    const { oldest, ...inbox } = finished!.inbox!;
    assert.deepEqual([inbox, oldest !== undefined], [{ taken: 2, settled: 1, pending: 1 }, true]);
    const metrics = await (await fetch(`http://127.0.0.1:${await portOf(daemon, /^metrics at /)}/metrics`)).text();
    assert.match(metrics, /^holdfast_records_total\{client="acme-bank",outcome="new"\} 1$/m);
    assert.match(metrics, /^holdfast_inbox_pending\{client="acme-bank",source="sumsub"\} 1$/m);
    assert.match(metrics, /^holdfast_runs_total\{client="acme-bank",outcome="done"\} 0$/m);
    assert.doesNotMatch(metrics, /^holdfast_last_success_timestamp_seconds\{/m);
    const status = await place.here("status");
    assert.match(status.stdout, /last run {2}no run yet/);

    await endOf(daemon);
    const { stdout, stderr, log } = await daemon.ended;
    assert.deepEqual(
      log.filter(({ level }) => level === "error" || level === "warn"),
      [],
    );
    for (const text of [id, SECRET, ...sumsub.canaries()]) assert.ok(!`${stdout}${stderr}`.includes(text), text);
    await place.expect(0, "verify");
    // The night asks again about the one whom the provider did not know.
    const night = await place.export();
    assert.deepEqual([night.askedByInbox, night.early, night.new], [1, 1, 0]);
    assert.match((await place.here("status")).stdout, /last run {2}export, done/);
  });

  test("is exported if another process received it, and after SIGHUP with the new config", async () => {
    await using all = await begun();
    const { sumsub, place, start, settings } = all;
    settings.schedule = { cron: NEVER };
    const receiver = start("inbox");
    const port = await portOf(receiver);
    settings.inbox = { export: "nightly" };
    await writeFile(place.file, stringify(settings, { aliasDuplicateObjects: false }));
    const daemon = start();
    await daemon.logged(({ msg }) => /^next run /.test(String(msg)));
    const [id = ""] = sumsub.ids();
    assert.equal(await deliver(port, id), 200);
    settings.inbox = { export: "at-once" };
    await place.configure({ collect: "minimal" });
    daemon.kill("SIGHUP");
    await daemon.logged(isEnd);
    assert.equal((await onDisk(place, id)).length, 1);
    const [entry] = await place.entries("record.stored");
    assert.equal((await place.record(entry!)).collect, "minimal");
    await endOf(daemon);
    await endOf(receiver);
  });

  test("is exported after a restart if the daemon was killed between the webhook and the run", async () => {
    await using all = await begun();
    const { sumsub, place, start } = all;
    const first = start();
    const [id = "", other = ""] = sumsub.ids();
    const port = await portOf(first);
    assert.equal(await deliver(port, id), 200);
    assert.equal(await deliver(port, other), 200);
    first.kill("SIGKILL");
    await first.ended;
    assert.equal(sumsub.requests.of("applicants/…/one"), 0);
    const second = start();
    await second.logged(isEnd);
    for (const each of [id, other]) assert.equal((await onDisk(place, each)).length, 1);
    // Killed in the middle of a run too.
    const port2 = await portOf(second);
    const asked = Promise.withResolvers<void>();
    sumsub.intercept((request) => {
      if (!request.url!.includes("/applicants/")) return false;
      asked.resolve();
      return true;
    });
    const [, , third = ""] = sumsub.ids();
    assert.equal(await deliver(port2, third), 200);
    await asked.promise;
    second.kill("SIGKILL");
    await second.ended;
    sumsub.intercept(undefined);
    const last = start();
    await last.logged(isEnd);
    assert.equal((await onDisk(place, third)).length, 1);
    await endOf(last);
    await place.expect(0, "verify");
  });

  test("is exported after a restart if SIGTERM cuts the run", async () => {
    await using all = await begun();
    const { sumsub, place, start } = all;
    const first = start();
    const asked = Promise.withResolvers<void>();
    sumsub.intercept((request, response) => {
      if (!request.url!.includes("/applicants/")) return false;
      asked.resolve();
      response.writeHead(503, { "Retry-After": "2" }).end();
      return true;
    });
    assert.equal(await deliver(await portOf(first), sumsub.ids()[0]!), 200);
    await asked.promise;
    first.kill("SIGTERM");
    const ended = await first.ended;
    assert.equal(ended.code, 130, ended.stderr);
    sumsub.intercept(undefined);
    const second = start();
    await second.logged(isEnd);
    assert.equal((await onDisk(place, sumsub.ids()[0]!)).length, 1);
    const ends = await place.entries("run.finished");
    assert.deepEqual(
      ends.map(({ outcome }) => outcome),
      ["interrupted", "done"],
    );
    await endOf(second);
  });

  test("waits while another process holds the vault, which is said once, and is exported then", async () => {
    await using all = await begun();
    const { sumsub, place, start } = all;
    const vault = await place.vault();
    const claim = () => {
      const now = Temporal.Now.instant();
      const held = {
        ...{ token: "another", host: "elsewhere", pid: 1, job: "purge" },
        ...{ since: now.toString(), until: now.add({ seconds: 8 }).toString() },
      };
      return vault.put(LEASE, Buffer.from(JSON.stringify(held)));
    };
    await claim();
    const standing = setInterval(() => void claim(), 1_000);
    const daemon = start();
    assert.equal(await deliver(await portOf(daemon), sumsub.ids()[0]!), 200);
    const waits = await daemon.logged(({ code }) => code === "busy").finally(() => clearInterval(standing));
    assert.equal(waits.level, "info");
    assert.deepEqual(
      (await place.entries()).filter(({ type }) => type === "run.started"),
      [],
    );
    await daemon.logged(isEnd);
    assert.equal((await onDisk(place, sumsub.ids()[0]!)).length, 1);
    await endOf(daemon);
    assert.equal((await daemon.ended).log.filter(({ code }) => code === "busy").length, 1);
  });

  test("is exported into the vault of their client only, and a forged webhook starts nothing", async () => {
    await using all = await begun();
    const { sumsub, place, start } = all;
    await writeFile(place.path("keys/hook-b"), "hook-of-b", { mode: 0o600 });
    await place.addClient("beta-pay", { source: { webhook: { secrets: ["file:./keys/hook-b"] } } });
    assert.equal((await place.here("init", ["--client", "beta-pay"])).code, 0);
    const daemon = start();
    const port = await portOf(daemon);
    const [a = "", b = "", forged = ""] = sumsub.ids();
    assert.equal(await deliver(port, a), 200);
    assert.equal(await deliver(port, forged, "beta-pay"), 401);
    assert.equal(await deliver(port, b, "beta-pay", "hook-of-b"), 200);
    for (const client of [CLIENT, "beta-pay"]) await daemon.logged((line) => isEnd(line) && line.client === client);
    const found = [];
    for (const client of [CLIENT, "beta-pay"])
      for (const id of [a, b, forged]) found.push((await onDisk(place, id, client)).length);
    assert.deepEqual(found, [1, 0, 0, 0, 1, 0]);
    for (const client of [CLIENT, "beta-pay"])
      assert.equal((await place.entries("run.started", client)).length, 1, client);
    await endOf(daemon);
  });

  test("is left to the nightly run that falls due meanwhile: it waits, takes the rest, and is not skipped", async () => {
    await using all = await begun();
    const { sumsub, place, start, settings } = all;
    const daemon = start();
    const port = await portOf(daemon);
    // The run at once is held at its first person until the night is due.
    const asked = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    let isHeld = true;
    sumsub.intercept((request, response) => {
      if (!isHeld || !request.url!.includes("/applicants/")) return false;
      asked.resolve();
      void release.promise.then(() => response.writeHead(503, { "Retry-After": "0" }).end());
      return true;
    });
    for (const id of sumsub.ids()) assert.equal(await deliver(port, id), 200);
    await asked.promise;
    const soon = Temporal.Now.zonedDateTimeISO("UTC").add({ seconds: 3 });
    settings.schedule = { cron: `${soon.second} ${soon.minute} ${soon.hour} * * *` };
    await place.configure();
    daemon.kill("SIGHUP");
    await daemon.logged(({ msg }) => /this one waits until it has ended/.test(String(msg)));
    isHeld = false;
    release.resolve();
    await daemon.logged(({ job, outcome }) => job === "export" && outcome !== undefined);
    await endOf(daemon);
    const { log } = await daemon.ended;
    assert.ok(!log.some(({ msg }) => /skipping/.test(String(msg))));
    const runs = (await place.entries("run.started")).map(({ job }) => job);
    assert.deepEqual(runs, ["inbox", "export"]);
    const ends = await place.entries("run.finished");
    assert.deepEqual(
      ends.map(({ outcome }) => outcome),
      ["interrupted", "done"],
    );
    assert.equal(ends[1]!.inbox!.pending, 0);
    for (const id of sumsub.ids()) assert.equal((await onDisk(place, id)).length, 1);
    const { success, due } = readLastExport((await place.client()).state);
    assert.ok(success !== undefined && due! > success);
    await place.expect(0, "verify");
  });

  test("is exported into a vault on Ceph, where a command that needs the vault does not wait for the rest", {
    skip: withoutCeph,
  }, async () => {
    await using all = await begun({ vault: "ceph" });
    const { sumsub, place, start } = all;
    const daemon = start();
    const port = await portOf(daemon);
    const [id = "", ...others] = sumsub.ids();
    assert.equal(await deliver(port, id), 200);
    await daemon.logged(isEnd);
    assert.equal((await onCeph(place, id)).length, 1);
    // The provider keeps the next run waiting, while an export by hand wants the vault.
    const asked = Promise.withResolvers<void>();
    sumsub.intercept((request, response) => {
      if (!request.url!.includes("/applicants/")) return false;
      asked.resolve();
      response.writeHead(503, { "Retry-After": "3" }).end();
      return true;
    });
    for (const other of others) assert.equal(await deliver(port, other), 200);
    await asked.promise;
    const byHand = start("export", []);
    await daemon.logged(({ job, outcome }) => job === "inbox" && outcome === "interrupted");
    sumsub.intercept(undefined);
    assert.equal((await byHand.ended).code, 0, (await byHand.ended).stderr);
    for (const each of sumsub.ids()) assert.equal((await onCeph(place, each)).length, 1);
    await endOf(daemon);
    await place.expect(0, "verify");
  });
});

/** The person's sealed records, as a bare S3 client sees them. */
async function onCeph(place: Workplace, id: string): Promise<Buffer[]> {
  const subject = await subjectOf(place, id);
  const [, Bucket, prefix] = /^s3:\/\/([^/]+)\/(.+)$/.exec((await place.client()).vault.url)!;
  const s3 = s3Client(cephEndpoint);
  const Prefix = `${prefix}/records/${subject.slice(0, 2)}/${subject}/`;
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix }));
  const decrypter = new Decrypter();
  decrypter.addIdentity(place.officer.identity);
  const records = [];
  for (const { Key, VersionId } of Versions.filter(({ Key }) => !Key!.includes("/files/"))) {
    const { Body, ObjectLockRetainUntilDate } = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
    assert.ok(ObjectLockRetainUntilDate! > new Date(), "it is locked");
    records.push(Buffer.from(await decrypter.decrypt(await Body!.transformToByteArray())));
  }
  s3.destroy();
  return records;
}
