import assert from "node:assert/strict";
import { type Diagnosis, diagnosisText, doctor } from "../../jobs/doctor.ts";
import type { Finding, Level } from "../../src/doctor/finding.ts";
import type { Session } from "../../src/session/client.ts";
import type { FaultPlace } from "../faults/place.ts";

/** What `doctor` says of a place's client, in this process. Nothing of it may be anyone's data, or a secret. */
export async function diagnosed(place: FaultPlace, changes: Partial<Session> = {}): Promise<readonly Finding[]> {
  const diagnosis: Diagnosis = await doctor(await place.session(changes), place.work.file);
  const said = `${JSON.stringify(diagnosis)}${diagnosisText(diagnosis)}`;
  for (const canary of place.sandbox.canaries()) assert.ok(!said.includes(canary), `${canary} in ${said}`);
  const { findings } = diagnosis.clients[0]!;
  for (const { level, hint, text } of findings)
    assert.ok(["ok", "unknown"].includes(level) || hint, `no word of how to hint: ${text}`);
  return findings;
}

/** `check: text` of the findings of a level. */
export function lines(findings: readonly Finding[], ...levels: Level[]): string[] {
  return findings.filter(({ level }) => levels.includes(level)).map(({ check, text }) => `${check}: ${text}`);
}

/** The findings of these levels are these and no others, whatever their order. */
export function assertLines(actual: readonly string[], ...expected: readonly RegExp[]): void {
  const left = [...actual];
  for (const pattern of expected) {
    const index = left.findIndex((line) => pattern.test(line));
    assert.ok(index >= 0, `nothing matches ${pattern} in\n${actual.join("\n")}`);
    left.splice(index, 1);
  }
  assert.deepEqual(left, []);
}
