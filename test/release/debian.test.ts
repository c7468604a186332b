import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { parse, stringify } from "yaml";
import { buildDebianPackage } from "../../release/debian.ts";
import { buildExecutable } from "../../release/executable.ts";
import { type Ended, runToEnd } from "../cli/program.ts";
import { startSandbox } from "../sandbox/server.ts";
import { onPath } from "../servers/ceph.ts";
import { cephEndpoint, lockedBucket, withoutCeph } from "../servers/s3.ts";

const run = promisify(execFile);
/** In CI nothing is skipped: there the test fails and says what is missing. */
const isPossible = process.env.CI || (process.getuid?.() === 0 && ["mmdebstrap", "dpkg-deb", "unshare"].every(onPath));
const DEPENDS = ["adduser", "ca-certificates", "libatomic1", "libgcc-s1", "libstdc++6"];

/** User and group without rights on Debian, by number. */
const STRANGER = "65534";

describe("the Debian package", { skip: isPossible ? false : "needs root and mmdebstrap" }, () => {
  let folder: string;
  let root: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-debian-test-"));
    const tarball = join(folder, "root.tar");
    root = join(folder, "root");
    await mkdir(root);
    await run("mmdebstrap", ["--variant=essential", `--include=${DEPENDS.join(",")}`, "bookworm", tarball]);
    await run("tar", ["-xf", tarball, "-C", root]);
    const { file: executable } = await buildExecutable(folder);
    const time = Date.UTC(2026, 10, 29) / 1000;
    file = await buildDebianPackage(folder, { executable, licences: "", time, compression: "none" });
    await cp(file, join(root, "root", basename(file)));
  });
  after(() => rm(folder, { recursive: true }));

  /** Runs a command in the root, with its own /proc: Node uses that to find itself. The user's group has the same name or number. */
  const inside = (user: string, ...line: string[]): Promise<Ended> => {
    const options = ["--fork", "--pid", `--root=${root}`, `--mount-proc=/proc`];
    return runToEnd(
      ["unshare", ...options, "setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups", ...line],
      {
        env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/nonexistent", TMPDIR: "/tmp" },
      },
    );
  };
  const asRoot = (...line: string[]): Promise<Ended> => inside("root", ...line);
  const holdfast = (...args: string[]): Promise<Ended> => inside("holdfast", "holdfast", ...args);
  const good = async (ended: Promise<Ended>): Promise<Ended> => {
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 0, stdout + stderr);
    return ended;
  };
  const firstExport = async (holdfast: (...args: string[]) => Promise<Ended>): Promise<void> => {
    await holdfast("init");
    await holdfast("doctor");
    const { json } = await holdfast("export", "--json");
    assert.equal((json as { clients: { new: number }[] }).clients[0]!.new, 4);
    await holdfast("verify", "--read-data", "100");
  };
  const there = (path: string): Promise<boolean> =>
    stat(join(root, path)).then(
      () => true,
      () => false,
    );

  test("installs on a minimal Debian, with its own user and the files that shells and systemd look for", async () => {
    await good(asRoot("dpkg", "--install", `/root/${basename(file)}`));
    assert.equal((await good(asRoot("dpkg", "--verify", "holdfast"))).stdout, "");
    const passwd = await readFile(join(root, "etc/passwd"), "utf8");
    const [, uid] = /^holdfast:x:(\d+):\d+:.*:\/var\/lib\/holdfast:\/usr\/sbin\/nologin$/m.exec(passwd)!;
    const state = await stat(join(root, "var/lib/holdfast"));
    assert.deepEqual([state.uid, state.mode & 0o777], [Number(uid), 0o700]);
    const etc = await stat(join(root, "etc/holdfast"));
    assert.deepEqual([etc.uid, etc.mode & 0o777], [0, 0o750]);
    for (const unit of await readdir("config/systemd")) {
      assert.equal(
        await readFile(join(root, "usr/lib/systemd/system", unit), "utf8"),
        await readFile(join("config/systemd", unit), "utf8"),
      );
    }
    await run("bash", ["-n", join(root, "usr/share/bash-completion/completions/holdfast")]);
    for (const path of ["usr/share/zsh/vendor-completions/_holdfast", "usr/share/doc/holdfast/copyright"]) {
      assert.ok(await there(path), path);
    }
    const manual = gunzipSync(await readFile(join(root, "usr/share/man/man1/holdfast.1.gz"))).toString("utf8");
    for (const command of ["export", "retention purge", "hold place", "verify", "rebuild"]) {
      assert.match(manual, new RegExp(`^\\.SS holdfast ${command}\n\\.EX\nUsage: holdfast`, "m"), command);
    }
  });

  test("works there as its user: keys, an export, a proof; others cannot read config and keys", async () => {
    await using sandbox = await startSandbox({ identities: 4, plainImages: true });
    const recipients = await Promise.all([generateX25519Identity(), generateX25519Identity()]);
    const client = {
      id: "acme-bank",
      collect: "full",
      legalBasis: ["Regulation (EU) 2024/1624 Art. 77"],
      source: { kind: "passbase", url: sandbox.url, apiKey: "env:KEY", rate: "1000/s" },
      recipients: await Promise.all(recipients.map((identity) => identityToRecipient(identity))),
      vault: { url: "file:/var/lib/holdfast/vault", lock: "governance" },
      lookups: { key: "file:/var/lib/holdfast/keys/acme-bank.lookup-key" },
      log: { origin: "acme-bank.example/holdfast", key: "file:/var/lib/holdfast/keys/acme-bank.log-key" },
      retention: { keep: "P5Y", from: "relationship-end" },
    };
    const config = join(root, "etc/holdfast/holdfast.yaml");
    await writeFile(config, stringify({ state: "/var/lib/holdfast", clients: [client] }), { mode: 0o640 });
    await good(asRoot("chgrp", "holdfast", "/etc/holdfast/holdfast.yaml"));
    const env = (...args: string[]): Promise<Ended> =>
      good(inside("holdfast", "env", `KEY=${sandbox.apiKey}`, "holdfast", ...args));
    await firstExport(env);
    const other = await inside(STRANGER, "cat", "/etc/holdfast/holdfast.yaml");
    assert.match(other.stderr, /Permission denied/);
    assert.match((await inside(STRANGER, "ls", "/var/lib/holdfast")).stderr, /Permission denied/);
  });

  test("works there with a bucket on S3", { skip: withoutCeph }, async () => {
    await using sandbox = await startSandbox({ identities: 4, plainImages: true });
    const config = join(root, "etc/holdfast/holdfast.yaml");
    const { state, clients } = parse(await readFile(config, "utf8"));
    const vault = { url: `s3://${await lockedBucket()}/acme-bank`, endpoint: cephEndpoint, forcePathStyle: true };
    const source = { ...clients[0].source, url: sandbox.url };
    const client = { ...clients[0], source, vault: { ...vault, lock: "governance" } };
    await writeFile(config, stringify({ state: `${state}/s3`, clients: [client] }));
    const names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"];
    const variables = [`KEY=${sandbox.apiKey}`, ...names.map((name) => `${name}=${process.env[name]}`)];
    await firstExport((...args) => good(inside("holdfast", "env", ...variables, "holdfast", ...args)));
  });

  test("as root, new prints the steps to run it as the service's user", async () => {
    const recipient = await identityToRecipient(await generateX25519Identity());
    const flags = [
      "--client",
      "shop",
      "--origin",
      "shop.example/holdfast",
      "--vault",
      "file:/var/lib/holdfast/shop",
      "--state",
      "/var/lib/holdfast/state",
    ];
    const out = "/etc/holdfast/shop.yaml";
    const { stdout } = await good(
      asRoot(
        "holdfast",
        "new",
        "--out",
        out,
        ...flags,
        "--provider",
        "persona",
        "--recipient",
        recipient,
        "--law",
        "eu-amlr",
      ),
    );
    const [share] = /chgrp holdfast \S+ && chmod 0640 \S+/.exec(stdout)!;
    await good(asRoot("sh", "-c", share));
    await good(
      asRoot(
        "runuser",
        "-u",
        "holdfast",
        "--",
        "sh",
        "-c",
        "umask 077; mkdir -p /var/lib/holdfast/keys; echo key > /var/lib/holdfast/keys/shop.api-key",
      ),
    );
    const [init] = /runuser -u holdfast -- holdfast init --config \S+/.exec(stdout)!;
    await good(asRoot("sh", "-c", init));
    assert.ok(await there("var/lib/holdfast/shop/vault.json"));
  });

  test("can be removed and purged: the program is deleted, config, state and keys stay", async () => {
    // Like a machine whose configs are kept elsewhere.
    await rename(join(root, "etc/holdfast"), join(root, "srv/holdfast"));
    await symlink("/srv/holdfast", join(root, "etc/holdfast"));
    await good(asRoot("chmod", "0750", "/var/lib/holdfast"));
    await good(asRoot("dpkg", "--install", `/root/${basename(file)}`));
    assert.equal((await stat(join(root, "var/lib/holdfast"))).mode & 0o777, 0o750);
    await good(asRoot("dpkg", "--remove", "holdfast"));
    assert.ok(!(await there("usr/bin/holdfast")) && !(await there("usr/lib/systemd/system/holdfast.service")));
    const { stdout } = await good(asRoot("dpkg", "--purge", "holdfast"));
    assert.match(stdout, /\/etc\/holdfast and \/var\/lib\/holdfast are kept/);
    assert.ok(await there("var/lib/holdfast/keys/acme-bank.log-key"));
    assert.ok(await there("srv/holdfast/holdfast.yaml"));
    assert.equal(await readlink(join(root, "etc/holdfast")), "/srv/holdfast");
    assert.notEqual((await holdfast("--version")).code, 0);
  });
});
