import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort, onPath } from "./ceph.ts";

/** From Debian's libnss-wrapper. It gives one process host names that the machine does not know. */
const NSS_WRAPPER = "libnss_wrapper.so";

/** For `test(name, { skip })`. In CI, test/setup.ts fails instead. */
export const withoutProxy: string | false =
  onPath("tinyproxy") || process.env.CI ? false : "tinyproxy is not installed";

/**
 * A real forward proxy on loopback. Only the proxy can resolve `names`, all to 127.0.0.1. It requires the user
 * `holdfast` and the password `pass-7f3d9b1c`.
 */
export async function startProxy(names: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-proxy-"));
  const port = await freePort();
  const log = join(folder, "log");
  const config = join(folder, "tinyproxy.conf");
  await writeFile(
    config,
    [
      ...[`Port ${port}`, "Listen 127.0.0.1", "Timeout 60", "Allow 127.0.0.1", "BasicAuth holdfast pass-7f3d9b1c"],
      ...[`LogFile "${log}"`, "LogLevel Connect", "MaxClients 50", ""],
    ].join("\n"),
  );
  await writeFile(join(folder, "hosts"), names.map((name) => `127.0.0.1 ${name}\n`).join(""));
  const child = spawn("tinyproxy", ["-d", "-c", config], {
    env: { ...process.env, LD_PRELOAD: NSS_WRAPPER, NSS_WRAPPER_HOSTS: join(folder, "hosts") },
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`tinyproxy ended with ${child.exitCode}`);
    await delay(20);
  }
  return {
    port,
    /** For HTTPS_PROXY. */
    url: `http://holdfast:pass-7f3d9b1c@127.0.0.1:${port}`,
    /** The hosts and ports that clients asked to connect to, in order. */
    async asked(): Promise<string[]> {
      const lines = await readFile(log, "utf8");
      return [...lines.matchAll(/CONNECT (\S+) HTTP/g)].map(([, host]) => host!);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    const end = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}
