import assert from "node:assert/strict";
import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Summary } from "../../src/export/summary.ts";
import type { Running } from "../cli/program.ts";
import { makeWorkplace, Workplace, type WorkplaceOptions } from "../export/workplace.ts";
import type { Sandbox } from "../sandbox/server.ts";
import { RedisServer } from "../servers/redis.ts";

/** A backfill on many machines: a workplace for the coordinator, one without log key for all workers, and Redis. */
export class Team implements AsyncDisposable {
  readonly place: Workplace;
  readonly workers: Workplace;
  readonly redis: RedisServer;
  #address: string;

  private constructor(place: Workplace, workers: Workplace, redis: RedisServer) {
    this.place = place;
    this.workers = workers;
    this.redis = redis;
    this.#address = redis.url;
  }

  static async make(sandbox: Sandbox, options: WorkplaceOptions & { keeps?: boolean } = {}): Promise<Team> {
    const redis = await RedisServer.start(options.keeps ?? false);
    const place = await makeWorkplace(sandbox, options);
    const folder = join(place.folder, "workers");
    const workers = new Workplace(folder, place.officer, place.escrow, structuredClone(place.config.clients[0]!));
    await cp(place.path("keys"), join(folder, "keys"), { recursive: true });
    await rm(join(folder, "keys/log"));
    const { vault } = await place.client();
    if (vault.kind === "directory") await workers.configure({ vault: { url: `file://${vault.path}` } });
    else await workers.configure();
    return new Team(place, workers, redis);
  }

  coordinate(...args: string[]): Running {
    return this.place.start("backfill", ["--json", "--workers", this.#address, ...args]);
  }

  work(): Running {
    return this.workers.start("worker", ["--json", "--redis", this.#address]);
  }

  /** Changes Redis's password, writes it to the file for new processes, and disconnects all clients. */
  async rotate(password: string): Promise<void> {
    const path = join(this.place.folder, "redis-address");
    await writeFile(path, this.redis.url.replace("redis://", `redis://:${password}@`));
    this.#address = `file:${path}`;
    await this.redis.rotate(password);
  }

  /** The coordinator's summary of a backfill that must succeed. */
  async summary(coordinator: Running): Promise<Summary> {
    const ended = await coordinator.ended;
    assert.equal(ended.code, 0, ended.stderr);
    return (ended.json as { clients: [Summary] }).clients[0];
  }

  /** Checks that everyone is in the vault and the log exactly once, and that the vault has nothing else. */
  async assertAllOnce(sandbox: Sandbox): Promise<void> {
    const stored = await this.place.stored();
    const ids = sandbox.ids();
    assert.equal(stored.size, ids.length);
    for (const id of ids) assert.equal(stored.get(await this.place.subject(id))?.length, 1, id);
    const args = ["--orphans", "--read-data", "100", "--key", this.place.officer.file];
    const [report] = await this.place.expect<{ problems: number }>(0, "verify", ...args);
    assert.equal(report!.problems, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.workers[Symbol.asyncDispose]();
    await this.place[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
  }
}
