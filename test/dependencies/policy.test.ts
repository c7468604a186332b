import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { lockedPackages, production } from "../../release/lock.ts";

/** What Apache-2.0 software may be shipped with, and no one has to be asked about. Another one: look at its terms first. */
const LICENCES = new Set(["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"]);

const manifest = JSON.parse(readFileSync("package.json", "utf8"));

test("every package of the lock file has a digest that npm checks, other platforms' too", () => {
  const packages = lockedPackages();
  assert.ok(packages.length > 100);
  for (const { path, integrity } of packages) assert.match(integrity ?? "none", /^sha512-[A-Za-z0-9+/]{86}==$/, path);
});

test("no package comes from somewhere of its own: git, a file, or an address of the lock file's", () => {
  for (const { path, resolved, version } of lockedPackages()) {
    assert.equal(resolved, undefined, path);
    assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, path);
  }
});

test("each package with an install script was decided on, and only node's may run", () => {
  const scripted = [
    ...new Set(lockedPackages().flatMap(({ name, hasInstallScript }) => (hasInstallScript ? [name] : []))),
  ];
  assert.deepEqual(Object.keys(manifest.allowScripts).sort(), scripted.sort());
  const allowed = Object.entries(manifest.allowScripts).flatMap(([name, may]) => (may ? [name] : []));
  assert.deepEqual(allowed, ["node"]);
  assert.ok(manifest.devDependencies.node, "and node is no part of what is shipped");
});

test("licences: each shipped package has one that may be shipped with, in the lock file as in the package", () => {
  const shipped = production();
  for (const { path, license, optional } of shipped) {
    assert.ok(LICENCES.has(license ?? ""), `${path}: ${license}`);
    // Those for other platforms are not here to be read.
    if (optional) continue;
    const own = JSON.parse(readFileSync(`${path}/package.json`, "utf8"));
    assert.equal(own.license, license, path);
  }
  assert.ok(shipped.length > 50);
});

test("npm run licences lists them", () => {
  const lines = run("licences").trimEnd().split("\n");
  assert.equal(lines.length, production().length);
  assert.match(lines.join("\n"), /^MIT +pino@\d/m);
});

test("npm run sbom: CycloneDX, with what is shipped and nothing else, each with digest, licence and package URL", () => {
  const bom = JSON.parse(run("sbom"));
  assert.equal(bom.bomFormat, "CycloneDX");
  assert.match(bom.specVersion, /^1\.[5-9]$/);
  assert.equal(bom.metadata.component.name, manifest.name);
  assert.equal(bom.metadata.component.purl, `pkg:npm/${manifest.name}@${manifest.version}`);
  const listed = new Map<string, Component>(bom.components.map((one: Component) => [one["bom-ref"], one]));
  assert.deepEqual(
    [...listed.keys()].sort(),
    [...new Set(production().map(({ name, version }) => `${name}@${version}`))].sort(),
  );
  for (const { name, version, integrity, license } of production()) {
    const { purl, hashes, licenses } = listed.get(`${name}@${version}`)!;
    assert.equal(purl, `pkg:npm/${name.replace("@", "%40")}@${version}`);
    const digest = Buffer.from(integrity!.slice("sha512-".length), "base64").toString("hex");
    assert.deepEqual(hashes, [{ alg: "SHA-512", content: digest }], name);
    assert.deepEqual(licenses, [{ license: { id: license } }], name);
  }
  // Everything that is depended on is listed.
  const known = new Set([...listed.keys(), `${manifest.name}@${manifest.version}`]);
  for (const { ref, dependsOn } of bom.dependencies) {
    for (const one of [ref, ...dependsOn]) assert.ok(known.has(one), one);
  }
});

test("nothing that is shipped brings native code: its optional parts do, and the image cannot load them", () => {
  for (const { path, optional } of production()) {
    if (optional) continue;
    const native = readdirSync(path, { recursive: true }).filter((name) => String(name).endsWith(".node"));
    assert.deepEqual(native, [], path);
  }
});

interface Component {
  readonly "bom-ref": string;
  readonly purl: string;
  readonly hashes: unknown;
  readonly licenses: unknown;
}

function run(script: string): string {
  return execFileSync("npm", ["run", "--silent", script], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}
