import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ageOn, minimalIdentity } from "../../src/record/minimal.ts";
import { startSandbox } from "../sandbox/server.ts";
import { person, sandboxed } from "./person.ts";

const day = (text: string) => Temporal.PlainDate.from(text);
const age = (born: string, on: string): number => ageOn(day(born), day(on));

test("a year older on the birthday, not the day before", () => {
  assert.equal(age("1990-05-31", "2008-05-30"), 17);
  assert.equal(age("1990-05-31", "2008-05-31"), 18);
  assert.equal(age("1990-05-31", "2008-06-01"), 18);
  assert.equal(age("1990-12-31", "2009-01-01"), 18);
  assert.equal(age("1990-01-01", "2008-12-31"), 18);
  assert.equal(age("1990-05-31", "1990-05-31"), 0);
  assert.equal(age("1990-05-31", "1990-05-30"), -1);
});

test("born on 29 February: a year older on 1 March if the year has no 29th", () => {
  assert.equal(age("2000-02-29", "2018-02-28"), 17);
  assert.equal(age("2000-02-29", "2018-03-01"), 18);
  assert.equal(age("2000-02-29", "2020-02-28"), 19);
  assert.equal(age("2000-02-29", "2020-02-29"), 20);
  assert.equal(age("2000-02-29", "2100-02-28"), 99);
  assert.equal(age("2000-02-29", "2100-03-01"), 100);
});

test("any date: the age is the number of birthdays so far", () => {
  const date = fc
    .date({ min: new Date("1900-01-01"), max: new Date("2100-12-31"), noInvalidDate: true })
    .map((value) => day(value.toISOString().slice(0, 10)));
  fc.assert(
    fc.property(date, date, (born, on) => {
      const years = ageOn(born, on);
      const had = (n: number) => {
        const exact = born.add({ years: n });
        const birthday = exact.day === born.day ? exact : exact.add({ days: 1 });
        return Temporal.PlainDate.compare(birthday, on) <= 0;
      };
      assert.ok(had(years));
      assert.ok(!had(years + 1));
    }),
  );
});

test("thresholds: true at the age, false a year or a day before, null if unknown", () => {
  const identity = person({ date_of_birth: "1990-05-31" });
  const over = (on: string) => minimalIdentity(identity, [17, 18, 19], day(on)).over;
  assert.deepEqual(over("2008-05-30"), { 17: true, 18: false, 19: false });
  assert.deepEqual(over("2008-05-31"), { 17: true, 18: true, 19: false });
  assert.deepEqual(minimalIdentity(person(), [18, 21], day("2024-01-01")).over, { 18: null, 21: null });
  assert.deepEqual(minimalIdentity(person({ date_of_birth: "05/06/1990" }), [18], day("2024-01-01")).over, {
    18: null,
  });
  assert.deepEqual(minimalIdentity(identity, [], day("2024-01-01")), { verified: true, over: {} });
});

test("if documents disagree, the lowest age counts", () => {
  const documents = ["1990-05-31", "2010-01-01", "1980-01-01"].map((date_of_birth) => ({
    ...{ type: "PASSPORT", datapoints: { date_of_birth } },
  }));
  assert.deepEqual(minimalIdentity(person({}, { documents }), [18], day("2020-01-01")).over, { 18: false });
});

test("contains nothing about the person but true, false and null", async () => {
  await using sandbox = await startSandbox({ identities: 150, files: false });
  const answers = new Set<unknown>();
  for (let index = 0; index < 150; index++) {
    const minimal = minimalIdentity(sandboxed(sandbox, index), [18, 21, 65], day("2024-06-30"));
    const text = JSON.stringify(minimal);
    assert.match(text, /^\{"verified":(true|false|null),"over":\{("(18|21|65)":(true|false|null),?){3}\}\}$/);
    for (const canary of sandbox.canaries([index])) assert.ok(!text.includes(canary));
    answers.add(minimal.verified).add(minimal.over["65"]);
  }
  assert.deepEqual(answers, new Set([true, false, null]));
});
