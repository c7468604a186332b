import assert from "node:assert/strict";
import type { VerifyOptions } from "../../src/session/verify-client.ts";
import { Alterations } from "./alter.ts";
import { isOurs, type Scene } from "./scene.ts";

/** The change is found: exit code 4, and one of these objects named. Then it is undone. */
export async function isNamed(
  scene: Scene,
  keys: string | readonly string[],
  change: (alter: Alterations) => Promise<unknown>,
  options?: Partial<VerifyOptions>,
): Promise<void> {
  await using alter = new Alterations();
  await change(alter);
  const { exit, named, thrown } = await scene.verify(options);
  assert.equal(exit, 4, `exit ${exit}: ${named.join("\n")}`);
  assert.ok(thrown === undefined || isOurs(thrown), String(thrown));
  for (const key of [keys].flat()) {
    assert.ok(
      named.some((name) => (thrown ? name.includes(key) : name === key)),
      `${key} is not among ${named.join(", ")}`,
    );
  }
}

/** The change affects no reader: verify reports no problem. */
export async function isHarmless(scene: Scene, change: (alter: Alterations) => Promise<unknown>): Promise<void> {
  await using alter = new Alterations();
  await change(alter);
  const { exit, named } = await scene.verify();
  assert.deepEqual([exit, named], [0, []]);
}
