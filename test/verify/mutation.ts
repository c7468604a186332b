import { lstat, readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import fc from "fast-check";
import { type Alterations, flip } from "./alter.ts";
import type { Scene } from "./scene.ts";

/** A file that may be changed, and the key whose readers see it. */
export interface Target {
  readonly path: string;
  readonly key: string;
}

const KINDS = ["flip", "cut", "extend", "empty", "noise", "delete", "swap", "replay", "hide", "exchange"] as const;

export interface Mutation {
  readonly kind: (typeof KINDS)[number];
  /** Class of object, file in it, other file, position in it: each modulo what exists. */
  readonly class: number;
  readonly target: number;
  readonly other: number;
  readonly at: number;
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(...KINDS),
  class: fc.nat(1000),
  target: fc.nat(10_000),
  other: fc.nat(10_000),
  at: fc.nat(1_000_000),
});

/**
 * All files of a vault and of the state, by class, so that the few checkpoints are hit as often as the many records.
 */
export async function findTargets({ root, state }: Scene): Promise<Target[][]> {
  const classes = new Map<string, Target[]>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(root, path);
    const stored = /^\.versions\/(.*)\/\d+(\.json)?$/.exec(name);
    const key = stored?.[1] ?? name;
    const view = stored ? (stored[2] ? "note" : "version") : "plain";
    const kind = key.replace(/^(records|files)\/.*/, "$1").replace(/^(audit\/tile\/[^/]+)\/.*/, "$1");
    const of = `${kind} ${view}`;
    classes.set(of, [...(classes.get(of) ?? []), { path, key }]);
  }
  classes.set("state", [{ path: join(state, "checkpoint"), key: "state" }]);
  return [...classes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, targets]) => targets);
}

/** Makes the change; returns the keys whose readers it may affect, or none if an earlier change removed the file. */
export async function mutate(targets: readonly Target[][], mutation: Mutation, alter: Alterations): Promise<string[]> {
  const among = targets[mutation.class % targets.length]!;
  const { path, key } = among[mutation.target % among.length]!;
  const all = targets.flat();
  const other = mutation.other % 2 ? among[mutation.other % among.length]! : all[mutation.other % all.length]!;
  if (!(await isFile(path)) || !(await isFile(other.path))) return [];
  const replay = await readFile(other.path);
  const { at } = mutation;
  switch (mutation.kind) {
    case "flip":
      await alter.edit(path, (bytes) => flip(bytes, at));
      break;
    case "cut":
      await alter.edit(path, (bytes) => bytes.subarray(0, at % (bytes.length || 1)));
      break;
    case "extend":
      await alter.edit(path, (bytes) => Buffer.concat([bytes, replay.subarray(0, 1 + (at % 300))]));
      break;
    case "empty":
      await alter.edit(path, () => Buffer.alloc(0));
      break;
    case "noise":
      await alter.edit(path, (bytes) => Buffer.from(bytes.map((_, n) => (at * 31 + n * n * 17 + (n >> 3)) & 0xff)));
      break;
    case "delete":
      await alter.remove(path);
      break;
    case "swap":
      await alter.swap(path, other.path);
      return [key, other.key];
    case "replay":
      await alter.edit(path, () => replay);
      break;
    case "hide": {
      // A newer version; with metadata, if the bytes come from a version that has some.
      const next = path.replace(/(\d+)(\.json)?$/, (_, digits) =>
        String(Number(digits) + 1 + (at % 3)).padStart(8, "0"),
      );
      if (next === path || (await isFile(next))) return [];
      await alter.create(next, replay);
      if ((await isFile(`${other.path}.json`)) && !(await isFile(`${next}.json`)))
        await alter.create(`${next}.json`, await readFile(`${other.path}.json`));
      break;
    }
    case "exchange":
      // Another file under the same name: it is no longer linked to the others.
      await alter.replace(path, replay);
  }
  return [key];
}

async function isFile(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
