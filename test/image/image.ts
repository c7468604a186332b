import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** How a command of the image ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * What `docker build` would make, in a folder of its own: the files that the Dockerfile copies, the packages that
 * `npm ci --omit=dev` installs, and its command line, with the image's paths below that folder.
 */
export class Image implements AsyncDisposable {
  readonly folder: string;
  readonly entrypoint: readonly string[];

  constructor(folder: string, entrypoint: readonly string[]) {
    this.folder = folder;
    this.entrypoint = entrypoint;
  }

  /** Where a path of the image is here. */
  path(path: string): string {
    return join(this.folder, path);
  }

  /** What `docker run holdfast <args>` runs. */
  run(...args: string[]): Promise<Ended> {
    return this.#node(this.entrypoint.slice(1), args);
  }

  /** The same command line, another program in place of Holdfast's. */
  probe(source: string): Promise<Ended> {
    return this.#node([...this.entrypoint.slice(1, -1), "--input-type=module", "--eval", source], []);
  }

  #node(options: readonly string[], args: readonly string[]): Promise<Ended> {
    const mapped = options.map((option) => option.replace(/(?<==)\/(?!proc\/).*/, (path) => this.path(path)));
    const env = { ...process.env, HOME: this.path("/home/node"), NODE_ENV: "production", NODE_TEST_CONTEXT: undefined };
    // As in the image: no root. Whoever runs the tests without root is none anyway.
    const user = process.getuid?.() === 0 ? { uid: 1000, gid: 1000 } : {};
    return new Promise((resolve, reject) => {
      execFile(
        process.execPath,
        [...mapped, ...args],
        { cwd: this.path("/holdfast"), env, ...user, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) => {
          if (error && typeof error.code !== "number") reject(error);
          else resolve({ code: Number(error?.code ?? 0), stdout, stderr });
        },
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The last stage's instructions, continued lines joined: `["COPY", "jobs jobs"]`. */
export async function lastStage(): Promise<[name: string, rest: string][]> {
  const text = (await readFile(join(ROOT, "Dockerfile"), "utf8")).replace(/^#.*\n/gm, "").replaceAll(/\\\n\s*/g, "");
  const lines = text.split("\n").filter((line) => line !== "");
  return lines
    .slice(lines.findLastIndex((line) => line.startsWith("FROM ")))
    .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]);
}

export async function buildImage(): Promise<Image> {
  const stage = await lastStage();
  const [, entrypoint] = stage.find(([name]) => name === "ENTRYPOINT")!;
  const image = new Image(await mkdtemp(join(tmpdir(), "holdfast-image-")), JSON.parse(entrypoint));
  await chmod(image.folder, 0o755);
  for (const path of await productionPackages()) {
    await cp(join(ROOT, path), image.path(`/holdfast/${path}`), { recursive: true });
  }
  for (const [name, rest] of stage) {
    if (name !== "COPY" || rest.startsWith("--from=")) continue;
    const paths = rest.split(" ");
    const target = paths.pop()!;
    for (const path of paths) {
      const to = join(
        image.path("/holdfast"),
        target.endsWith("/") || target === "." ? join(target, path.split("/").at(-1)!) : target,
      );
      await mkdir(dirname(to), { recursive: true });
      await cp(join(ROOT, path), to, { recursive: true });
    }
  }
  return image;
}

/** The folders that `npm ci --omit=dev` makes; packages for other platforms are not there. */
export async function productionPackages(): Promise<string[]> {
  const { packages } = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;
  };
  return Object.entries(packages)
    .filter(([path, { dev, optional, devOptional }]) => path !== "" && !dev && !devOptional && !optional)
    .map(([path]) => path);
}
