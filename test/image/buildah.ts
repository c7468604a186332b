import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onPath } from "../servers/ceph.ts";

const run = promisify(execFile);
const BASE = "localhost/node:stand-in";

/** What an image says of itself, as the OCI specification has it. */
export interface Config {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly WorkingDir: string;
}

/** Builds images with buildah from the Dockerfile, in a store of its own below the temporary folder. */
export class Buildah implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<Buildah> {
    return new Buildah(await mkdtemp(join(tmpdir(), "holdfast-image-")));
  }

  /** Builds the Dockerfile on `makeBase`'s image and gives the new image's name. */
  async build(): Promise<string> {
    const { text, certificates } = await npmSettings();
    const settings = join(this.folder, "npmrc");
    await writeFile(settings, text, { mode: 0o600 });
    // Mounted while the build runs: none of it is in the image.
    const mounts = [
      `${settings}:/usr/local/etc/npmrc:ro`,
      ...(certificates ? [`${certificates}:${certificates}:ro`] : []),
    ];
    const volumes = mounts.flatMap((one) => ["--volume", one]);
    const options = ["--isolation", "chroot", "--pull=never", "--layers=false", "--quiet"];
    await this.#buildah("bud", ...options, "--build-arg", `NODE=${BASE}`, ...volumes, "--tag", "holdfast", ".");
    return "holdfast";
  }

  /**
   * An image that replaces node:26-slim, which no Debian mirror has: Debian's shell, coreutils and the libraries that
   * Node needs, the Node that the tests run on, and this machine's npm. The packages are unpacked and not set up: nothing
   * here needs that, and it takes 3 seconds instead of 25.
   */
  async makeBase(): Promise<void> {
    const tarball = join(this.folder, "debian.tar");
    const packages = ["base-files", "coreutils", "dash", "libatomic1", "libc-bin", "libstdc++6"];
    await run("mmdebstrap", ["--variant=extract", `--include=${packages.join(",")}`, "bookworm", tarball]);
    const container = await this.#buildah("from", "scratch");
    const root = await this.#buildah("mount", container);
    await run("tar", ["-xf", tarball, "-C", root]);
    await rm(tarball);
    const local = join(root, "usr/local");
    await mkdir(join(local, "bin"), { recursive: true });
    await cp(process.execPath, join(local, "bin/node"));
    const { stdout: npm } = await run("sh", ["-c", "command -v npm"]);
    const npmFolder = join(await realpath(npm.trim()), "../..");
    await cp(npmFolder, join(local, "lib/node_modules/npm"), { recursive: true });
    await symlink("../lib/node_modules/npm/bin/npm-cli.js", join(local, "bin/npm"));
    await this.#buildah("config", "--env", "PATH=/usr/local/bin:/usr/bin:/bin", container);
    await this.#buildah("commit", "--rm", "--quiet", container, BASE);
  }

  /** The file system of an image, to be looked at and run. */
  async mount(image: string): Promise<string> {
    return this.#buildah("mount", await this.#buildah("from", "--pull=never", image));
  }

  /** An image's config, and the size in bytes of each of its layers, the base's first. */
  async inspect(image: string): Promise<{ config: Config; layers: number[] }> {
    const { OCIv1, Manifest } = JSON.parse(await this.#buildah("inspect", "--type", "image", image));
    const { layers } = JSON.parse(Manifest) as { layers: { size: number }[] };
    return { config: OCIv1.config, layers: layers.map(({ size }) => size) };
  }

  async #buildah(...args: readonly string[]): Promise<string> {
    const store = [
      "--storage-driver",
      "vfs",
      "--root",
      join(this.folder, "root"),
      "--runroot",
      join(this.folder, "run"),
    ];
    return (await run("buildah", [...store, ...args], { maxBuffer: 64 * 1024 * 1024 })).stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#buildah("rm", "--all");
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The settings with which npm reaches the registry here: the user's file, what the environment adds, its certificates. */
async function npmSettings(): Promise<{ text: string; certificates: string | undefined }> {
  const { stdout } = await run("npm", ["config", "list", "--json"]);
  const { userconfig, registry, cafile } = JSON.parse(stdout) as Record<string, string | null>;
  const own = userconfig && existsSync(userconfig) ? await readFile(userconfig, "utf8") : "";
  const certificates = cafile ?? process.env.NODE_EXTRA_CA_CERTS;
  const added = [`registry=${registry}`, ...(certificates ? [`cafile=${certificates}`] : [])];
  return { text: `${own}\n${added.join("\n")}\n`, certificates };
}

/** For `test(name, { skip })`. In CI nothing is left out: there the build fails and says what is missing. */
export const withoutBuildah: string | false =
  process.env.CI || (process.getuid?.() === 0 && ["buildah", "mmdebstrap", "runc"].every(onPath))
    ? false
    : "building an image takes root, buildah, mmdebstrap and runc";
