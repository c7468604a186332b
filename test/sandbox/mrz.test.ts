import assert from "node:assert/strict";
import { test } from "node:test";
import { checkDigit, td1, td3, transliterate } from "./mrz.ts";
import { makePerson } from "./person.ts";

// The specimen of ICAO Doc 9303, parts 4 and 5.
const anna = {
  issuer: "UTO",
  nationality: "UTO",
  family: "Eriksson",
  given: "Anna Maria",
  birth: "1974-08-12",
  expiry: "2012-04-15",
  sex: "F",
} as const;

test("check digits of the published specimen", () => {
  assert.equal(checkDigit("L898902C3"), "6");
  assert.equal(checkDigit("740812"), "2");
  assert.equal(checkDigit("120415"), "9");
  assert.equal(checkDigit("ZE184226B<<<<<"), "1");
  assert.equal(checkDigit("L898902C3674081221204159ZE184226B<<<<<1"), "0");
});

test("the published card is reproduced", () => {
  assert.deepEqual(td1({ ...anna, code: "I", number: "D23145890" }), [
    "I<UTOD231458907<<<<<<<<<<<<<<<",
    "7408122F1204159UTO<<<<<<<<<<<6",
    "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
  ]);
});

test("the published passport, except for the personal number, which we leave empty", () => {
  const [upper, lower] = td3({ ...anna, code: "P", number: "L898902C3" });
  assert.equal(upper, "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<");
  assert.match(lower, /^L898902C36UTO7408122F1204159<{14}0\d$/);
});

test("names are transliterated as in Doc 9303 part 3", () => {
  assert.equal(transliterate("Łukasz"), "LUKASZ");
  assert.equal(transliterate("Großkreutz"), "GROSSKREUTZ");
  assert.equal(transliterate("Müller-Lüdenscheidt"), "MUELLER<LUEDENSCHEIDT");
  assert.equal(transliterate("O'Shaughnessy"), "OSHAUGHNESSY");
  assert.equal(transliterate("Nguyễn Đình"), "NGUYEN<DINH");
});

test("every generated zone has the right shape and check digits", () => {
  for (let index = 0; index < 2000; index++) {
    for (const { type, mrz } of makePerson(3, index).documents) {
      const [upper = "", lower = ""] = mrz;
      assert.match(mrz.join(""), /^[A-Z0-9<]*$/);
      const parts: [string, string][] =
        type === "PASSPORT"
          ? [
              [lower.slice(0, 9), lower[9]!],
              [lower.slice(13, 19), lower[19]!],
              [lower.slice(21, 27), lower[27]!],
              [lower.slice(0, 10) + lower.slice(13, 20) + lower.slice(21, 43), lower[43]!],
            ]
          : [
              [upper.slice(5, 14), upper[14]!],
              [lower.slice(0, 6), lower[6]!],
              [lower.slice(8, 14), lower[14]!],
              [upper.slice(5, 30) + lower.slice(0, 7) + lower.slice(8, 15) + lower.slice(18, 29), lower[29]!],
            ];
      const shape = { PASSPORT: [44, 44], NATIONAL_ID_CARD: [30, 30, 30], DRIVERS_LICENSE: [] }[type];
      assert.deepEqual(
        mrz.map((line) => line.length),
        shape,
      );
      if (mrz.length > 0) for (const [text, digit] of parts) assert.equal(checkDigit(text), digit);
    }
  }
});
