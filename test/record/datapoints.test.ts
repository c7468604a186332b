import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { parseExact } from "../../src/io/exact-json.ts";
import { datesOfBirth, documentNumbers } from "../../src/record/datapoints.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { person, sandboxed } from "./person.ts";

let sandbox: Sandbox;
before(async () => {
  sandbox = await startSandbox({ identities: 200, files: false });
});
after(() => sandbox.close());

const born = (value: unknown, name = "date_of_birth"): string[] => datesOfBirth(person({ [name]: value })).map(String);
const numbers = (value: unknown, name = "document_number"): string[] => documentNumbers(person({ [name]: value }));

test("finds the date of birth and the number in every document of the sandbox", () => {
  const seen = new Set<string>();
  for (let index = 0; index < 200; index++) {
    const wire = sandbox.identity(index);
    const documents = (wire.resources ?? []).filter(({ type }) => type !== "SELFIE_VIDEO");
    for (const { type, datapoints } of documents) {
      const alone = { ...sandboxed(sandbox, index), documents: [{ type, datapoints }] };
      assert.deepEqual(datesOfBirth(alone).map(String), [datapoints.date_of_birth]);
      assert.deepEqual(documentNumbers(alone), [datapoints.document_number]);
      seen.add(type);
    }
    const all = new Set(documents.map(({ datapoints }) => datapoints.document_number));
    assert.deepEqual(new Set(documentNumbers(sandboxed(sandbox, index))), all);
  }
  assert.deepEqual([...seen].sort(), ["DRIVERS_LICENSE", "NATIONAL_ID_CARD", "PASSPORT"]);
});

test("a name is recognised in every spelling; others are not mistaken for it", () => {
  for (const name of [
    "date_of_birth",
    "DATE_OF_BIRTH",
    "dateOfBirth",
    "Date of birth",
    "birth_date",
    "birthdate",
    "DOB",
  ])
    assert.deepEqual(born("1990-05-31", name), ["1990-05-31"], name);
  for (const name of ["date_of_issue", "date_of_expiry", "place_of_birth", "birth", "date", "__proto__"])
    assert.deepEqual(born("1990-05-31", name), [], name);
  for (const name of [
    "document_number",
    "documentNumber",
    "passport_number",
    "ID number",
    "license_number",
    "licence-number",
  ])
    assert.deepEqual(numbers("X1", name), ["X1"], name);
  for (const name of ["document_type", "number", "phone_number"]) assert.deepEqual(numbers("X1", name), [], name);
});

test("unambiguous dates are read", () => {
  for (const text of [
    ...["1990-05-31", "1990/05/31", "19900531", "31.05.1990", " 1990-05-31\n", "1990-05-31T00:00:00Z"],
    ...["1990-05-31T00:00", "1990-05-31T00:00:00.000Z"],
  ])
    assert.deepEqual(born(text), ["1990-05-31"], text);
  assert.deepEqual(born({ value: "1990-05-31", confidence: 0.9 }), ["1990-05-31"]);
  assert.deepEqual(born(19900531), ["1990-05-31"]);
  assert.deepEqual(born("2000-02-29"), ["2000-02-29"]);
});

test("ambiguous dates and other texts are not read", () => {
  for (const text of [
    ...["05/06/1990", "5/6/1990", "31/05/1990", "05-06-1990", "90-05-31", "310590", "900531", "1.5.1990", "05.1990"],
    ...["1990", "1990-05", "1990-5-31", "31 May 1990", "1900-02-29", "2001-02-29", "29.02.1900", "1990-00-10"],
    ...["1990-13-01", "1990-05-00", "1990-05-32", "19901301", "1990-05-30T22:00:00Z", "1990-05-31T00:00:01Z"],
    ...["1990-05-31T00:00:00+14:00", "1990-05-31 junk", "x1990-05-31", "", " "],
  ])
    assert.deepEqual(born(text), [], text);
  for (const value of [null, true, [], {}, ["1990-05-31"], { value: null }, { value: ["1990-05-31"] }, undefined, 1])
    assert.deepEqual(born(value), [], JSON.stringify(value));
});

test("any day can be read back from each spelling", () => {
  const day = fc
    .date({ min: new Date("1000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10));
  fc.assert(
    fc.property(day, (iso) => {
      const [y, m, d] = iso.split("-");
      for (const text of [iso, `${y}/${m}/${d}`, `${y}${m}${d}`, `${d}.${m}.${y}`]) assert.deepEqual(born(text), [iso]);
    }),
  );
  fc.assert(fc.property(fc.jsonValue(), (value) => void [born(value), numbers(value)]));
});

test("numbers are kept as written, each once, from every document", () => {
  assert.deepEqual(numbers(" P 12-3 "), ["P 12-3"]);
  assert.deepEqual(numbers(parseExact("12345678901234567890")), ["12345678901234567890"]);
  for (const value of ["", " ", null, {}, []]) assert.deepEqual(numbers(value), []);
  const two = person(
    {},
    {
      documents: [
        { type: "PASSPORT", datapoints: { document_number: "A", passport_number: "A" } },
        { type: "DRIVERS_LICENSE", datapoints: { document_number: "B" } },
      ],
    },
  );
  assert.deepEqual(documentNumbers(two), ["A", "B"]);
});
