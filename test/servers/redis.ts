import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { freePort, onPath } from "./ceph.ts";

/** For `test(name, { skip })`. In CI, test/setup.ts fails instead. */
export const withoutRedis: string | false = onPath("redis-server") ? false : "redis-server is not installed";

/** A real Redis on loopback that can be killed and restarted. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "holdfast-redis-"));
  readonly #keeps: boolean;
  #password: string | undefined;
  #process: ChildProcess | undefined;
  #gone: Promise<unknown> | undefined;

  private constructor(port: number, keeps: boolean) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#keeps = keeps;
  }

  /** @param keeps whether it keeps its data after a kill */
  static async start(keeps: boolean): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), keeps);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const keep = this.#keeps ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
    const args = ["--port", String(this.port), "--bind", "127.0.0.1", "--save", "", "--dir", this.#folder, ...keep];
    this.#process = spawn("redis-server", args, { stdio: "ignore" });
    const child = this.#process;
    this.#gone = new Promise((resolve) => child.once("exit", resolve));
    while (!(await this.#answers())) {
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
      await delay(20);
    }
  }

  /** Does nothing if it was killed already. */
  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#gone;
  }

  /** Changes the password and disconnects all clients. */
  async rotate(password: string): Promise<void> {
    await this.with(async (client) => {
      await client.config("SET", "requirepass", password);
      await client.call("CLIENT", "KILL", "SKIPME", "yes");
    });
    this.#password = password;
  }

  /** Runs `work` with a client of its own. It fails if its connection drops, also because the password is rotated. */
  async with<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const password = this.#password === undefined ? {} : { password: this.#password };
    // A client that connects again with the former password would never get an answer to what it had asked.
    const client = new Redis(this.port, "127.0.0.1", { ...password, retryStrategy: () => null });
    client.on("error", () => {});
    try {
      return await work(client);
    } finally {
      client.disconnect();
    }
  }

  /** Everything ever written to it, if it keeps its data. */
  history(): string {
    const folder = join(this.#folder, "appendonlydir");
    return readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), "latin1"))
      .join("");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = createConnection(this.port, "127.0.0.1", () => socket.write("PING\r\n"));
      socket.on("data", (data) => {
        socket.destroy();
        resolve(String(data).startsWith("+PONG"));
      });
      socket.on("error", () => resolve(false));
    });
  }
}
