import assert from "node:assert/strict";
import type { ErrorCode } from "../../../../src/core/error.ts";
import { compared, full, withFiles } from "../reading.ts";
import { askedOf, calling } from "./calling.ts";
import { ATTEMPTS, httpConformance } from "./conform.ts";
import * as the from "./faults.ts";

/** What a source makes of a provider's refusals: at once, later, or never again. */
httpConformance((conforms, { can, asksForLess, filesElsewhere }) => {
  const asked = askedOf(can).filter((each) => each !== "file");

  for (const [status, code] of [
    [400, "source-rejected"],
    [401, "source-key"],
    [403, "source-denied"],
    [418, "source-rejected"],
    [422, "source-rejected"],
    [204, "source-rejected"],
    [304, "source-rejected"],
  ] as const satisfies readonly (readonly [number, ErrorCode])[]) {
    for (const where of asked) {
      if ((where === "part" || where === "project") && status === 403) continue; // below
      conforms(`${status} for the ${where} is ${code}, and it asks once`, async (place) => {
        const { stage, source, traffic, refuses } = place;
        const call = calling(source, stage, await withFiles(stage))[where];
        const struck = traffic.strike(where, the.status(status));
        const error = await refuses(call, code);
        assert.ok(error.hint, "it does not say how to fix it");
        const again = asksForLess && (where === "identity" || where === "part") && code !== "source-key";
        assert.equal(struck(), again ? 2 : 1, "requests");
      });
    }
  }

  conforms("403 for the project ends everything, and says what the key lacks", async (place) => {
    const { source, traffic, refuses } = place;
    const struck = traffic.strike("project", the.status(403));
    const error = await refuses(() => source.project(), "source-denied", "source-key");
    assert.ok(error.hint, "it does not say how to fix it");
    assert.ok(struck() <= 2, `${struck()} requests`); // a second one may find out the reason
  });

  conforms("403 for a part is source-denied, or shows in the content", async (place) => {
    const { stage, source, traffic, refuses } = place;
    const id = stage.id(await withFiles(stage));
    const before = compared((await full(source, id)).content);
    traffic.strike("part", the.status(403));
    const dossier = await full(source, id).catch(() => undefined);
    if (dossier === undefined) await refuses(() => full(source, id), "source-denied");
    // Otherwise nothing would be fetched again once the key has the right.
    else assert.notEqual(compared(dossier.content), before);
  });

  for (const status of [404, 410]) {
    conforms(`${status} for the identity is source-missing`, async ({ stage, source, traffic, refuses }) => {
      const id = stage.id(await withFiles(stage));
      traffic.strike("identity", the.missing(status));
      for (const full of [true, false]) {
        traffic.seen.length = 0;
        await refuses(() => source.dossier(id, { full }), "source-missing");
        assert.equal(traffic.count("identity"), 1);
      }
    });
  }

  for (const status of [404, 410]) {
    conforms(`${status} in another form than the provider's says nothing: it could not be checked`, async (place) => {
      const { stage, source, traffic, refuses } = place;
      const id = stage.id(await withFiles(stage));
      const { files } = await full(source, id);
      for (const where of ["identity", "part", ...(filesElsewhere ? [] : ["file" as const])] as const) {
        traffic.clear();
        const struck = traffic.strike(where, the.foreign(status));
        const asking = where === "file" ? () => source.file(id, files[0]!) : () => full(source, id);
        await refuses(asking, "source-response");
        assert.ok(struck() > 0, `nothing was asked of the ${where}`);
      }
    });
  }

  for (const [name, fault] of Object.entries<the.Fault>({
    "408": the.status(408),
    "429": the.status(429),
    "429 with Retry-After": the.status(429, { "Retry-After": "0" }),
    "500": the.status(500),
    "502": the.status(502),
    "503": the.status(503),
    "503 with Retry-After": the.status(503, { "Retry-After": "0" }),
    "504": the.status(504),
    "a reset": the.reset,
    "no HTTP": the.noHttp,
    "a body cut short": the.endsEarly,
    "a body cut in the middle of a chunk": the.chunkedCut,
  })) {
    for (const where of asked) {
      conforms(`${name} for the ${where} passes, or the provider is unavailable`, async (place) => {
        const { stage, source, traffic, refuses } = place;
        const call = calling(source, stage, await withFiles(stage))[where];
        const passing = traffic.strike(where, fault, { times: ATTEMPTS - 1 });
        await call();
        assert.equal(passing(), ATTEMPTS - 1, "it did not meet the fault");
        traffic.clear();
        const lasting = traffic.strike(where, fault);
        await refuses(call, "source-unavailable");
        assert.equal(lasting(), ATTEMPTS, "attempts");
      });
    }
  }

  conforms("does not wait for days because the provider asks for it", async ({ stage, source, traffic, refuses }) => {
    const { identity } = calling(source, stage, await withFiles(stage));
    const struck = traffic.strike("identity", the.status(429, { "Retry-After": "86400" }));
    const begun = performance.now();
    await refuses(identity, "source-unavailable");
    assert.equal(struck(), 1);
    assert.ok(performance.now() - begun < 60_000, "it waited");
  });

  conforms("waits as long as Retry-After says", async ({ stage, source, traffic }) => {
    const { identity } = calling(source, stage, await withFiles(stage));
    const begun: number[] = [];
    traffic.strike(
      "identity",
      (response, ...rest) => {
        begun.push(performance.now());
        the.status(429, { "Retry-After": "1" })(response, ...rest);
      },
      { times: 1 },
    );
    await identity();
    assert.ok(performance.now() - begun[0]! >= 990, `it waited for ${performance.now() - begun[0]!} ms`);
  });
});
