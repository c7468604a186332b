import assert from "node:assert/strict";
import { chmod, cp, lstat, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { stringify } from "yaml";
import type { Ended } from "../cli/program.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { withoutCeph } from "../servers/s3.ts";
import { Buildah, withoutBuildah } from "./buildah.ts";
import { Containers } from "./container.ts";

const KEY = ["--key", "/run/secrets/officer.txt"];
/** Bytes of what the image adds to its base: 5.9 MB when this was written, 52 MB with sources and packages. */
const MOST = 7e6;

describe("the image, built from the Dockerfile and run read-only by runc", { skip: withoutBuildah }, () => {
  let buildah: Buildah;
  let root: string;
  let image: Awaited<ReturnType<Buildah["inspect"]>>;
  let sandbox: Sandbox;
  before(async () => {
    buildah = await Buildah.open();
    await buildah.makeBase();
    const name = await buildah.build();
    image = await buildah.inspect(name);
    root = await buildah.mount(name);
    sandbox = await startSandbox({ identities: 8, plainImages: true });
  });
  after(async () => {
    await sandbox?.[Symbol.asyncDispose]();
    await buildah[Symbol.asyncDispose]();
  });

  /** A client's config and secrets where the image has them, and its state in the mounted folder. */
  async function open(place: Workplace, changes: Record<string, unknown> = {}): Promise<Containers> {
    const containers = await Containers.open(root, image.config);
    for (const [from, to] of [
      [place.path("keys/provider"), "provider"],
      [place.officer.file, "officer.txt"],
    ] as const) {
      await cp(from, containers.path("secrets", to));
      await chmod(containers.path("secrets", to), 0o644);
    }
    await place.configure({
      source: { apiKey: "file:/run/secrets/provider" },
      lookups: { key: "file:/var/lib/holdfast/keys/lookup" },
      log: { key: "file:/var/lib/holdfast/keys/log" },
    });
    await configure(containers, { ...place.config, state: "/var/lib/holdfast", ...changes });
    return containers;
  }

  test("holds the bundle, licences and the example config: no packages, no sources, nothing its user may change", async (t) => {
    const files = (await readdir(join(root, "holdfast"), { recursive: true })).sort();
    const program = files.filter((name) => name.startsWith("program/"));
    for (const name of program) assert.match(name, /^program\/([\w.-]+\.js|package\.json)$/);
    assert.ok(program.includes("program/holdfast.js"));
    const others = ["LICENSE", "THIRD-PARTY-LICENSES.txt", "config", "config/holdfast.example.yaml", "program"];
    assert.deepEqual(
      files.filter((name) => !name.startsWith("program/")),
      others,
    );
    for (const name of ["", ...files]) {
      const { uid, gid, mode } = await stat(join(root, "holdfast", name));
      assert.deepEqual([uid, gid, mode & 0o022], [0, 0, 0], name);
    }
    const [base, added] = image.layers as [number, number];
    assert.equal(image.layers.length, 2);
    t.diagnostic(`${(added / 1e6).toFixed(1)} MB above a base of ${(base / 1e6).toFixed(0)} MB`);
    assert.ok(added < MOST, `${added} bytes`);
  });

  test("its user is 1000, its command line has no shell, and denies all but what it names", async () => {
    const { User, Entrypoint, Cmd, Env } = image.config;
    assert.ok(Env.includes("HOLDFAST_LOG_FORMAT=json"));
    assert.equal(User, "1000:1000");
    assert.deepEqual([Entrypoint[0], Entrypoint.at(-1)], ["node", "program/holdfast.js"]);
    assert.ok(Entrypoint.includes("--permission"));
    for (const option of Entrypoint) assert.doesNotMatch(option, /^--allow-(?!net$|fs-(read|write)=\/[a-z])/, option);
    await using place = await makeWorkplace(sandbox, { init: false });
    await using containers = await open(place);
    const help = await containers.run();
    assert.deepEqual([help.code, help.stderr], [0, ""]);
    assert.match(help.stdout, /^Usage: holdfast /);
    assert.deepEqual(Cmd, ["--help"]);
  });

  test("a night's work and an auditor's, the vault a directory", async () => {
    await using place = await makeWorkplace(sandbox, { init: false });
    await place.configure({ vault: { url: "file:/var/lib/holdfast/vault" } });
    await using containers = await open(place);
    const run = expectOf(containers);
    await run(0, "init", "--json");
    await run(0, "doctor");
    const first = client(await run(0, "export", "--json"));
    assert.deepEqual([first.new, first.failed], [8, 0]);
    const again = client(await run(0, "export", "--json"));
    assert.deepEqual([again.unchanged, again.failed], [8, 0]);
    const verified = client(await run(0, "verify", "--read-data", "100", ...KEY, "--json"));
    assert.equal(verified.problems, 0);
    await run(0, "rebuild");
    await run(0, "retention", "extend");

    const asked = asking(sandbox);
    await run(0, "retrieve", ...asked, "--out", "/out/bag");
    await run(0, "verify", "/out/bag");
    await run(0, "open", "/out/bag", ...KEY, "--out", "/out/opened");
    assert.ok((await readdir(containers.path("out/opened"))).length > 0);
    for (const folder of ["state", "out"]) {
      for (const name of await readdir(containers.path(folder), { recursive: true })) {
        const { uid, gid } = await lstat(containers.path(folder, name));
        assert.deepEqual([uid, gid], [1000, 1000], name);
      }
    }

    const [record] = (await readdir(containers.path("out/bag/data"), { recursive: true })).filter((name) =>
      name.endsWith(".age"),
    );
    for (const [from, to] of [
      [`/out/bag/data/${record}`, "/opened"],
      ["/etc/debian_version", "/out/version"],
    ] as const) {
      const { stderr } = await run(2, "open", from, ...KEY, "--out", to);
      assert.match(stderr, /cannot be (written|read) \(ERR_ACCESS_DENIED\)/);
      assert.doesNotMatch(stderr, /"stack"/);
    }
    const elsewhere = await run(2, "retrieve", ...asked, "--out", "/srv/bag");
    assert.match(elsewhere.stderr, /ERR_ACCESS_DENIED/);
    assert.doesNotMatch(elsewhere.stderr, /"stack"/);
  });

  test("the same in short, the vault on Ceph RGW", { skip: withoutCeph }, async () => {
    await using place = await makeWorkplace(sandbox, { vault: "ceph", init: false });
    await using containers = await open(place);
    const run = expectOf(containers);
    await run(0, "init");
    const exported = client(await run(0, "export", "--json"));
    assert.deepEqual([exported.new, exported.failed], [8, 0]);
    await run(0, "retrieve", ...asking(sandbox), "--out", "/out/bag");
    await run(0, "verify", "/out/bag");
    const { problems } = client(await run(0, "verify", "--json"));
    assert.equal(problems, 0);
  });

  test("SIGTERM in the middle of a run stops the daemon cleanly, and the next run continues", async () => {
    await using place = await makeWorkplace(sandbox, { init: false });
    await place.configure({ vault: { url: "file:/var/lib/holdfast/vault" } });
    await using containers = await open(place, { schedule: { cron: "* * * * * *" } });
    const run = expectOf(containers);
    await run(0, "init");
    const begun = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    let lists = 0;
    sandbox.intercept((request, response) => {
      // The first run passes; the second waits for the provider until it is asked to stop.
      if (!request.url!.includes("/identities?") || ++lists < 2) return false;
      begun.resolve();
      void release.promise.then(() => response.writeHead(503, { "Retry-After": "0" }).end());
      return true;
    });
    const daemon = await containers.start("export", "--schedule");
    await Promise.race([begun.promise, daemon.ended.then(({ stderr }) => assert.fail(stderr))]);
    await daemon.stop();
    release.resolve();
    const { code, stderr } = await daemon.ended;
    sandbox.intercept(undefined);
    assert.ok(code === 0 || code === 130, `${code}:\n${stderr}`);
    const next = client(await run(0, "export", "--json"));
    assert.deepEqual([next.unchanged, next.failed], [8, 0]);
    await run(0, "verify");
  });

  test("a state that is nowhere it may write: said in words, with what would allow it", async () => {
    await using place = await makeWorkplace(sandbox, { init: false });
    await place.configure({ vault: { url: "file:/var/lib/holdfast/vault" } });
    await using containers = await open(place);
    const run = expectOf(containers);
    await run(0, "init");
    await configure(containers, { ...place.config, state: "/srv/state" });
    const { stderr } = await run(1, "export");
    assert.match(stderr, /without access to \/srv\/state\S*\. Use a path .* NODE_OPTIONS=--allow-fs-/);
    assert.doesNotMatch(stderr, /"stack"/);
  });

  describe("what its command line denies, though the user might", () => {
    const DENIED: Record<string, [attempt: string, code: string]> = {
      "a child process": [`(await import("node:child_process")).execFileSync("/bin/true")`, "ERR_ACCESS_DENIED"],
      "a worker thread": [`new (await import("node:worker_threads")).Worker("0", { eval: true })`, "ERR_ACCESS_DENIED"],
      "a native addon": [`process.dlopen({ exports: {} }, "/out/addon.node")`, "ERR_DLOPEN_DISABLED"],
      "the inspector": [`(await import("node:inspector")).open(0)`, "ERR_ACCESS_DENIED"],
      "reading another file": [`(await import("node:fs")).readFileSync("/etc/debian_version")`, "ERR_ACCESS_DENIED"],
      "reading through /proc": [
        `(await import("node:fs")).readFileSync("/proc/self/root/etc/debian_version")`,
        "ERR_ACCESS_DENIED",
      ],
      "writing elsewhere": [`(await import("node:fs")).writeFileSync("/tmp/outside", "")`, "ERR_ACCESS_DENIED"],
      "changing its own code": [
        `(await import("node:fs")).writeFileSync("/holdfast/program/holdfast.js", "")`,
        "ERR_ACCESS_DENIED",
      ],
      "changing its config": [
        `(await import("node:fs")).writeFileSync("/holdfast/config/holdfast.yaml", "")`,
        "ERR_ACCESS_DENIED",
      ],
      "a link that leads out": [`(await import("node:fs")).symlinkSync("/etc", "/out/etc")`, "ERR_ACCESS_DENIED"],
    };
    const WITHOUT = ["a child process", "a worker thread", "reading another file", "reading through /proc"];
    /** One container tries all: what came of each, by its name. */
    async function tried(names: readonly string[], options?: string[]): Promise<Record<string, string>> {
      const lines = names.map(
        (name) =>
          `try { ${DENIED[name]![0]}; came[${JSON.stringify(name)}] = "allowed"; }` +
          ` catch (error) { came[${JSON.stringify(name)}] = error.code + ": " + error.message; }`,
      );
      const script = ["const came = {};", ...lines, "console.log(JSON.stringify(came)); process.exit();"].join("\n");
      const { stdout, stderr } = await containers.probe(script, options);
      assert.ok(stdout.startsWith("{"), `${stdout}${stderr}`);
      return JSON.parse(stdout);
    }
    let containers: Containers;
    let denied: Record<string, string>;
    before(async () => {
      containers = await Containers.open(root, image.config);
      denied = await tried(Object.keys(DENIED));
    });
    after(() => containers[Symbol.asyncDispose]());

    for (const [what, [, code]] of Object.entries(DENIED)) {
      test(what, () => {
        assert.ok(denied[what]?.startsWith(`${code}: `), denied[what] ?? "not tried");
      });
    }

    test("and without --permission these are allowed, on a file system that stays read-only", async () => {
      const came = await tried([...WITHOUT, "writing elsewhere"], []);
      for (const what of WITHOUT) assert.equal(came[what], "allowed", what);
      assert.match(came["writing elsewhere"]!, /^EROFS: /);
    });
  });
});

/** What `retrieve` needs beside a folder. */
function asking(sandbox: Sandbox): string[] {
  return ["--case", "1", "--requested-by", "FIU", "--reason", "asked", "--identity", sandbox.ids()[0]!];
}

function configure(containers: Containers, config: object): Promise<void> {
  return writeFile(containers.path("holdfast.yaml"), stringify(config));
}

/** What a command with `--json` says of the client. */
function client({ json }: Ended): Record<string, unknown> {
  return (json as { clients: Record<string, unknown>[] }).clients[0]!;
}

/** Runs a command that must end with this code, without a warning of Node's. */
function expectOf(containers: Containers): (code: number, ...args: string[]) => Promise<Ended> {
  return async (code, ...args) => {
    const ended = await containers.run(...args);
    assert.equal(ended.code, code, `${args.join(" ")} ended with ${ended.code}:\n${ended.stderr}${ended.stdout}`);
    assert.doesNotMatch(ended.stderr, /Warning/);
    return ended;
  };
}
