import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rename, rm, symlink, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { status } from "../../jobs/status.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { ClientStatus } from "../../src/session/status.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { withoutCeph } from "../servers/s3.ts";

const SHORT = { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };

async function shown(place: Workplace, code: number): Promise<{ text: string; of: ClientStatus[] }> {
  const ended = await place.here("status");
  assert.equal(ended.code, code, ended.stderr);
  for (const line of ended.stdout.split("\n").filter((each) => !/^\S|\/|could not check/.test(each)))
    assert.ok(line.length <= 80, line);
  return { text: ended.stdout, of: await place.expect<ClientStatus>(code, "status") };
}

describe("status", () => {
  test("two clients on one screen: last run, verification, what is due, holds, disk use", async () => {
    await using sandbox = await startSandbox({ identities: 3, plainImages: true });
    await using place = await makeWorkplace(sandbox, { init: false });
    await place.addClient("short-bank", { retention: SHORT });
    await place.expect(0, "init");
    const before = await shown(place, 0);
    assert.match(before.text, /^! last run {2}no run yet$/m);
    assert.match(before.text, /^! verified {2}never on this machine$/m);

    await place.expect(0, "export");
    await place.expect(0, "verify", "--client", "acme-bank", "--read-data", "100");
    const subject = await place.subject(sandbox.ids()[0]!);
    await place.here("hold", ["place", "--client", "acme-bank", "--case", "A", "--reason", "b", "--subject", subject]);
    await delay(2_100);
    const vault = place.path("vault");
    const files = () => execFileSync("find", [vault, "-type", "f", "-printf", "%P %s %T@\n"], { encoding: "utf8" });
    const written = files();
    const { text, of } = await shown(place, 0);
    assert.equal(files(), written, "it writes nothing to a vault");
    const [acme, short] = of;
    assert.deepEqual([acme!.notChecked, short!.notChecked], [null, null]);
    assert.deepEqual([acme!.log!.lastRun!.job, acme!.log!.lastRun!.outcome], ["export", "done"]);
    assert.deepEqual([acme!.log!.kept.people, acme!.log!.past.purge, short!.log!.past.purge], [3, 0, 3]);
    assert.deepEqual(
      [acme!.log!.holds, short!.log!.holds],
      [
        { cases: 1, people: 1 },
        { cases: 0, people: 0 },
      ],
    );
    const onDisk = execFileSync("find", [place.path("state/acme-bank"), "-type", "f", "-printf", "%s\n"], {
      encoding: "utf8",
    });
    const size = onDisk
      .trim()
      .split("\n")
      .reduce((sum, each) => sum + Number(each), 0);
    assert.equal(acme!.state.bytes, size);
    const [ofAcme, ofShort] = text.split("short-bank  file:");
    assert.match(ofAcme!, /^acme-bank {2}file:.*\/vault\/acme-bank\n {2}last run {2}export, done, just now$/m);
    assert.match(ofAcme!, /^ {2}verified {2}just now, no problems, 100 % of the objects read$/m);
    assert.match(ofAcme!, /^ {2}kept {6}3 verifications, 3 records, \d+ files, \S+ [kM]B$/m);
    assert.match(ofAcme!, /^ {2}due {7}nothing to purge$/m);
    assert.match(ofAcme!, /^ {2}holds {5}1 case, 1 verification$/m);
    assert.match(ofShort!, /^! due {7}3 verifications to purge$/m);
    for (const personal of sandbox.canaries()) assert.ok(!(text + JSON.stringify(of)).includes(personal), personal);
  });

  test("a run that failed in part needs attention", async () => {
    await using sandbox = await startSandbox({ identities: 3, files: false });
    await using place = await makeWorkplace(sandbox);
    await place.export();
    const [id] = sandbox.ids();
    sandbox.change([0]);
    sandbox.intercept((request, response) => {
      if (!request.url!.includes(`/identities/${id}`)) return false;
      response.writeHead(400).end();
      return true;
    });
    await place.expect(3, "export");
    const { text } = await shown(place, 0);
    assert.match(text, /^! last run {2}export, partial, just now; last success just now$/m);
  });

  test("a vault that cannot be reached: what this machine knows, and code 3; the other client is shown", async () => {
    await using sandbox = await startSandbox({ identities: 3, files: false });
    await using place = await makeWorkplace(sandbox, { init: false });
    await place.addClient("other-bank");
    await place.expect(0, "init");
    await place.expect(0, "export");
    await rename(place.path("vault/acme-bank"), place.path("away"));
    await symlink("acme-bank", place.path("vault/acme-bank"));
    const { text, of } = await shown(place, 3);
    assert.match(text, /^! vault {5}could not check: read vault.json: /m);
    assert.match(text, /what follows is from this machine's catalog, \d+ entries/);
    assert.deepEqual([of[0]!.log!.kept.people, of[0]!.notChecked!.code], [3, "vault-rejected"]);
    assert.deepEqual([of[1]!.log!.kept.people, of[1]!.notChecked], [3, null]);
    // Without a catalog nothing is made up.
    await rm(place.path("state/acme-bank"), { recursive: true });
    const bare = await shown(place, 3);
    assert.equal(bare.of[0]!.log, null);
    assert.match(bare.text, /^ {2}kept {6}not known$/m);
  });

  test("a vault that was emptied is no 'could not check': code 4, and the other client is shown", async () => {
    await using sandbox = await startSandbox({ identities: 1, files: false });
    await using place = await makeWorkplace(sandbox, { init: false });
    await place.addClient("other-bank");
    await place.expect(0, "init");
    await rm(place.path("vault/acme-bank"), { recursive: true });
    const ended = await place.here("status");
    assert.equal(ended.code, 4, ended.stderr);
    assert.match(ended.stderr, /vault\/acme-bank is empty, but this machine has seen a log there/);
    assert.doesNotMatch(ended.stdout + ended.stderr, /could not check|holdfast init/);
    assert.match(ended.stdout, /^other-bank/m);
  });

  test("unlocked objects, old runs and verifications, missed runs and damaged state need attention", async () => {
    await using sandbox = await startSandbox({ identities: 3, files: false });
    await using place = await makeWorkplace(sandbox);
    await place.export();
    const state = (name: string) => place.path("state/acme-bank", name);
    const noted = { problems: 0, entries: 6, readData: 5 };
    const write = (name: string, of: object) => writeFile(state(name), JSON.stringify(of));
    const text = async (days: number) => {
      const now = () => systemClock().add({ hours: 24 * days });
      return (await place.here("status", [], { now })).stdout;
    };
    await write("last-verify.json", { ...noted, unlocked: 111, time: systemClock().toString() });
    const unlocked = await text(0);
    assert.match(unlocked, /^! verified {2}just now, 111 objects not locked, 5 %/m);
    assert.match(unlocked, /^ {2}last run/m);
    await write("last-verify.json", { ...noted, unlocked: 0, time: systemClock().toString() });
    await write("last-export.json", { due: systemClock().add({ hours: 24 }).toString() });
    const soon = await text(0);
    assert.match(soon, /^ {2}verified {2}just now, no problems/m);
    assert.match(soon, /^ {2}next run {2}[^,]*UTC$/m);
    const later = await text(40);
    assert.match(later, /^! last run {2}export, done, /m);
    assert.match(later, /^! next run {2}.* UTC, which has passed$/m);
    assert.match(later, /^! verified {2}/m);
    await writeFile(state("last-verify.json"), "{");
    await writeFile(state("last-export.json"), "{");
    const damaged = await text(0);
    assert.match(damaged, /^! verified {2}could not read .*last-verify.json$/m);
    assert.match(damaged, /^! next run {2}could not read .*last-export.json$/m);
  });

  test("a damaged log is an error, and no 'could not check'", async () => {
    await using sandbox = await startSandbox({ identities: 1, files: false });
    await using place = await makeWorkplace(sandbox);
    await place.export();
    const vault = await place.vault();
    const { bytes } = await vault.read("audit/checkpoint", 1_000_000);
    bytes[bytes.length - 10]! ^= 1;
    await vault.put("audit/checkpoint", bytes, {} as never);
    const ended = await place.here("status");
    assert.equal(ended.code, 4, ended.stderr);
  });

  test("a bucket on Ceph, and then no server", { skip: withoutCeph }, async () => {
    await using sandbox = await startSandbox({ identities: 2, files: false });
    await using place = await makeWorkplace(sandbox, { vault: "ceph" });
    await place.export();
    const { of } = await shown(place, 0);
    assert.deepEqual([of[0]!.notChecked, of[0]!.log!.kept.people], [null, 2]);
    await place.configure({ vault: { endpoint: "http://127.0.0.1:9" } });
    const patience = { retry: { retries: 0, minDelay: 1, maxDelay: 1, maxRetryAfter: 1 } };
    const [down] = await status({ ...(await session(place)), patience });
    assert.deepEqual([down!.notChecked!.code, down!.log!.kept.people], ["vault-unavailable", 2]);
  });
});
