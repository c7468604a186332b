import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, chown, cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { withoutCeph } from "../servers/s3.ts";
import { buildImage, type Image, lastStage } from "./image.ts";

let image: Image;
let sandbox: Sandbox;
before(async () => {
  image = await buildImage();
  sandbox = await startSandbox({ identities: 8 });
});
after(async () => {
  await sandbox[Symbol.asyncDispose]();
  await image[Symbol.asyncDispose]();
});

/** What an operator mounts: config, secrets, state and a folder for what comes out, those last two owned by 1000. */
async function mount(place: Workplace, vault: "directory" | "ceph"): Promise<void> {
  const state = image.path(`/var/lib/holdfast/${vault}`);
  const secrets = image.path("/run/secrets");
  for (const path of [state, image.path("/out")]) {
    await mkdir(path, { recursive: true });
    if (process.getuid?.() === 0) await chown(path, 1000, 1000);
  }
  await mkdir(secrets, { recursive: true });
  for (const [from, to] of [
    [place.path("keys/provider"), "provider"],
    [place.officer.file, "officer.txt"],
  ] as const) {
    await cp(from, join(secrets, to));
    await chmod(join(secrets, to), 0o644);
  }
  place.config.state = state;
  await place.configure({
    source: { apiKey: `file:${secrets}/provider` },
    lookups: { key: `file:${state}/keys/lookup` },
    log: { key: `file:${state}/keys/log` },
    ...(vault === "directory" ? { vault: { url: `file:${state}/vault` } } : {}),
  });
  await writeFile(image.path("/holdfast/config/holdfast.yaml"), stringify(place.config));
}

async function expect(code: number, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const ended = await image.run(...args);
  assert.equal(ended.code, code, `${args.join(" ")} ended with ${ended.code}:\n${ended.stderr}${ended.stdout}`);
  assert.doesNotMatch(ended.stderr, /Warning/);
  return ended;
}

for (const vault of ["directory", "ceph"] as const) {
  test(`a night's work by the image's command line, the vault ${vault === "ceph" ? "on Ceph RGW" : "a directory"}`, {
    skip: vault === "ceph" && withoutCeph,
  }, async () => {
    await using place = await makeWorkplace(sandbox, { vault, init: false });
    await mount(place, vault);
    await expect(0, "init", "--json");
    const { clients } = JSON.parse((await expect(0, "export", "--json")).stdout);
    assert.deepEqual([clients[0].new, clients[0].failed], [8, 0]);
    const again = JSON.parse((await expect(0, "export", "--json")).stdout);
    assert.deepEqual([again.clients[0].unchanged, again.clients[0].failed], [8, 0]);
    const key = image.path("/run/secrets/officer.txt");
    const verified = JSON.parse((await expect(0, "verify", "--read-data", "100", "--key", key, "--json")).stdout);
    assert.equal(verified.clients[0].problems, 0);
    await expect(0, "rebuild");
    await expect(0, "retention", "extend");

    const bag = image.path(`/out/${vault}`);
    const id = sandbox.ids()[0]!;
    const asked = ["--case", "1", "--requested-by", "FIU", "--reason", "asked", "--identity", id];
    await expect(0, "retrieve", ...asked, "--out", bag);
    await expect(0, "verify", bag);
    await expect(0, "open", bag, "--key", key, "--out", `${bag}-opened`);
    assert.ok((await readdir(`${bag}-opened`)).length > 0);

    const [record] = (await readdir(`${bag}/data`, { recursive: true })).filter((name) => name.endsWith(".age"));
    const sealed = join(bag, "data", record!);
    for (const [from, to] of [
      [sealed, "/opened"],
      ["/etc/hostname", image.path("/out/hostname")],
    ] as const) {
      const { stderr } = await expect(2, "open", from, "--key", key, "--out", to);
      assert.match(stderr, /cannot be (written|read) \(ERR_ACCESS_DENIED\)/);
      assert.doesNotMatch(stderr, /"stack"/);
    }

    const elsewhere = await expect(2, "retrieve", ...asked, "--out", image.path(`/srv/${vault}`));
    assert.match(elsewhere.stderr, /ERR_ACCESS_DENIED/);
    assert.doesNotMatch(elsewhere.stderr, /"stack"/);
  });
}

test("a state that is nowhere it may write: said in words, with what would allow it", async () => {
  await using place = await makeWorkplace(sandbox, { init: false });
  await mount(place, "directory");
  place.config.state = image.path("/srv/state");
  await writeFile(image.path("/holdfast/config/holdfast.yaml"), stringify(place.config));
  const { stderr } = await expect(1, "export");
  assert.match(stderr, /without \S+\/srv\/state\S*: name a place .* NODE_OPTIONS=--allow-fs-/);
  assert.doesNotMatch(stderr, /"stack"/);
});

describe("what the image's command line denies, though the user might", () => {
  const DENIED: Record<string, [attempt: string, code: string]> = {
    "a child process": [`(await import("node:child_process")).execFileSync("/bin/true")`, "ERR_ACCESS_DENIED"],
    "a worker thread": [`new (await import("node:worker_threads")).Worker("0", { eval: true })`, "ERR_ACCESS_DENIED"],
    "a native addon": [`process.dlopen({ exports: {} }, "/out/addon.node")`, "ERR_DLOPEN_DISABLED"],
    "the inspector": [`(await import("node:inspector")).open(0)`, "ERR_ACCESS_DENIED"],
    "reading another file": [`(await import("node:fs")).readFileSync("/etc/passwd")`, "ERR_ACCESS_DENIED"],
    "reading through /proc": [
      `(await import("node:fs")).readFileSync("/proc/self/root/etc/passwd")`,
      "ERR_ACCESS_DENIED",
    ],
    "writing elsewhere": [`(await import("node:fs")).writeFileSync("/tmp/outside", "")`, "ERR_ACCESS_DENIED"],
    "changing its own code": [
      `(await import("node:fs")).writeFileSync(process.cwd() + "/jobs/main.ts", "")`,
      "ERR_ACCESS_DENIED",
    ],
    "changing its config": [
      `(await import("node:fs")).writeFileSync(process.cwd() + "/config/holdfast.yaml", "")`,
      "ERR_ACCESS_DENIED",
    ],
    "a link that leads out": [
      `(await import("node:fs")).symlinkSync("/etc", process.env.HOME + "/../../out/etc")`,
      "ERR_ACCESS_DENIED",
    ],
  };
  for (const [what, [attempt, code]] of Object.entries(DENIED)) {
    test(what, async () => {
      const { stdout, stderr } = await image.probe(
        `try { ${attempt}; console.log("allowed"); } catch (error) { console.log(error.code + ": " + error.message); }`,
      );
      assert.ok(stdout.startsWith(`${code}: `), `${stdout}${stderr}`);
    });
  }

  test("and without --permission each of these but the inspector's and the addon's is allowed", async () => {
    for (const what of ["a child process", "a worker thread", "reading another file", "reading through /proc"]) {
      const source = `${DENIED[what]![0]}; process.exit(7)`;
      const failure = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", source]).then(
        () => assert.fail(),
        (error) => error,
      );
      assert.equal(failure.code, 7, what);
    }
  });
});

test("the image: no root, a command line without a shell, and nothing installed by a package's script", async () => {
  const stage = await lastStage();
  assert.match(stage.find(([name]) => name === "USER")![1], /^[1-9]\d*:[1-9]\d*$/);
  for (const name of ["ENTRYPOINT", "CMD"]) assert.ok(Array.isArray(JSON.parse(stage.find(([n]) => n === name)![1])));
  const options = image.entrypoint.slice(1, -1);
  assert.ok(options.includes("--permission"));
  for (const option of options) assert.doesNotMatch(option, /^--allow-(?!net$|fs-(read|write)=\/[a-z])/, option);
  for (const line of (await readFile("Dockerfile", "utf8")).split("\n").filter((text) => text.includes("npm ci")))
    assert.match(line, /--ignore-scripts/);
});
