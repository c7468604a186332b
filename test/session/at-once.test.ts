import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, describe, mock, test } from "node:test";
import type { ClientConfig } from "../../src/config/config.ts";
import { Secret } from "../../src/config/secret.ts";
import type { SourceConfig } from "../../src/config/source-config.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { Inbox } from "../../src/inbox/inbox.ts";
import { RunInbox } from "../../src/inbox/run-inbox.ts";
import type { Console } from "../../src/observe/console.ts";
import { type Fields, silentLog } from "../../src/observe/log.ts";
import { noProgress } from "../../src/observe/progress.ts";
import { Handles } from "../../src/record/handles.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { AtOnce } from "../../src/session/at-once.ts";
import type { Session } from "../../src/session/client.ts";
import { Schedules } from "../../src/session/schedule.ts";
import { readLastExport } from "../../src/state/last-export.ts";
import { sourceOf } from "./source-of.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-at-once-"));
after(() => rmSync(folder, { recursive: true }));
afterEach(() => mock.timers.reset());

const START = "2026-11-25T12:00:00Z";
const NIGHTLY = { cron: "30 2 * * *", timezone: "UTC", jitter: 0 };
const down = () => new HoldfastError("source-unavailable", "no answer");
const held = () => new HoldfastError("busy", "held", { retryAfter: 290_000 });

function hooked(name: string, changes: Partial<SourceConfig> = {}): SourceConfig {
  return { ...sourceOf(name), webhook: { secrets: [], scheme: "passbase" }, ...changes } as SourceConfig;
}

function client(id: string, sources: readonly SourceConfig[] = [hooked("main")], cron = NIGHTLY.cron): ClientConfig {
  return { id, state: join(folder, id), schedule: { ...NIGHTLY, cron }, sources } as unknown as ClientConfig;
}

const KEY = new Secret("0".repeat(64));
const handles = new Handles(KEY);
const tokens = new Tokens(KEY);
const subjectOf = (person: string): string => tokens.subject("passbase", person);
/** One letter each. */
const PEOPLE = new Map([..."abcdefghijklmnopqrstuvwxyz"].map((person) => [subjectOf(person), person]));

let sent = 0;
/** A webhook arrives, at any process. */
function arrive(id: string, person = "a", source = "main"): void {
  const inbox = new Inbox(join(folder, id));
  const subject = subjectOf(person);
  const key = Buffer.from(`event ${++sent}`);
  const named = [{ subject, handle: handles.close(subject, "passbase", person) }];
  const now = Temporal.Instant.fromEpochMilliseconds(Date.now());
  assert.deepEqual(inbox.append([{ source, key, kind: "k", isErasure: false, named }], now), ["taken"]);
  inbox.close();
}

type Fate = "settled" | "tried" | "left";

/** What a run does with the inbox. Whom it had. */
function drain(id: string, source: string, untriedAfter?: number, fate: (subject: string) => Fate = () => "settled") {
  const now = Temporal.Instant.fromEpochMilliseconds(Date.now());
  const of = { name: source, kind: "passbase" } as const;
  using run = new RunInbox(new Inbox(join(folder, id)), of, handles, now, assert.ifError, untriedAfter);
  const names = [...run.named()].map(({ subject }) => subject);
  for (const subject of names) {
    if (fate(subject) === "settled") run.settle(subject);
    if (fate(subject) === "tried") run.retry(subject);
  }
  return names.map((subject) => PEOPLE.get(subject)).sort();
}

interface Course {
  /** What a run at once comes to. Default: it settles everyone. */
  readonly atOnce?: (run: { signal: AbortSignal; attempt: number; onWanted: () => void }) => Promise<void>;
  readonly night?: (id: string) => Promise<void>;
  readonly fate?: (subject: string) => Fate;
}

/** A daemon whose clock is moved by the test. */
function daemon(clients: readonly ClientConfig[], { atOnce, night, fate }: Course = {}, start = START) {
  mock.timers.enable({ apis: ["Date", "setTimeout"], now: new Date(start) });
  const begun: string[] = [];
  const lines: string[] = [];
  const told: Fields[] = [];
  const note = (message: string, fields: Fields = {}) => {
    lines.push(message);
    told.push(fields);
  };
  const log = { ...silentLog, info: note, warn: note, error: note };
  const console = { log, say: () => {}, progress: () => noProgress } as unknown as Console;
  const clock = { ahead: 0 };
  const now = () => Temporal.Instant.fromEpochMilliseconds(Date.now() + clock.ahead);
  const stop = new AbortController();
  const over = Promise.withResolvers<void>();
  const session: Session = { clients, console, now, signal: stop.signal };
  const since = () => (Date.now() - Date.parse(start)) / 1000;
  const schedules = new Schedules(session, async (due) => {
    for (const { id, sources } of due.clients) {
      begun.push(`night ${id} ${since()}`);
      await Promise.race([night?.(id), over.promise]);
      for (const { name } of sources) drain(id, name);
    }
  });
  let attempt = 0;
  const watcher = new AtOnce(
    session,
    schedules,
    async ({ client: { id }, source, untriedAfter }, { signal }, onWanted) => {
      begun.push(`${id} ${source.name} ${since()}`);
      await Promise.race([atOnce?.({ signal, attempt: ++attempt, onWanted }), over.promise]);
      if (signal.aborted) return { outcome: "interrupted" };
      const had = drain(id, source.name, untriedAfter, fate);
      begun.push(`had ${had.join("")}`);
      return had.length === 0 ? undefined : { outcome: "done" };
    },
  );
  schedules.replace(clients);
  watcher.replace(clients);
  return {
    ...{ begun, lines, told, schedules, watcher, stop, clock },
    async [Symbol.asyncDispose]() {
      stop.abort();
      over.resolve();
      await Promise.all([schedules.stop(), watcher.stop()]);
    },
  };
}

/** Lets so many seconds pass. */
async function pass(seconds: number, step = 1): Promise<void> {
  for (let passed = 0; passed < seconds; passed += step) {
    mock.timers.tick(step * 1000);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("whom a webhook names", () => {
  test("is exported within seconds, together with who comes meanwhile, and then nothing more runs", async () => {
    await using of = daemon([client("batch")]);
    arrive("batch", "a");
    await pass(3);
    arrive("batch", "b");
    await pass(4);
    arrive("batch", "c");
    arrive("batch", "a");
    await pass(600);
    assert.deepEqual(of.begun, ["batch main 15", "had abc"]);
    arrive("batch", "d");
    await pass(60);
    assert.deepEqual(of.begun.slice(2), ["batch main 620", "had d"]);
    assert.deepEqual(of.lines, []);
    // It is not the night's run.
    assert.deepEqual(readLastExport(join(folder, "batch")), { due: "2026-11-26T02:30:00Z" });
  });

  test("waits until the night if the provider does not know them yet, or they fail: no loop, and new ones go alone", async () => {
    await using of = daemon([client("early")], {
      fate: (subject) => (subject === subjectOf("a") ? "tried" : "settled"),
    });
    arrive("early", "a");
    await pass(3600, 5);
    assert.deepEqual(of.begun, ["early main 15", "had a"]);
    arrive("early", "b");
    await pass(60);
    assert.deepEqual(of.begun.slice(2), ["early main 3615", "had b"]);
    // The provider tells of them again.
    arrive("early", "a");
    await pass(60);
    assert.deepEqual(of.begun.slice(4), ["early main 3675", "had a"]);
  });

  test("waits until the night after a restart too, if a run has tried; who was not tried is exported", async () => {
    await (async () => {
      await using of = daemon([client("restart")], { fate: () => "tried" });
      arrive("restart", "a");
      await pass(60);
      assert.deepEqual(of.begun, ["restart main 15", "had a"]);
    })();
    mock.timers.reset();
    await using of = daemon([client("restart")], {}, "2026-11-25T13:00:00Z");
    await pass(60);
    assert.deepEqual(of.begun, []);
    arrive("restart", "b");
    await pass(20);
    assert.deepEqual(of.begun, ["restart main 75", "had b"]);
  });

  test("is asked about once if the run can note nothing in the inbox", async () => {
    await using of = daemon([client("left")], { fate: () => "left" });
    arrive("left", "a");
    await pass(600);
    arrive("left", "b");
    await pass(60);
    assert.deepEqual(
      of.begun.filter((line) => line.startsWith("had")),
      ["had a", "had b"],
    );
  });

  test("is exported afterwards if another process wanted the vault meanwhile", async () => {
    await using of = daemon([client("yield")], {
      async atOnce({ attempt, onWanted }) {
        if (attempt === 1) onWanted();
      },
    });
    arrive("yield", "a");
    await pass(60);
    assert.deepEqual(of.begun, ["yield main 15", "yield main 30", "had a"]);
    assert.deepEqual(of.lines, []);
  });

  test("is exported for eight clients at a time at most", async () => {
    const release = Promise.withResolvers<void>();
    const ids = Array.from({ length: 10 }, (_, at) => `many-${at}`);
    await using of = daemon(
      ids.map((id) => client(id)),
      { atOnce: () => release.promise },
    );
    for (const id of ids) arrive(id, "a");
    await pass(120);
    assert.equal(of.begun.length, 8);
    release.resolve();
    await pass(10);
    assert.equal(of.begun.filter((line) => line === "had a").length, 10);
  });

  test("is left to the nightly run if that one takes them first: nothing starts", async () => {
    await using of = daemon([client("first")], {}, "2026-11-25T02:29:50Z");
    arrive("first", "a");
    await pass(3600, 5);
    assert.deepEqual(of.begun, ["night first 10"]);
  });

  test("is exported after the active run of that client if they came during it", async () => {
    const release = Promise.withResolvers<void>();
    const night = async () => {
      await release.promise;
      // It had looked at the inbox when it began.
      arrive("during", "b");
    };
    await using of = daemon([client("during")], { night }, "2026-11-25T02:29:50Z");
    await pass(10);
    arrive("during", "a");
    await pass(1800, 5);
    assert.deepEqual(of.begun, ["night during 10"]);
    release.resolve();
    await pass(5);
    arrive("during", "c");
    await pass(60);
    assert.equal(of.begun.length, 3);
    assert.deepEqual(of.begun[2], "had c");
  });

  test("is exported for each client and source apart, and not for sources that receive nothing", async () => {
    const two = client("two", [hooked("main"), hooked("other"), hooked("old", { retired: true }), sourceOf("mute")]);
    await using of = daemon([client("one"), two, { ...client("only"), only: ["else"] }]);
    for (const [id, source] of [
      ["one", "main"],
      ["two", "main"],
      ["two", "other"],
      ["two", "old"],
      ["two", "mute"],
      ["only", "main"],
    ] as const)
      arrive(id, "a", source);
    await pass(300);
    const runs = of.begun.filter((line) => !line.startsWith("had")).map((line) => line.replace(/ \d+$/, ""));
    assert.deepEqual(runs.toSorted(), ["one main", "two main", "two other"]);
  });

  test("is exported though the clock was set back, and from a new file whose numbers begin again", async () => {
    await using of = daemon([client("clock")]);
    for (const person of ["a", "b", "c"]) arrive("clock", person);
    await pass(60);
    rmSync(join(folder, "clock"), { recursive: true });
    await pass(10);
    arrive("clock", "d");
    await pass(6);
    of.clock.ahead = -3_600_000;
    await pass(30);
    assert.deepEqual(
      of.begun.filter((line) => line.startsWith("had")),
      ["had abc", "had d"],
    );
  });
});

test("whom a webhook names is exported from a new file that was made between two looks", async () => {
  await using of = daemon([client("swapped")]);
  for (const person of ["a", "b", "c"]) arrive("swapped", person);
  await pass(60);
  rmSync(join(folder, "swapped"), { recursive: true });
  arrive("swapped", "d");
  await pass(60);
  assert.deepEqual(
    of.begun.filter((line) => line.startsWith("had")),
    ["had abc", "had d"],
  );
});

describe("the nightly run", () => {
  test("that is due during a run at once asks it to end, begins then, and nothing is skipped", async () => {
    const atOnce = ({ signal }: { signal: AbortSignal }) =>
      new Promise<void>((resolve) => signal.addEventListener("abort", () => setTimeout(resolve, 7_000)));
    await using of = daemon([client("due")], { atOnce }, "2026-11-25T02:29:00Z");
    arrive("due", "a");
    await pass(180);
    assert.deepEqual(of.begun, ["due main 15", "night due 67"]);
    assert.deepEqual(of.lines, ["another run of this client is active: this one waits until it has ended"]);
  });

  test("that falls due twice while it waits runs once, and so does one that was missed", async () => {
    const release = Promise.withResolvers<void>();
    const often = client("often", [hooked("main")], "* * * * *");
    await using of = daemon([often], { atOnce: () => release.promise }, "2026-11-25T02:29:10Z");
    arrive("often", "a");
    await pass(20);
    // Read again, as after SIGHUP.
    of.schedules.replace([often]);
    await pass(170);
    assert.deepEqual(of.begun, ["often main 15"]);
    release.resolve();
    await pass(20);
    assert.deepEqual(of.begun, ["often main 15", "night often 191"]);
  });

  test("of one client does not wait for another client's people", async () => {
    const release = Promise.withResolvers<void>();
    await using of = daemon([client("x"), client("y")], { atOnce: () => release.promise }, "2026-11-25T02:29:00Z");
    arrive("x", "a");
    await pass(70);
    assert.deepEqual(of.begun, ["x main 15", "night y 60"]);
    release.resolve();
    await pass(1);
    assert.equal(of.begun.at(-1), "night x 71");
  });
});

describe("a run at once that fails", () => {
  test("while another process holds the vault it waits a minute, two, four, and says so once", async () => {
    await using of = daemon([client("busy")], {
      async atOnce({ attempt }) {
        if (attempt < 4) throw held();
      },
    });
    arrive("busy", "a");
    await pass(1800);
    assert.deepEqual(of.begun, ["busy main 15", "busy main 75", "busy main 195", "busy main 435", "had a"]);
    assert.deepEqual(of.lines, ["another process holds the vault: people named by webhooks wait"]);
    assert.equal(of.told[0]!.due, "2026-11-25T12:01:15Z");
  });

  test("for a provider that is down it tries as a run does, then leaves it to the night, and says both once", async () => {
    await using of = daemon([client("down")], {
      async atOnce() {
        throw down();
      },
      async night() {
        throw down();
      },
    });
    arrive("down", "a");
    await pass(14 * 3600, 5);
    const times = of.begun.flatMap((line) => (line.startsWith("down main") ? [Number(line.split(" ")[2])] : []));
    assert.deepEqual(
      times.slice(0, 7).map((time) => Math.round((time - 15) / 60)),
      [0, 1, 3, 7, 15, 31, 61],
    );
    assert.ok(times.at(-1)! <= 6 * 3600 + 15, "no longer than a night");
    arrive("down", "b");
    await pass(300);
    assert.equal(of.begun.filter((line) => line.startsWith("down main")).length, times.length);
    assert.deepEqual(of.lines, [
      "cannot export people named by webhooks at once: trying again",
      "cannot export people named by webhooks at once: the next scheduled run takes them",
    ]);
    // The night fails too. After it, another attempt is made.
    await pass(3600, 5);
    assert.ok(of.begun.some((line) => line.startsWith("night down")));
    assert.ok(of.begun.filter((line) => line.startsWith("down main")).length > times.length);
  });

  test("in a way that trying again does not change, it waits for the night, also if others come meanwhile", async () => {
    await using of = daemon([client("key")], {
      async atOnce() {
        throw new HoldfastError("source-key", "refused");
      },
    });
    for (let hour = 0; hour < 10; hour += 1) {
      arrive("key", "a");
      await pass(3600, 5);
    }
    assert.deepEqual(of.begun, ["key main 15"]);
    assert.deepEqual(of.lines, ["cannot export people named by webhooks at once: the next scheduled run takes them"]);
    assert.equal(of.told[0]!.due, "2026-11-26T02:30:00Z");
    // SIGHUP: the key may be right now.
    of.watcher.replace([client("key")]);
    await pass(20);
    assert.equal(of.begun.length, 2);
  });

  test("because its inbox is no inbox: said once, and the other clients' are read", async () => {
    await using of = daemon([client("torn"), client("whole")]);
    arrive("torn", "a");
    arrive("whole", "a");
    rmSync(join(folder, "torn"), { recursive: true });
    arrive("torn", "a");
    for (const name of ["inbox.sqlite-wal", "inbox.sqlite-shm"]) rmSync(join(folder, "torn", name), { force: true });
    writeFileSync(join(folder, "torn", "inbox.sqlite"), "this is no database, and was never one of them".repeat(100));
    await pass(120);
    assert.deepEqual(of.lines, ["cannot read the inbox: people named by webhooks are not exported at once"]);
    assert.deepEqual(of.begun, ["whole main 15", "had a"]);
  });
});

test("SIGHUP that turns it off starts nothing more; SIGTERM waits for what is active and starts nothing", async () => {
  const release = Promise.withResolvers<void>();
  const of = daemon([client("off")], { atOnce: () => release.promise });
  arrive("off", "a");
  of.watcher.replace([]);
  await pass(120);
  assert.deepEqual(of.begun, []);
  of.watcher.replace([client("off")]);
  await pass(30);
  assert.deepEqual(of.begun, ["off main 135"]);
  of.stop.abort();
  let stopped = false;
  const stopping = Promise.all([of.schedules.stop(), of.watcher.stop()]).then(() => {
    stopped = true;
  });
  await pass(60);
  assert.equal(stopped, false, "it waits for what is active");
  release.resolve();
  await stopping;
  // What it had not settled is still there.
  assert.deepEqual(drain("off", "main"), ["a"]);
  assert.equal(of.begun.length, 1);
});
