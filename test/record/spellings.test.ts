import assert from "node:assert/strict";
import { test } from "node:test";
import { domainToASCII, domainToUnicode } from "node:url";
import fc from "fast-check";
import { Secret } from "../../src/config/secret.ts";
import { lookupTokens, MAX_VALUES } from "../../src/record/lookups.ts";
import { idSpellings, plainText, spellings, unusualSpelling } from "../../src/record/spellings.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { person } from "./person.ts";

const tokens = new Tokens(new Secret("ab".repeat(32)));
const REFERENCE = "metadata.customer_id";
const NUMBER = "document.number";

/** The tokens that a new record has for the value. */
function stored(name: string, value: string): string[] {
  const owner = { email: name === "email" ? value : null, firstName: null, lastName: null };
  const metadata = { customer_id: name === REFERENCE ? value : null };
  const datapoints = name === NUMBER ? { document_number: value } : {};
  return Object.values(lookupTokens(person(datapoints, { owner, metadata }), [name], tokens));
}
const asked = (name: string, value: string): string[] =>
  spellings(name, value).map((spelling) => tokens.lookup(name, spelling));
const meet = (one: readonly string[], other: readonly string[]): boolean => one.some((token) => other.includes(token));

const INVISIBLE = [
  ..."\u200B\u200C\u200D\u2060\uFEFF\u00AD\u034F\u061C\u115F\u180E\u200E\u200F\u202A\u202E\u2066\u2069\uFE0F\uFFF9",
  ..."\uFFFC\u0000\u0001\u007F\u0085\u{E0041}",
];
const BLANKS = [..." \u00A0\u2007\u2009\u202F\u3000\t\n"];
const HYPHENS = [..."\u2010\u2011\u2012\u2013\u2014\u2212\uFF0D\uFE63"];

interface Disguise {
  readonly insert: readonly (readonly [position: number, character: string])[];
  readonly outer: readonly [string, string];
  readonly hyphen: string;
  readonly full: boolean;
  readonly form: "NFC" | "NFD";
  readonly upper: boolean;
  readonly wrap: number;
  readonly ascii: boolean;
}

const disguise: fc.Arbitrary<Disguise> = fc.record({
  insert: fc.array(fc.tuple(fc.nat(60), fc.constantFrom(...INVISIBLE)), { maxLength: 4 }),
  outer: fc.tuple(fc.constantFrom("", ...BLANKS, ...INVISIBLE), fc.constantFrom("", ...BLANKS, ...INVISIBLE)),
  hyphen: fc.constantFrom("-", ...HYPHENS),
  full: fc.boolean(),
  form: fc.constantFrom("NFC", "NFD"),
  upper: fc.boolean(),
  wrap: fc.nat(7),
  ascii: fc.boolean(),
});

const WRAPS: readonly ((address: string) => string)[] = [
  (address) => address,
  (address) => `mailto:${address}`,
  (address) => `<${address}>`,
  (address) => `Ann Example <${address}>`,
  (address) => `"Example, Ann" <MAILTO:${address}>`,
  (address) => `'${address}';`,
  (address) => `${address}<mailto:${address}?subject=Hello>`,
  (address) => `\u201C${address}\u201D`,
];

/** The same value as pasted from a mail, a PDF, a web page or a table. */
function disguised(name: string, value: string, how: Disguise): string {
  let text = value;
  if (name === "email") {
    const [local, domain] = value.split("@") as [string, string];
    text = `${local}@${how.ascii ? domainToASCII(domain) : domain}`;
  }
  // The upper case of \u00DF is SS, which is another address.
  if (name !== REFERENCE && how.upper) text = text.replace(/[^\u00DF]/g, (each) => each.toUpperCase());
  text = text.normalize(how.form).replaceAll("-", how.hyphen);
  if (how.full) text = text.replace(/[!-,./-~]/g, (each) => String.fromCodePoint(each.codePointAt(0)! - 0x21 + 0xff01));
  const characters = [...text];
  for (const [position, character] of how.insert) characters.splice(position % (characters.length + 1), 0, character);
  text = characters.join("");
  if (name === "email") text = WRAPS[how.wrap]!(text);
  return `${how.outer[0]}${text}${how.outer[1]}`;
}

const word = (alphabet: string): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 8 });
const local = fc
  .array(word("abcdefgh0123\u00E9\u00FC_+'"), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join("."));
const label = fc
  .tuple(word("abcxyz"), word("abc0189\u00FC\u00DF\u5B57"), fc.boolean())
  .map(([first, second, hyphen]) => `${first}${hyphen ? "-" : ""}${second}`);
/** Includes lone surrogates. */
const anyText = fc.array(fc.nat(0x10ffff), { maxLength: 20 }).map((points) => String.fromCodePoint(...points));
const VALUES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  // A quotation mark around an address does not belong to it.
  email: fc
    .tuple(local, label, fc.constantFrom("example", "org", "co.uk"))
    .map(([name, first, last]) => `${name}@${first}.${last}`)
    .filter((address) => !/^'/.test(address)),
  [NUMBER]: fc.array(word("ABCXYZ0123456789"), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("-")),
  [REFERENCE]: fc
    .array(word("ABCabc0123456789/.\u00E9"), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join("-")),
};

for (const [name, values] of Object.entries(VALUES)) {
  test(`${name}: the person is found, for all spellings stored and searched`, () => {
    fc.assert(
      fc.property(values, disguise, disguise, (value, one, other) => {
        assert.ok(meet(stored(name, disguised(name, value, one)), asked(name, disguised(name, value, other))));
      }),
      { numRuns: 2_000 },
    );
  });

  test(`${name}: a record of an earlier version, with the value's own token only, is found too`, () => {
    fc.assert(
      fc.property(values, disguise, fc.boolean(), (value, how, ascii) => {
        const [first, second] = value.split("@") as [string, string];
        const clean = name === "email" && ascii ? `${first}@${domainToASCII(second)}` : value;
        assert.ok(asked(name, disguised(name, value, how)).includes(tokens.lookup(name, clean)));
      }),
      { numRuns: 2_000 },
    );
  });

  test(`${name}: two different values are never equal, however they are spelt`, () => {
    // Separators of document numbers were always ignored.
    const own = (value: string) => (name === NUMBER ? value.replaceAll("-", "") : value);
    // A wrong rule would show in values that differ in one character.
    const near = fc.tuple(values, fc.nat(40), fc.constantFrom(..."aB0\u00E9")).map(([value, at, character]) => {
      const position = at % value.length;
      return [value, `${value.slice(0, position)}${character}${value.slice(position + 1)}`] as const;
    });
    const pairs = fc.oneof(fc.tuple(values, values), near);
    fc.assert(
      fc.property(pairs, disguise, disguise, ([one, other], how, otherwise) => {
        const folded = name === REFERENCE ? [one, other] : [one.toLowerCase(), other.toLowerCase()];
        fc.pre(own(folded[0]!) !== own(folded[1]!) && (name !== "email" || other.split("@").length === 2));
        assert.ok(!meet(stored(name, disguised(name, one, how)), asked(name, disguised(name, other, otherwise))));
      }),
      { numRuns: 2_000 },
    );
  });
}

test("which spellings are equal, and which are not", () => {
  const same = (name: string, value: string, ...others: string[]) => {
    for (const other of others) assert.ok(meet(stored(name, value), asked(name, other)), `${value} ${other}`);
  };
  const different = (name: string, value: string, ...others: string[]) => {
    for (const other of others) assert.ok(!meet(stored(name, value), asked(name, other)), `${value} ${other}`);
  };
  same(
    "email",
    "o'brien@b\u00FCcher.example",
    "O\u2019Brien@xn--bcher-kva.example",
    "o'brien@B\u00DCCHER\u3002example.",
  );
  same(
    "email",
    "ann@example.org",
    "ann%40example.org".replace(/^/, "mailto:"),
    "ann @ example . org",
    "Ann (ann@example.org)",
  );
  same("email", "Ann <ann@example.org>", "ann@example.org");
  different("email", "ann@example.org", "ann@example.org, bob@example.org", "<bob@example.org>, <ann@example.org>");
  different(
    "email",
    "ann@example.org",
    "a.nn@example.org",
    "ann+1@example.org",
    "ann@example.com",
    "\u0430nn@example.org",
  );
  different("email", "smith@example.org", "ann smith@example.org");
  different("email", "a@weiss.example", "a@wei\u00DF.example");
  different("email", "a@1.0.0.2", "a@1.2", "a@0x1000002");
  different("email", "a@example.org", "a@example.org/b", "a@example.org:1", "a@ex%61mple.org");
  same(NUMBER, "P-123/45<<", "p12345", "P 123.45", "P\u2013123\uFF0F45", "P\u0661\u0662\u0663\u0664\u0665");
  different(NUMBER, "123E12", "1,23E+12");
  same(REFERENCE, "Ref 1\u20442", "Ref\u00A0\u00BD", "Ref  1/2");
  different(REFERENCE, "C-1", "c-1", "C1", "C -1", "C_1", "\u0421-1");
  // In a PDF, a soft hyphen may be the hyphen.
  same(REFERENCE, "C-10442", "C\u00AD10442");
  // Stored unchanged by an earlier version: found by exactly these characters.
  assert.ok(asked(REFERENCE, "C\u201310\u00A044\u200B").includes(tokens.lookup(REFERENCE, "C\u201310\u00A044")));
});

test("the value's own tokens come first, and plain spellings never displace them", () => {
  const datapoints = Array.from({ length: 60 }, (_, n) => ({ document_number: `N/${n}` }));
  const identity = { ...person(), documents: datapoints.map((each) => ({ type: "PASSPORT", datapoints: each })) };
  const found = lookupTokens(identity, [NUMBER], tokens);
  assert.equal(Object.keys(found).length, MAX_VALUES);
  assert.equal(found[NUMBER], tokens.lookup(NUMBER, "N/0"));
  assert.equal(found[`${NUMBER}/60`], tokens.lookup(NUMBER, "N/59"));
  assert.equal(found[`${NUMBER}/61`], tokens.lookup(NUMBER, "N0"));
  assert.equal(found[`${NUMBER}/100`], tokens.lookup(NUMBER, "N39"));
});

test("a provider's id is searched as given, in its plain spelling, and a UUID in lower case", () => {
  const id = "5f1c0b1e-3bef-4375-97e9-c509b5c42a05";
  for (const text of [id, `{${id.toUpperCase()}}`, `\u200B${id.replaceAll("-", "\u2011")}\u00A0`])
    assert.ok(idSpellings(text).includes(id), text);
  assert.deepEqual(idSpellings("Abc"), ["Abc"]);
});

test("names what is unusual, but no letter or digit of the value", () => {
  assert.deepEqual(unusualSpelling("ann@example.org"), []);
  assert.deepEqual(unusualSpelling("J\u00FCrgen O'Neill-1"), []);
  assert.match(unusualSpelling("a\u200Bb").join(), /U\+200B/);
  assert.match(unusualSpelling("C\u20131").join(), /U\+2013/);
  assert.match(unusualSpelling("a\u0430").join(), /alphabet/);
  assert.match(unusualSpelling("1,23E+12").join(), /spreadsheet/);
  const SEEN = /[[\p{L}\p{N}]--\p{Default_Ignorable_Code_Point}]/v;
  fc.assert(
    fc.property(anyText, (value) => {
      const text = unusualSpelling(value).join();
      for (const [, point] of text.matchAll(/U\+([0-9A-F]+)/g))
        assert.doesNotMatch(String.fromCodePoint(Number.parseInt(point!, 16)), SEEN);
    }),
  );
});

test("accepts any text, and a plain spelling is its own plain spelling", () => {
  fc.assert(
    fc.property(fc.constantFrom("email", NUMBER, REFERENCE), anyText, (name, value) => {
      for (const spelling of spellings(name, value)) assert.ok(spelling.length <= value.length * 20 + 64);
      assert.ok(spellings(name, value).length <= 7);
      if (value.trim() !== "") assert.ok(meet(stored(name, value), asked(name, value)));
    }),
    { numRuns: 2_000 },
  );
});

test("printable ASCII is its own plain form, but for its blanks", () => {
  const ascii = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
  fc.assert(
    fc.property(ascii, (text) => {
      const plain = text.replace(/ +/g, " ").trim();
      // The second has a blank that is changed, so that nothing is left out.
      assert.equal(plainText(text), plain);
      assert.equal(plainText(`${text}\u00a0`), plain);
    }),
  );
});

test("a plain domain has one form", () => {
  const label = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
  fc.assert(
    fc.property(
      fc.array(label, { minLength: 1, maxLength: 3 }),
      fc.stringMatching(/^[a-z][a-z-]{0,8}$/),
      (labels, last) => {
        const domain = [...labels, last].join(".");
        if (domain.includes("xn--")) return;
        assert.equal(domainToUnicode(domain), domain);
        assert.equal(domainToASCII(domain), domain);
      },
    ),
    { numRuns: 2_000 },
  );
});
