import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Summary } from "../../src/export/summary.ts";
import { startSandbox } from "../sandbox/server.ts";
import { makeWorkplace } from "./workplace.ts";

interface Verified {
  readonly orphans: number;
  readonly superseded: number;
  readonly problems: number;
}

describe("files that the provider withholds", () => {
  test("export --withheld stores only the records of which a file arrived; verify calls the former ones superseded", async () => {
    await using sandbox = await startSandbox({ identities: 6, plainImages: true, withhold: 60 });
    await using place = await makeWorkplace(sandbox);
    const { withheld, lacking } = await place.export();
    assert.ok(withheld > 0);
    const stored = (await place.entries("record.stored")).length;

    for (let night = 0; night < 2; night += 1) {
      const [still] = await place.expect<Summary>(3, "export", "--withheld");
      assert.deepEqual([still!.again, still!.withheld, still!.lacking], [0, withheld, lacking]);
    }
    assert.equal((await place.entries("record.stored")).length, stored);
    const [before] = await place.expect<Verified>(0, "verify", "--orphans");
    assert.deepEqual([before!.superseded, before!.orphans], [0, 0]);

    sandbox.setFaults({ withhold: 0 });
    const granted = await place.export("--withheld");
    assert.deepEqual([granted.again, granted.files, granted.withheld], [lacking, withheld, 0]);
    const [after] = await place.expect<Verified>(0, "verify", "--orphans", "--read-data", "100");
    assert.deepEqual([after!.superseded, after!.orphans, after!.problems], [lacking, 0, 0]);
  });

  test("export ends with 0 and says how many, of how many people; export --withheld ends with 3", async () => {
    await using sandbox = await startSandbox({ identities: 3, plainImages: true, withhold: 100 });
    await using place = await makeWorkplace(sandbox);
    const first = await place.here("export");
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr + first.stdout, /withheld +\d+ files withheld by the provider \(3 verifications\)/);
    const again = await place.here("export", ["--withheld"]);
    assert.equal(again.code, 3, again.stderr);
    assert.match(again.stderr, /\d+ files of 3 verifications still withheld/);
    const help = await place.here("--help");
    assert.match(help.stdout, /3 +incomplete: .*for reconcile and export --withheld, also withheld files/);
  });
});
