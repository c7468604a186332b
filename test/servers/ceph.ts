import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Debian packages of all real servers and programs that the tests use. `.ci/run` has the same list. */
export const PACKAGES = [
  ...["radosgw", "ceph-mon", "ceph-osd", "ceph-common", "age", "redis-server", "chromium", "openssh-client"],
  ...["prometheus", "prometheus-pushgateway", "systemd", "openssl", "zsh", "fish"],
  ...["buildah", "mmdebstrap", "runc"],
];
const PROGRAMS = [
  ...["radosgw", "ceph-mon", "ceph-osd", "ceph", "age", "redis-server", "chromium", "ssh-keygen"],
  ...["promtool", "prometheus-pushgateway", "systemd-analyze", "buildah", "mmdebstrap"],
];

export interface Ceph {
  readonly endpoint: string;
  stop(): void;
}

/** Whether the real servers and programs are installed. As root on Debian, tries to install them first. */
export function installed(): boolean {
  const here = () => PROGRAMS.every((name) => onPath(name));
  if (here()) return true;
  if (process.getuid?.() !== 0 || !onPath("apt-get")) return false;
  console.error(`installing ${PACKAGES.join(" ")} for the tests …`);
  execFileSync("apt-get", ["update", "-qq"], { stdio: "ignore" });
  execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...PACKAGES], { stdio: "ignore" });
  return here();
}

/** Starts a new one-node Ceph with its S3 gateway on loopback. Takes about 15 seconds. */
export async function startCeph(): Promise<Ceph> {
  const folder = join(mkdtempSync(join(tmpdir(), "holdfast-ceph-")), "cluster");
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const stop = () => {
    const run = join(folder, "run");
    for (const name of existsSync(run) ? readdirSync(run) : []) {
      if (!name.endsWith(".pid")) continue;
      try {
        process.kill(Number(readFileSync(join(run, name), "utf8")), "SIGKILL");
      } catch {
        // It has already exited.
      }
    }
    rmSync(join(folder, ".."), { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await promisify(execFile)("bash", [join(import.meta.dirname, "ceph-rgw.sh"), folder, ...ports.map(String)], {
      timeout: 180_000,
    });
  } catch (error) {
    stop();
    throw error;
  }
  return { endpoint: `http://127.0.0.1:${ports[0]}`, stop };
}

export function onPath(name: string): boolean {
  return (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, name)));
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
