import type { Checks } from "./checks.ts";
import { checkObject } from "./objects.ts";
import type { Problem } from "./problem.ts";
import type { VerifyOptions } from "./verify.ts";

/** Every sealed note that the log names. One about a person of whom nothing is left may be gone. Returns their number. */
export async function checkNotes(
  options: VerifyOptions,
  checks: Checks,
  problem: (found: Problem) => void,
): Promise<number> {
  const { index, since } = options;
  const check = {
    ...options,
    onMore: (): void => {},
    onRecord: (): void => {},
    onFile: (): void => {},
  };
  const from = since?.toString({ smallestUnit: "millisecond" }) ?? "";
  let notes = 0;
  for (const note of index.notes.all()) {
    if (note.stored < from) continue;
    notes += 1;
    await checks.add(async () => {
      await checkObject(check, note, (found) => {
        if (!(found.isMissing && note.state === "free")) problem(found);
      });
    });
  }
  await checks.end();
  return notes;
}
