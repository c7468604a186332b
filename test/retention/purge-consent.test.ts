import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { exportClients } from "../../jobs/export.ts";
import { purge } from "../../jobs/purge.ts";
import { checkCertificate } from "../../src/certificate/certificate-check.ts";
import { systemClock } from "../../src/core/clock.ts";
import { hasCode } from "../../src/core/error.ts";
import { openLog } from "../../src/session/open-log.ts";
import { onTerminal, talkOnTerminal, withoutTerminal } from "../cli/terminal.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace, type Section, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { withoutCeph } from "../servers/s3.ts";

const run = promisify(execFile);
const SHORT = { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };
const HOOK = join(import.meta.dirname, "../crash/hook.ts");

let sandbox: Sandbox;
before(async () => {
  sandbox = await startSandbox({ identities: 4, plainImages: true });
});
after(() => sandbox.close());

/** Three of the sandbox's people are stored and due. */
async function due(retention: Section = {}, vault: "directory" | "ceph" = "directory"): Promise<Workplace> {
  const place = await makeWorkplace(sandbox, { vault, client: { retention: { ...SHORT, ...retention } } });
  await place.export(
    ...sandbox
      .ids()
      .slice(0, 3)
      .flatMap((id) => ["--identity", id]),
  );
  // Real locks end by the clock.
  await delay(2_100);
  return place;
}

/** Stores the fourth, who is due a little later. */
async function another(place: Workplace): Promise<string> {
  await place.export("--identity", sandbox.ids()[3]!);
  await delay(2_100);
  return place.subject(sandbox.ids()[3]!);
}

/** `relationship <what> --subject <words>`. */
async function told(place: Workplace, what: "end" | "reopen", ...words: string[]): Promise<void> {
  const ended = await place.here("relationship", [what, "--subject", ...words]);
  assert.equal(ended.code, 0, ended.stderr);
}

const destroyed = async (place: Workplace): Promise<Set<string>> =>
  new Set((await place.entries("record.purged")).map(({ subject }) => subject));

describe("a purge on a terminal", { skip: withoutTerminal }, () => {
  const words = (place: Workplace, ...more: string[]) => [
    "retention",
    "purge",
    "--config",
    place.file,
    "--confirm",
    "--out",
    place.path("destroyed"),
    ...more,
  ];
  const PROMPT = "Type the client's name to destroy it: ";

  test("shows what it destroys and asks for the client's name; another name destroys nothing", async () => {
    await using place = await due();
    const stored = await place.entries("record.stored");
    const objects = stored.flatMap(({ object, files }) => [object, ...files]);
    const day = systemClock().toZonedDateTimeISO("UTC").toPlainDate().toString();
    const wrong = await talkOnTerminal(words(place), place.folder, [[PROMPT, "acme\n"]]);
    assert.equal(wrong.code, 2, wrong.text);
    assert.match(wrong.text, /that is not the client's name: nothing was removed/);
    assert.deepEqual(await destroyed(place), new Set());
    assert.ok(!existsSync(place.path("destroyed")));
    const stopped = await talkOnTerminal(words(place), place.folder, [[PROMPT, "\u0003"]]);
    assert.equal(stopped.code, 130, stopped.text);
    assert.match(stopped.text, /interrupted; nothing was removed/);
    assert.ok(!wrong.text.includes("--yes"), wrong.text);
    const left = await talkOnTerminal(words(place), place.folder, [[PROMPT, "\u0004"]]);
    assert.match(left.text, /end of input before the last question; nothing was removed/);
    const seen = await talkOnTerminal(words(place), place.folder, [[PROMPT, "acme-bank\n"]]);
    assert.equal(seen.code, 0, seen.text);
    const said = seen.text.replaceAll("\r", "");
    assert.match(said, /acme-bank: this destroys permanently\n {2}of {8}3 verifications\n/);
    assert.match(said, new RegExp(`objects {3}3 records and ${objects.length - 3} files, every version of them; `));
    assert.match(said, new RegExp(`due {7}had to be kept until ${day}\n`));
    assert.equal((await destroyed(place)).size, 3);
  });

  test("warns of people who were verified after their relationship is said to have ended", async () => {
    await using place = await due({ from: "relationship-end" });
    const [first] = await place.entries("record.stored");
    await told(place, "end", first!.subject, "--date", "2000-01-31", "--before-verification");
    const seen = await talkOnTerminal(words(place), place.folder, [[PROMPT, "acme-bank\n"]]);
    assert.equal(seen.code, 0, seen.text);
    assert.match(seen.text, / {2}CHECK {5}1 relationship is said to have ended before the person was first verified; /);
  });

  test("--yes is not asked; and where nothing is due there is nothing to ask", async () => {
    await using place = await due();
    const seen = await onTerminal(words(place, "--yes"), place.folder);
    assert.equal(seen.code, 0, seen.text);
    assert.ok(!seen.text.includes("Type the client's name"), seen.text);
    assert.equal((await destroyed(place)).size, 3);
    await rm(place.path("destroyed"), { recursive: true });
    const again = await onTerminal(words(place), place.folder);
    assert.equal(again.code, 0, again.text);
    assert.ok(!again.text.includes("Type the client's name"), again.text);
  });

  test("where the question cannot be shown, nothing is destroyed without --yes", async () => {
    await using place = await due();
    const refused = await onTerminal(words(place), place.folder, { into: " 2>errors; echo ended with $?; cat errors" });
    assert.match(refused.text, /ended with 2\r?\n/);
    assert.match(refused.text, /the question cannot be shown: stderr is not the terminal/);
    assert.match(refused.text, /--yes/);
    assert.deepEqual(await destroyed(place), new Set());
    const agreed = await onTerminal(words(place, "--yes"), place.folder, { into: " 2>errors; echo ended with $?" });
    assert.match(agreed.text, /ended with 0\r?\n/);
    assert.equal((await destroyed(place)).size, 3);
    const alone = await place.here("retention", ["purge", "--yes"]);
    assert.equal(alone.code, 2);
    assert.match(alone.stderr, /--yes goes with --confirm/);
  });

  test("no more is destroyed than was shown", async () => {
    await using place = await due();
    let late = "";
    const shown: string[] = [];
    const done = await purge(await session(place), place.path("destroyed"), undefined, {
      confirm: async (_, { subjects }) => {
        shown.push(...subjects);
        late = await another(place);
      },
    });
    assert.equal(done.subjects, 3);
    assert.deepEqual(await destroyed(place), new Set(shown));
    assert.ok(!shown.includes(late) && shown.length === 3);
  });
});

for (const vault of ["directory", "ceph"] as const) {
  describe(`a purge by two people: ${vault}`, { skip: vault === "ceph" && withoutCeph }, () => {
    let keys: Workplace;
    let grace: string;
    before(async () => {
      keys = await makeWorkplace(sandbox, { init: false });
      for (const name of ["grace", "mallory"])
        await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", `${name}@acme`, "-f", keys.path(name)]);
      grace = (await readFile(keys.path("grace.pub"), "utf8")).trim();
    });
    after(() => keys[Symbol.asyncDispose]());

    const sign = async (who: string, request: string, namespace = "holdfast-purge"): Promise<string> => {
      await rm(`${request}.sig`, { force: true });
      await run("ssh-keygen", ["-q", "-Y", "sign", "-n", namespace, "-f", keys.path(who), request]);
      return `${request}.sig`;
    };
    /** Asks, and gives the request that was written for the second person. */
    async function ask(place: Workplace, out = "destroyed"): Promise<string> {
      const ended = await place.here("retention", ["purge", "--confirm", "--out", place.path(out)]);
      assert.equal(ended.code, 2, ended.stderr);
      assert.match(ended.stderr, /this client's purges need a second person/);
      return `${place.path(out)}.request.json`;
    }
    const approved = (request: string, approval: string, out: string) => [
      "purge",
      "--confirm",
      "--json",
      "--request",
      request,
      "--approval",
      approval,
      "--out",
      out,
    ];
    const refusals = async (place: Workplace) => (await place.entries("purge.refused")).map(({ reason }) => reason);

    test("one asks, another signs; what was signed for is destroyed, and no one who came later", async () => {
      await using place = await due({ approvals: [grace] }, vault);
      const subjects = new Set((await place.entries("record.stored")).map(({ subject }) => subject));
      const request = await ask(place);
      const text = await readFile(request, "utf8");
      for (const personal of sandbox.canaries()) assert.ok(!text.includes(personal), personal);
      const asked = JSON.parse(text);
      assert.deepEqual([asked.holdfast, asked.people, asked.records], ["purge-request/1", 3, 3]);
      assert.deepEqual(new Set(asked.subjects), subjects);
      assert.deepEqual([await refusals(place), await destroyed(place)], [["missing"], new Set()]);
      const late = await another(place);

      const ended = await place.here(
        "retention",
        approved(request, await sign("grace", request), place.path("destroyed")),
      );
      assert.equal(ended.code, 0, ended.stderr);
      assert.deepEqual(await destroyed(place), subjects);
      assert.ok(!subjects.has(late));
      const sha256 = createHash("sha256").update(text).digest("hex");
      for (const begun of await place.entries("purge.begun"))
        assert.deepEqual([begun.request, begun.approvedBy], [sha256, grace.split(" ").slice(0, 2).join(" ")]);
      const listed = await place.expect<{ purges: { request: string; approvedBy: string }[] }>(
        0,
        "retention",
        "purges",
      );
      assert.deepEqual(
        listed[0]!.purges.map(({ request: of, approvedBy }) => [of, approvedBy]),
        [[sha256, grace.split(" ").slice(0, 2).join(" ")]],
      );
      const text80 = (await place.here("retention", ["purges"])).stdout;
      assert.match(
        text80,
        new RegExp(`^  A second person approved \\S+: …${grace.split(" ")[1]!.slice(-8).replaceAll("+", "\\+")}$`, "m"),
      );
      // What OpenSSH itself says of the signature.
      await writeFile(place.path("allowed"), `grace ${grace}\n`);
      const checking = run("ssh-keygen", [
        ...["-Y", "verify", "-f", place.path("allowed"), "-I", "grace", "-n", "holdfast-purge", "-s", `${request}.sig`],
      ]);
      checking.child.stdin!.end(text);
      assert.match((await checking).stdout, /^Good "holdfast-purge" signature/);
      assert.equal((await checkCertificate(place.path("destroyed"))).ledThere, "checked");
      const page = await readFile(place.path("destroyed/certificate.html"), "utf8");
      const key = grace.split(" ").slice(0, 2).join(" ");
      assert.ok(page.includes(`<dt>Approved with the key</dt><dd><code>${key}</code></dd>`));
      await place.expect(0, "verify", "--read-data", "100");
    });

    if (vault === "ceph") return;

    test("without a valid signature nothing is destroyed, and the log says so", async () => {
      await using place = await due({ approvals: [grace] });
      const request = await ask(place);
      const out = place.path("destroyed");
      const refused = async (approval: string, words: RegExp, reason?: string) => {
        const ended = await place.here("retention", approved(request, approval, out));
        assert.equal(ended.code, 2, ended.stderr);
        assert.match(ended.stdout, words);
        if (reason) assert.equal((await refusals(place)).at(-1), reason);
        assert.deepEqual([await destroyed(place), await place.entries("purge.begun")], [new Set(), []]);
      };
      await refused(await sign("mallory", request), /not among those that may approve/, "not-listed");
      await refused(await sign("grace", request, "holdfast-retrieval"), /not over this request/, "bad-signature");
      const good = await sign("grace", request);
      const text = await readFile(request, "utf8");
      const fewer = JSON.parse(text);
      await writeFile(request, text.replace('"people": 3', '"people": 2'));
      await refused(good, /not over this request/, "bad-signature");
      await writeFile(request, `${JSON.stringify({ ...fewer, more: 1 }, null, 2)}\n`);
      await refused(good, /is no request as/);
      await writeFile(request, text);
      await place.configure({ retention: { keep: "PT1.5S" } });
      await refused(good, /the rules of retention changed since it was signed/, "expired");
      await place.configure({ retention: { keep: "PT1S" } });
      const later = { ...(await session(place)), now: () => systemClock().add({ hours: 7 * 24 + 1 }) };
      const error = await purge(later, out, undefined, { files: { request, approval: good } }).catch(
        (thrown) => thrown,
      );
      assert.ok(hasCode(error, "unapproved"), String(error));
      assert.deepEqual(await destroyed(place), new Set());
      // A request is never written over, and one alone of the two files is no approval.
      assert.equal((await place.here("retention", ["purge", "--confirm", "--out", out])).code, 2);
      assert.equal(await readFile(request, "utf8"), text);
      assert.equal((await place.here("retention", ["purge", "--confirm", "--request", request, "--out", out])).code, 2);
    });

    test("what became due after it was signed is not destroyed: the purge is refused until someone signs for that too", async () => {
      const classes = { files: { keep: "PT1S", from: "exported" } };
      await using place = await due({ approvals: [grace], from: "relationship-end", classes });
      const stored = await place.entries("record.stored");
      const request = await ask(place);
      const asked = JSON.parse(await readFile(request, "utf8"));
      const names = stored.flatMap(({ files }) =>
        files.map(({ key, versionId }) => createHash("sha256").update(`${key}\n${versionId}`).digest("hex")),
      );
      assert.deepEqual([asked.records, asked.objects], [0, names.sort()]);
      const approval = await sign("grace", request);
      const ended = [stored[0]!.subject, "--date", "2026-01-31", "--before-verification"];
      await told(place, "end", ...ended);

      const out = place.path("destroyed");
      const refused = await place.here("retention", approved(request, approval, out));
      assert.equal(refused.code, 2, refused.stderr);
      assert.match(refused.stdout, /more is due now than was approved \(1 object\); nothing was removed/);
      assert.equal((await refusals(place)).at(-1), "expired");
      assert.deepEqual([await destroyed(place), await place.entries("purge.begun")], [new Set(), []]);
      // Fewer than was signed is fine.
      await told(place, "reopen", stored[0]!.subject);
      assert.equal((await place.here("retention", approved(request, approval, out))).code, 0);
      assert.deepEqual((await place.entries("record.purged")).flatMap(({ objects }) => objects).length, names.length);
    });

    test("what becomes due between the question and the purge stays", async () => {
      const classes = { files: { keep: "PT1S", from: "exported" } };
      await using place = await due({ from: "relationship-end", classes });
      const [first] = await place.entries("record.stored");
      const done = await purge(await session(place), place.path("destroyed"), undefined, {
        confirm: async () => {
          const ended = [first!.subject, "--date", "2026-01-31", "--before-verification"];
          await told(place, "end", ...ended);
        },
      });
      assert.deepEqual([done.subjects, done.records, done.failed], [2, 0, 1]);
      assert.ok(!(await destroyed(place)).has(first!.subject));
    });

    test("a request made for another vault with a log of the same name is refused", async () => {
      await using place = await due({ approvals: [grace] });
      await using other = await due({ approvals: [grace] });
      const request = await ask(other);
      const approval = await sign("grace", request);
      const refused = await place.here("retention", approved(request, approval, place.path("destroyed")));
      assert.equal(refused.code, 2, refused.stderr);
      assert.match(refused.stdout, /asks for a purge of another client or vault/);
      assert.deepEqual([await refusals(place), await destroyed(place)], [[], new Set()]);
    });

    test("the request counts the people who were verified after their relationship is said to have ended", async () => {
      await using place = await due({ approvals: [grace], from: "relationship-end" });
      for (const { subject } of (await place.entries("record.stored")).slice(0, 2))
        await told(place, "end", subject, "--date", "2000-01-31", "--before-verification");
      const asked = JSON.parse(await readFile(await ask(place), "utf8"));
      assert.deepEqual([asked.people, asked.verifiedLater], [2, 2]);
    });

    test("a request that the log cannot name is not left behind", async () => {
      await using place = await due({ approvals: [grace] });
      await using held = await openLog((await session(place)).clients[0]!, await session(place), { job: "export" });
      const busy = await place.here("retention", ["purge", "--confirm", "--out", place.path("destroyed")]);
      assert.notEqual(busy.code, 0);
      assert.ok(!busy.stderr.includes("need a second person"), busy.stderr);
      assert.ok(!existsSync(place.path("destroyed.request.json")) && held);
    });

    test("killed in the middle, it goes on with the same approval", async () => {
      await using place = await due({ approvals: [grace] });
      const request = await ask(place);
      const approval = await sign("grace", request);
      const killed = await place.holdfast("retention", approved(request, approval, place.path("destroyed")), {
        node: ["--import", HOOK],
        env: { HOLDFAST_CRASH_BEFORE: "after unlink records" },
      });
      assert.equal(killed.signal, "SIGKILL", killed.stderr);
      const said = (await place.here("retention", ["purges"])).stdout;
      assert.match(said, /^acme-bank: no purge has ended\n {2}A purge of 3 verifications has begun and not ended: /);
      const ended = await place.here("retention", approved(request, approval, place.path("destroyed")));
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal((await destroyed(place)).size, 3);
      assert.equal((await checkCertificate(place.path("destroyed"))).ledThere, "checked");
      await place.expect(0, "verify");
      // The run that went on names its approval too.
      const sha256 = createHash("sha256")
        .update(await readFile(request))
        .digest("hex");
      const [listed] = await place.expect<{ purges: { request: string | null }[] }>(0, "retention", "purges");
      assert.deepEqual([...new Set(listed!.purges.map((each) => each.request))], [sha256]);
      // Nothing is due any more, so no one is asked.
      await exportClients(await session(place), {});
      assert.equal((await place.here("retention", ["purge", "--confirm", "--out", place.path("nothing")])).code, 0);
    });
  });
}
