import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { manualPage } from "./manual.ts";

const ROOT = join(import.meta.dirname, "..");
const HERE = join(import.meta.dirname, "debian");
const run = promisify(execFile);
/** Where each shell looks for the completions of installed programs. */
const COMPLETIONS = {
  bash: "usr/share/bash-completion/completions/holdfast",
  zsh: "usr/share/zsh/vendor-completions/_holdfast",
  fish: "usr/share/fish/vendor_completions.d/holdfast.fish",
};
const DOC = "usr/share/doc/holdfast";

export interface DebianOptions {
  /** The executable from `buildExecutable`. */
  readonly executable: string;
  /** The licences of everything in it. */
  readonly licences: string;
  /** The time of all files in it, in seconds since 1970: the same input gives the same bytes. */
  readonly time: number;
  /** `none` is fast, for tests. */
  readonly compression: "xz" | "none";
}

/** Builds a Debian package with the executable, its systemd units, completions and manual page. Needs dpkg-deb. */
export async function buildDebianPackage(dist: string, options: DebianOptions): Promise<string> {
  const { executable, licences, time, compression } = options;
  const { version, description } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  const tree = await mkdtemp(join(tmpdir(), "holdfast-debian-"));
  const put = async (path: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(join(tree, dirname(path)), { recursive: true, mode: 0o755 });
    await writeFile(join(tree, path), content);
  };
  const said = async (...args: string[]): Promise<string> => (await run(executable, args)).stdout;
  try {
    await chmod(tree, 0o755);
    await put("usr/bin/holdfast", await readFile(executable));
    await chmod(join(tree, "usr/bin/holdfast"), 0o755);
    for (const [shell, path] of Object.entries(COMPLETIONS)) await put(path, await said("completion", shell));
    await put("usr/share/man/man1/holdfast.1.gz", gzipSync(await manualPage(version), { level: 9 }));
    await cp(join(ROOT, "config/systemd"), join(tree, "usr/lib/systemd/system"), { recursive: true });
    for (const name of ["README.md", "docs"]) await cp(join(ROOT, name), join(tree, DOC, name), { recursive: true });
    await cp(join(ROOT, "config"), join(tree, DOC, "examples"), { recursive: true });
    await put(`${DOC}/changelog.gz`, gzipSync(await readFile(join(ROOT, "CHANGELOG.md")), { level: 9 }));
    await put(`${DOC}/copyright`, licences);
    // In Debian's versions, ~ sorts before everything: 1.0.0~rc.1 is before 1.0.0.
    const number = String(version).replace("-", "~");
    const { stdout: size } = await run("du", ["-sk", tree]);
    await put("DEBIAN/control", control(number, description, Number.parseInt(size, 10)));
    for (const name of ["postinst", "prerm", "postrm"]) {
      await cp(join(HERE, name), join(tree, "DEBIAN", name));
      await chmod(join(tree, "DEBIAN", name), 0o755);
    }
    await run("chmod", ["-R", "u+rwX,go+rX,go-w", tree]);
    const file = join(dist, `holdfast_${number}_amd64.deb`);
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(time) };
    await run("dpkg-deb", [`-Z${compression}`, "--root-owner-group", "--build", tree, file], { env });
    return file;
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

/** Node needs the libraries; adduser creates the user. */
function control(version: string, description: string, size: number): string {
  return `Package: holdfast
Version: ${version}
Architecture: amd64
Maintainer: The Holdfast team <holdfast@localhost>
Installed-Size: ${size}
Depends: libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 9), libatomic1, ca-certificates, adduser
Suggests: age
Section: admin
Priority: optional
Description: ${description.split(":")[0]}
 It pulls them from the identity-verification provider, seals them with age,
 stores them in S3 under Object Lock, and proves with a tamper-evident log that
 nothing was lost or changed.
`;
}
