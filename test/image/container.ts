import { execFile } from "node:child_process";
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Ended, runToEnd } from "../cli/program.ts";
import type { Config } from "./buildah.ts";

const run = promisify(execFile);

/** How long a container has to end, in ms: as long as config/compose.yaml gives it. */
const GRACE = 60_000;

/** A command in a container that is under way. */
export interface Running {
  readonly ended: Promise<Ended>;
  /** As `docker stop` does: SIGTERM to the container's first process, SIGKILL where that has not ended in a minute. */
  stop(): Promise<void>;
}

/**
 * What `docker run --read-only --cap-drop ALL --security-opt no-new-privileges --network host` makes of an image, by the
 * same runtime, runc: the image's own user, command line, environment and folder. The mounts are those at the head of the
 * Dockerfile.
 */
export class Containers implements AsyncDisposable {
  readonly #root: string;
  readonly #config: Config;
  readonly #folder: string;
  readonly #running = new Set<string>();
  #count = 0;

  private constructor(root: string, config: Config, folder: string) {
    this.#root = root;
    this.#config = config;
    this.#folder = folder;
  }

  static async open(root: string, config: Config): Promise<Containers> {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-container-"));
    const containers = new Containers(root, config, folder);
    for (const name of ["state", "out", "secrets"]) await mkdir(containers.path(name));
    for (const name of ["state", "out"]) await chown(containers.path(name), 1000, 1000);
    await writeFile(containers.path("holdfast.yaml"), "");
    return containers;
  }

  /** A file or folder that is mounted: `holdfast.yaml`, `secrets`, `state`, `out`. */
  path(...names: readonly string[]): string {
    return join(this.#folder, ...names);
  }

  /** `docker run holdfast <args>` */
  async start(...args: readonly string[]): Promise<Running> {
    return this.#start([...this.#config.Entrypoint, ...(args.length > 0 ? args : this.#config.Cmd)]);
  }

  /** The same, to its end. */
  async run(...args: readonly string[]): Promise<Ended> {
    return (await this.start(...args)).ended;
  }

  /** Another program in place of Holdfast's; by default with the options that the image gives Node. */
  async probe(source: string, options = this.#config.Entrypoint.slice(1, -1)): Promise<Ended> {
    return (await this.#start(["node", ...options, "--input-type=module", "--eval", source])).ended;
  }

  /** Where runc notes what runs. */
  get #state(): string[] {
    return ["--root", this.path("runc")];
  }

  async #start(args: readonly string[]): Promise<Running> {
    this.#count += 1;
    const id = `holdfast-test-${process.pid}-${this.#count}`;
    const bundle = this.path(id);
    await mkdir(bundle);
    await run("runc", ["spec", "--bundle", bundle]);
    await this.#specify(join(bundle, "config.json"), args);
    this.#running.add(id);
    const ended = runToEnd(["runc", ...this.#state, "run", "--bundle", bundle, id]).finally(() => {
      this.#running.delete(id);
    });
    const kill = (signal: string) => run("runc", [...this.#state, "kill", id, signal]);
    const stop = async (): Promise<void> => {
      await kill("TERM");
      const timer = setTimeout(() => void kill("KILL"), GRACE);
      void ended.finally(() => clearTimeout(timer));
    };
    return { ended, stop };
  }

  async #specify(file: string, args: readonly string[]): Promise<void> {
    const spec = JSON.parse(await readFile(file, "utf8"));
    const [uid, gid] = this.#config.User.split(":").map(Number);
    const credentials = Object.entries(process.env).filter(([name]) => /^AWS_(ACCESS|SECRET|REGION)/.test(name));
    Object.assign(spec.process, {
      terminal: false,
      user: { uid, gid },
      capabilities: {},
      cwd: this.#config.WorkingDir,
      env: [...this.#config.Env, ...credentials.map(([name, value]) => `${name}=${value}`)],
      args,
    });
    spec.root = { path: this.#root, readonly: true };
    spec.mounts.push(
      bind(this.path("holdfast.yaml"), "/holdfast/config/holdfast.yaml", "ro"),
      bind(this.path("secrets"), "/run/secrets", "ro"),
      bind(this.path("state"), "/var/lib/holdfast", "rw"),
      bind(this.path("out"), "/out", "rw"),
    );
    // The provider and the bucket of the tests are on this machine's loopback.
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }: { type: string }) => type !== "network");
    await writeFile(file, JSON.stringify(spec));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What a failed test left running.
    for (const id of this.#running) await run("runc", [...this.#state, "delete", "--force", id]);
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function bind(source: string, destination: string, access: "ro" | "rw"): object {
  return { source, destination, type: "bind", options: ["bind", access] };
}
