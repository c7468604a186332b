import assert from "node:assert/strict";
import { test } from "node:test";
import { backfillTerms } from "../../src/workers/task.ts";
import { ABSENT, accepted, client, yaml } from "../config/sample.ts";

test("workers must ask the same integration of Veriff, though all have one address", async () => {
  const veriff = { kind: "veriff", url: "https://station.example/v1", apiKey: "env:VERIFF" };
  const terms = async (integrationKey: string) => {
    const text = yaml(client({ source: ABSENT, sources: [{ ...veriff, integrationKey }] }));
    const [acme] = (await accepted(text)).clients;
    return backfillTerms(acme!, acme!.sources[0]!);
  };
  const [one, same, other] = [await terms("6f1b"), await terms("6f1b"), await terms("9c22")];
  assert.deepEqual(one, same);
  assert.notDeepEqual(one, other);
});
