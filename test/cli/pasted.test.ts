import assert from "node:assert/strict";
import { test } from "node:test";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

/** The provider's answers have these values, for these of the sandbox's people. */
function says(sandbox: Sandbox, values: Readonly<Record<number, { email?: string; customer_id?: string }>>): void {
  sandbox.intercept((request, response) => {
    const { pathname } = new URL(request.url!, sandbox.origin);
    for (const [index, { email, customer_id }] of Object.entries(values)) {
      const identity = sandbox.identity(Number(index));
      if (!pathname.endsWith(`/identities/${identity.id}`)) continue;
      const owner = { ...identity.owner, ...(email === undefined ? {} : { email }) };
      const metadata = { ...identity.metadata, ...(customer_id === undefined ? {} : { customer_id }) };
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ ...identity, owner, metadata }));
      return true;
    }
    return false;
  });
}

const named = (flag: string, values: readonly string[]): string[] => values.flatMap((value) => [flag, value]);

async function assessed(place: Workplace, ...args: string[]): Promise<string[]> {
  const ended = await place.here("erasure", ["assess", ...args, "--json"]);
  assert.equal(ended.code, 0, ended.stderr);
  return (ended.json as { people: { subject: string }[] }).people.map(({ subject }) => subject);
}

test("whatever was pasted, the person is found: erasure assess, retrieve, hold", async () => {
  await using sandbox = await startSandbox({ identities: 4, files: false });
  await using place = await makeWorkplace(sandbox);
  says(sandbox, {
    1: { email: "J\u00FCrgen\u200B@b\u00FCcher.example", customer_id: "C\u20137\u00A01" },
    2: { email: "ann-o'hara@example.org", customer_id: "C-10442" },
  });
  await place.export();
  const [first, odd, plain] = await Promise.all(sandbox.ids().map((id) => place.subject(id)));
  const number = String(sandbox.identity(0).resources![0]!.datapoints.document_number);
  const wide = number.replace(/[0-9A-Z]/g, (each) => String.fromCodePoint(each.codePointAt(0)! + 0xfee0));

  assert.deepEqual(
    await assessed(
      place,
      ...named("--email", [
        "j\u00FCrgen@b\u00FCcher.example",
        "mailto:J%C3%BCrgen@xn--bcher-kva.example?subject=Hello",
        "\u201CExample, J\u00FCrgen\u201D <ju\u0308rgen\uFF20b\u00FC\u00ADcher.example>",
      ]),
      ...named("--reference", ["C-7 1", "\u200BC\u20117\u202F1 ", "C\u22127 1"]),
    ),
    [odd],
  );
  assert.deepEqual(
    await assessed(
      place,
      ...named("--email", [
        "ann\u2010o\u2019hara@example.org",
        "\u00A0<ANN-O'HARA@EXAMPLE.ORG>;",
        "ann-o'hara@\u200Dexample.org",
      ]),
      ...named("--reference", ["C\u201310442", "C\u00AD10442", "C-\uFF11\uFF10\uFF14\uFF14\uFF12\u200B"]),
      ...named("--identity", [
        `{${sandbox.ids()[2]!.toUpperCase()}}`,
        `\uFEFF${sandbox.ids()[2]!.replaceAll("-", "\u2013")}`,
      ]),
      ...named("--subject", [`\u200B${plain!.toUpperCase()}`]),
    ),
    [plain],
  );
  assert.deepEqual(
    await assessed(
      place,
      ...named("--reference", [wide, `${number.slice(0, 3)}\u2013${number.slice(3)}/`, `${number}<<`]),
    ),
    [first],
  );

  const words = ["--case", "2026-1", "--requested-by", "FIU", "--reason", "request"];
  const bag = await place.here("retrieve", [
    ...words,
    "--email",
    "<ann-o'hara@example.org>\u200B",
    "--out",
    place.path("bag"),
  ]);
  assert.equal(bag.code, 0, bag.stderr);
  const hold = async (verb: string, number: string, ...args: string[]) =>
    place.here("hold", [verb, "--case", number, "--reason", "inquiry", "--json", ...args]);
  assert.equal((await hold("place", "AZ 17-26", "--reference", "C\u201110442")).code, 0);
  const released = await hold("release", "\u200BAZ\u00A017\u201326");
  assert.equal(released.code, 0, released.stderr);
  assert.equal((released.json as { subjects: number }).subjects, 1);
});

test("who is not found: the message names what cannot be seen in the value and what was tried, and not the value", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  for (const [flag, value, holds] of [
    ["--email", "no one\u200B@example.org", /no one with that e-mail; as given, it has .*U\+200B/],
    ["--email", "n\u043Ebody@example.org", /letters of more than one alphabet/],
    ["--reference", "no one\u2013\u00AD1", /that reference; as given, it has .*U\+00AD.*U\+2013/],
    ["--reference", "1,23E+12", /a spreadsheet shortened/],
    ["--identity", "no one\u2060", /that identity; as given, it has .*U\+2060/],
    ["--email", "no-one@example.org", /no one with that e-mail$/],
  ] as const) {
    const ended = await place.here("erasure", ["assess", flag, value, "--json"]);
    assert.equal(ended.code, 2, ended.stderr);
    const { error } = ended.json as { error: { message: string; hint: string } };
    assert.match(error.message, holds);
    assert.match(error.hint, /as given, and without invisible characters/);
    for (const part of [value, "body@", "23E"]) assert.ok(!`${ended.stdout}${ended.stderr}`.includes(part), part);
  }
});

test("two people whose values look the same are told apart by their subjects, or all taken", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  says(sandbox, { 0: { customer_id: "C-7" }, 1: { customer_id: "C\u20137\u200B" } });
  await place.export();
  const both = (
    await Promise.all(
      sandbox
        .ids()
        .slice(0, 2)
        .map((id) => place.subject(id)),
    )
  ).sort();
  for (const value of ["C-7", "C\u20137\u200B", "\uFF23\u22127"]) {
    const ended = await place.here("erasure", ["assess", "--reference", value]);
    assert.equal(ended.code, 2, value);
    for (const subject of both) assert.ok(ended.stderr.includes(subject), value);
    assert.deepEqual(await assessed(place, "--reference", value, "--all-matches"), both);
  }
});
