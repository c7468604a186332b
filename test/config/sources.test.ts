import assert from "node:assert/strict";
import { test } from "node:test";
import { secretsOf } from "../../src/config/client-secrets.ts";
import { askedOf, parseNamedIdentity } from "../../src/config/named-identity.ts";
import { activeSources } from "../../src/config/sources.ts";
import type { HoldfastError } from "../../src/core/error.ts";
import { ABSENT, accepted, client, refusedOnce, yaml } from "./sample.ts";

const STRIPE = { kind: "stripe", apiKey: "env:STRIPE_KEY" };
const PERSONA = { kind: "persona", apiKey: "env:PERSONA_KEY" };
const PASSBASE = { kind: "passbase", apiKey: "env:PASSBASE_KEY" };

const several = (...sources: unknown[]) => yaml(client({ source: ABSENT, sources }));

test("a list of sources: defaults by provider, names by kind", async () => {
  const [acme] = (await accepted(several(PERSONA, { ...PASSBASE, name: "old", retired: true, apiKey: undefined })))
    .clients;
  const [persona, old] = acme!.sources;
  assert.deepEqual(
    [persona!.name, persona!.url, persona!.rate, String(persona!.resync), persona!.retired, persona!.schedule],
    ["persona", "https://api.withpersona.com/api/v1", { count: 3, per: 1000 }, "P30D", false, undefined],
  );
  assert.equal(persona!.kind === "persona" && persona!.completed, "undecided");
  assert.deepEqual([old!.name, old!.retired, old!.apiKey], ["old", true, undefined]);
  assert.deepEqual(
    activeSources(acme!).map(({ name }) => name),
    ["persona"],
  );
});

test("Onfido with an API token, or with the secret of an OAuth client", async () => {
  const onfido = { kind: "onfido", apiKey: "env:ONFIDO" };
  const [acme] = (await accepted(several(onfido, { ...onfido, name: "us", clientId: "client-1" }))).clients;
  const [token, credentials] = acme!.sources;
  assert.deepEqual(
    [token!.url, token!.rate, token!.kind === "onfido" && token!.clientId],
    ["https://api.eu.onfido.com/v3.6", { count: 3, per: 1000 }, undefined],
  );
  assert.equal(credentials!.kind === "onfido" && credentials!.clientId, "client-1");
});

test("Sumsub with its app token, and AML cases unless they are not wanted", async () => {
  const sumsub = { kind: "sumsub", apiKey: "env:SUMSUB", appToken: "prd:token" };
  const [acme] = (await accepted(several(sumsub, { ...sumsub, name: "other", aml: false }))).clients;
  assert.deepEqual(
    acme!.sources.map((source) => source.kind === "sumsub" && [source.url, source.appToken, source.aml]),
    [
      ["https://api.sumsub.com", "prd:token", true],
      ["https://api.sumsub.com", "prd:token", false],
    ],
  );
});

const VERIFF = { kind: "veriff", url: "https://station.example/v1", integrationKey: "6f1b-1", apiKey: "env:VERIFF" };

test("each integration of Veriff is a source, with an address, a key and a secret of its own", async () => {
  const [acme] = (
    await accepted(several(VERIFF, { ...VERIFF, name: "loans", integrationKey: "9c22-2", horizon: "P2Y" }))
  ).clients;
  assert.deepEqual(
    acme!.sources.map(({ name, url, rate, horizon, ...rest }) => {
      return [name, url, rate, String(horizon), rest.kind === "veriff" && rest.integrationKey];
    }),
    [
      ["veriff", "https://station.example/v1", { count: 2, per: 1000 }, "P90D", "6f1b-1"],
      ["loans", "https://station.example/v1", { count: 2, per: 1000 }, "P2Y", "9c22-2"],
    ],
  );
});

test("a source of Veriff has no address by default, and needs its path", async () => {
  for (const [section, pattern] of [
    [{ ...VERIFF, url: undefined }, /sources\[0\]\.url: is missing; write https:\/\/host\/v1/],
    [
      { ...VERIFF, integrationKey: undefined },
      /sources\[0\]\.integrationKey: is missing; write the API key that Veriff/,
    ],
    [
      { ...VERIFF, url: "https://station.example" },
      /sources\[0\]\.url: "https:\/\/station\.example" is not the address of Veriff's API; write .* with \/v1 at its end/,
    ],
    [{ ...VERIFF, integrationKey: "a key" }, /"a key" is not the API key of an integration; write it as Veriff's/],
    [
      { ...VERIFF, horizon: "PT1H" },
      /sources\[0\]\.horizon: "PT1H" is shorter than a day; write how long Veriff keeps/,
    ],
    [{ ...PERSONA, horizon: "P90D" }, /sources\[0\]: "horizon" is not a key here; only a source of kind veriff has it/],
  ] as const)
    await refusedOnce(several(section), pattern);
});

test("a retired source's key is not read", async () => {
  const [acme] = (await accepted(several(PERSONA, { ...PASSBASE, retired: true }))).clients;
  assert.deepEqual(
    secretsOf(acme!)
      .map(([field]) => field)
      .filter((field) => field.includes("source")),
    ["apiKey of source persona"],
  );
});

test("all sources may be retired", async () => {
  const [acme] = (await accepted(yaml(client({ source: { kind: "passbase", retired: true } })))).clients;
  assert.deepEqual(activeSources(acme!), []);
});

test("a source's own schedule takes what it leaves out from the client's", async () => {
  const text = yaml(
    client({
      source: ABSENT,
      sources: [{ ...PERSONA, schedule: { cron: "0 4 * * *" } }],
      schedule: { timezone: "Europe/Berlin" },
    }),
  );
  const [acme] = (await accepted(text)).clients;
  assert.deepEqual(acme!.sources[0]!.schedule, { cron: "0 4 * * *", timezone: "Europe/Berlin", jitter: 0 });
});

test("a source of Stripe may name a connected account, and any source a budget", async () => {
  const text = several({ ...STRIPE, account: "acct_1Ab2", budget: "10000/month" }, PERSONA);
  const [stripe, persona] = (await accepted(text)).clients[0]!.sources;
  assert.deepEqual([stripe!.kind === "stripe" && stripe!.account, stripe!.budget], ["acct_1Ab2", 10_000]);
  assert.equal(stripe!.url, "https://api.stripe.com/v1");
  assert.equal(persona!.budget, undefined);
});

test("what is wrong with sources is said where it is, with what to write", async () => {
  for (const [text, pattern] of [
    [yaml(client({ source: ABSENT })), /:2: clients\[0\]\.source: is missing; write a section with kind/],
    [yaml(client({ sources: [PERSONA] })), /sources: is written beside source; put that one into the list/],
    [several(), /sources: is too short; write a list: - kind: …/],
    [several(PERSONA, PERSONA), /sources\[1\]\.name: the same as sources\[0\], "persona"; give each a name of its own/],
    [several({ ...PERSONA, name: "passbase" }, PASSBASE), /sources\[1\]\.name: the same as sources\[0\]/],
    [several({ kind: "persona" }), /sources\[0\]\.apiKey: is missing; write env:NAME.*or retired: true/],
    [
      several({ ...PERSONA, kind: "other" }),
      /sources\[0\]\.kind: "other" is not one of the choices; write passbase or persona or stripe or onfido or sumsub/,
    ],
    [several({ ...STRIPE, account: "cus_1" }), /sources\[0\]\.account: "cus_1" is not the id of a Stripe account/],
    [
      several({ ...STRIPE, budget: "10000" }),
      /sources\[0\]\.budget: "10000" is not a budget; write requests per calendar month: 10000\/month/,
    ],
    [
      several({ ...PERSONA, resync: "PT12H" }),
      /sources\[0\]\.resync: "PT12H" is shorter than a day; write P1D or more/,
    ],
    [
      several({ ...PERSONA, completed: "yes" }),
      /sources\[0\]\.completed: "yes" is not one of the choices; write undecided or verified/,
    ],
    [
      several({ ...PERSONA, compleeted: "verified" }),
      /sources\[0\]: "compleeted" is not a key here; did you mean "completed"\?/,
    ],
    [
      several({ ...PASSBASE, completed: "verified" }),
      /sources\[0\]: "completed" is not a key here; only a source of kind persona has it/,
    ],
    [
      several({ kind: "onfido", apiKey: "env:ONFIDO_SECRET", clientId: "a client" }),
      /sources\[0\]\.clientId: "a client" is not the id of an OAuth client; write it as Onfido shows it/,
    ],
    [several({ kind: "sumsub", apiKey: "env:SUMSUB" }), /sources\[0\]\.appToken: is missing/],
    [
      several({ kind: "sumsub", apiKey: "env:SUMSUB", appToken: "a token" }),
      /sources\[0\]\.appToken: "a token" is not an app token; write it as Sumsub shows it/,
    ],
    [several({ ...PERSONA, name: "Persona EU" }), /sources\[0\]\.name: "Persona EU" is not an id/],
    [
      several({ ...PERSONA, schedule: { cron: "never" } }),
      /sources\[0\]\.schedule\.cron: "never" is not a cron expression/,
    ],
    [several("persona"), /sources\[0\]: "persona" is not a section; write a section with kind/],
  ] as const)
    await refusedOnce(text, pattern);
});

test("an id says by its prefix whose it is; another colon is part of the id", async () => {
  const [acme] = (await accepted(several(PERSONA, { ...PASSBASE, name: "old" }))).clients;
  const read = (text: string) => {
    const { id, prefix, kinds, sources } = parseNamedIdentity(text, acme!);
    return [id, prefix, kinds.join(), sources.map(({ name }) => name).join()];
  };
  assert.deepEqual(read("persona:inq_1"), ["inq_1", "persona", "persona", "persona"]);
  assert.deepEqual(read(" Old: 5f1c"), ["5f1c", "old", "passbase", "old"]);
  assert.deepEqual(read("passbase:5f1c"), ["5f1c", "passbase", "passbase", "old"]);
  assert.deepEqual(read("urn:5f1c"), [
    "urn:5f1c",
    undefined,
    "passbase,persona,stripe,onfido,sumsub,veriff,folder",
    "persona,old",
  ]);
});

test("an id whose source is unclear: the error says why, and names a source only if the id shows whose it is", async () => {
  const [acme] = (await accepted(several(PERSONA, PASSBASE, STRIPE))).clients;
  const every = "Write the source before the id, with a colon: persona:… or passbase:… or stripe:….";
  for (const [id, only, message, hint] of [
    ["personna:inq_1", undefined, "no source and no provider is called personna", "Write persona: before the id."],
    ["pasbase:5f1c", undefined, "no source and no provider is called pasbase", every],
    [
      "inq_1",
      undefined,
      "an id does not say which source it is of, but acme has several",
      "Write persona: before the id.",
    ],
    ["5f1c", undefined, "an id does not say which source it is of, but acme has several", every],
    ["urn:5f1c", undefined, "an id does not say which source it is of, but acme has several", every],
    [
      "persona:inq_1",
      ["passbase"],
      "--source passbase and the id's persona name different sources",
      "Leave out --source, or write --source persona.",
    ],
  ] as const)
    assert.throws(
      () => askedOf({ ...acme!, ...(only ? { only } : {}) }, [id]),
      (error: HoldfastError) => {
        assert.deepEqual([error.code, error.message, error.hint], ["usage", message, hint]);
        return true;
      },
    );
});

const FOLDER = { kind: "folder", url: "file:///srv/kyc", fields: { id: "/id", updated: "/a~1b/0" } };

test("a folder needs no key, and limits no requests", async () => {
  const s3 = {
    ...FOLDER,
    name: "s3",
    url: "s3://bucket/drops",
    ready: "_SUCCESS",
    entries: "*/person.json",
    beside: ".",
  };
  const data = { Nationality: "/country" };
  const own = { ...FOLDER, fields: { ...FOLDER.fields, numbers: ["/n"], data } };
  const [acme] = (await accepted(several(own, s3))).clients;
  const [one, other] = acme!.sources;
  assert.ok(one?.kind === "folder" && other?.kind === "folder");
  assert.deepEqual(
    [one.url, one.place, one.apiKey],
    ["file:///srv/kyc", { kind: "directory", url: one.url, path: "/srv/kyc" }, undefined],
  );
  assert.deepEqual(one.fields, {
    id: ["id"],
    updated: ["a/b", "0"],
    numbers: [["n"]],
    files: [],
    data: { Nationality: ["country"] },
  });
  assert.equal(one.ready.kind === "quiet" && String(one.ready.time), "PT15M");
  assert.deepEqual(
    [other.ready, other.entries, other.beside],
    [{ kind: "marker", name: "_SUCCESS" }, ["*", "person.json"], "."],
  );
  for (const name of ["15m.done", "done_15m", "m15", "complete"]) {
    const [named] = (await accepted(several({ ...FOLDER, ready: name }))).clients[0]!.sources;
    assert.ok(named?.kind === "folder");
    assert.deepEqual(named.ready, { kind: "marker", name });
  }
  assert.equal(other.place.kind === "s3" && `${other.place.bucket}/${other.place.prefix}`, "bucket/drops");
  assert.deepEqual(activeSources(acme!), acme!.sources);
  assert.ok(secretsOf(acme!).every(([field]) => !/source/.test(field)));
});

test("a folder's mapping is refused where it cannot be meant", async () => {
  const refusals = [
    [{ apiKey: "env:KEY" }, /"apiKey" is not a key here/],
    [{ url: "https://example.com" }, /url: .*write file:\/\/\/dir/],
    [{ fields: { id: "id", updated: "/u" } }, /fields\.id: "id" is not a JSON Pointer/],
    [{ fields: { id: "/id" } }, /fields\.updated: is missing/],
    [{ beside: "../{id}" }, /beside: .* is not a folder beside an entry/],
    [{ entries: "people.txt" }, /entries: .* does not name files with entries/],
    [{ ready: "15m" }, /ready: "15m" looks like a duration, but is not one; .*PT15M$/],
    [{ ready: "1h30m" }, /ready: .*PT1H30M$/],
    [{ ready: "1h1d" }, /ready: .*P1DT1H$/],
    [{ ready: "2 days" }, /ready: .*P2D$/],
    [{ ready: "90 seconds" }, /ready: .*PT90S$/],
    [{ ready: "T20M" }, /ready: .*PT20M$/],
    [{ ready: "a/b" }, /ready: .* is neither a duration nor the name of a file/],
  ] as const;
  for (const [changes, says] of refusals) await refusedOnce(several({ ...FOLDER, ...changes }), says);
});
