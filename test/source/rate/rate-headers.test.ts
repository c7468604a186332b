import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Headers, rateAdvice } from "../../../src/source/rate/rate-headers.ts";
import { parseStructuredField } from "../../../src/source/rate/structured-field.ts";

const NOW = Date.UTC(2026, 10, 23, 10, 15);
const EPOCH = NOW / 1000;

const left = (remaining: number, seconds: number) => ({ remaining, window: seconds * 1000 });

for (const [name, headers, expected] of [
  // draft-ietf-httpapi-ratelimit-headers-08 and later
  ["the draft's own example", { ratelimit: '"default";r=50;t=30' }, left(50, 30)],
  ["with a policy", { ratelimit: '"default";r=50;t=30', "ratelimit-policy": '"default";q=100;w=60' }, left(50, 30)],
  ["the strictest of several", { ratelimit: '"burst";r=9;t=1, "daily";r=4000;t=86400' }, left(4000, 86_400)],
  ["none left counts before any pace", { ratelimit: '"a";r=0;t=3,"b";r=1;t=86400' }, left(0, 3)],
  ["the longest without any left", { ratelimit: '"a";r=0;t=3, "b";r=0;t=40, "c";r=0;t=5' }, left(0, 40)],
  ["a partition key", { ratelimit: '"p";r=5;t=10;pk=:sdfjLJUOUH==:' }, left(5, 10)],
  ["other parameters", { ratelimit: '"p"; r=5; t=10; x; y=?0; z=-1.5;qu="rate\\"limit"' }, left(5, 10)],
  ["a token for a name", { ratelimit: "p;r=5;t=10" }, left(5, 10)],
  [
    "no reset: the policy's quota",
    { ratelimit: '"p";r=5', "ratelimit-policy": '"o";q=1;w=9,"p";q=60;w=30' },
    left(60, 30),
  ],
  ["a policy alone", { "ratelimit-policy": '"default";q=100;w=60' }, left(100, 60)],
  ["of two policies the stricter", { "ratelimit-policy": '"burst";q=10;w=1,"hour";q=1000;w=3600' }, left(1000, 3600)],
  ["a header in several lines", { ratelimit: ['"a";r=5;t=1', '"b";r=5;t=9'] }, left(5, 9)],
  // draft 7
  ["a dictionary", { ratelimit: "limit=100, remaining=50, reset=5" }, left(50, 5)],
  [
    "a dictionary with its policy",
    { ratelimit: "limit=9, remaining=0, reset=5", "ratelimit-policy": "9;w=5" },
    left(0, 5),
  ],
  ["a policy without a name", { "ratelimit-policy": "100;w=60" }, left(100, 60)],
  // drafts up to 6
  ["the triple", { "ratelimit-limit": "100", "ratelimit-remaining": "50", "ratelimit-reset": "50" }, left(50, 50)],
  ["a limit with quotas", { "ratelimit-limit": "10, 10;w=1, 50;w=60" }, left(50, 60)],
  [
    "a limit with a quota, comment",
    { "ratelimit-limit": '100, 100;w=60;comment="x"', "ratelimit-reset": "1" },
    left(100, 60),
  ],
  // as servers had it before the drafts
  ["a span", { "x-ratelimit-limit": "60", "x-ratelimit-remaining": "12", "x-ratelimit-reset": "30" }, left(12, 30)],
  ["a fraction of a second", { "x-ratelimit-remaining": "1", "x-ratelimit-reset": "0.5" }, left(1, 0.5)],
  ["a time", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${EPOCH + 42}` }, left(0, 42)],
  [
    "a time by the source's clock",
    { "x-ratelimit-remaining": "3", "x-ratelimit-reset": `${EPOCH + 90}`, date: new Date(NOW + 60_000).toUTCString() },
    left(3, 30),
  ],
  [
    "a date that is invalid",
    { "x-ratelimit-remaining": "3", "x-ratelimit-reset": `${EPOCH + 9}`, date: "now GMT" },
    left(3, 9),
  ],
  [
    "the standard before the custom",
    { ratelimit: '"d";r=5;t=1', "x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" },
    left(5, 1),
  ],
  ["nonsense beside sense", { ratelimit: "what?", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" }, left(0, 9)],
  ["one nonsense among several", { ratelimit: '"a";r=-1;t=5, "b";r=5;t=9' }, left(5, 9)],
] as const satisfies [string, Headers, unknown][]) {
  test(`valid: ${name}`, () => assert.deepEqual(rateAdvice(headers, NOW), expected));
}

test("invalid headers are ignored", () => {
  const triple = (prefix: string, remaining: string, reset: string) => ({
    [`${prefix}-limit`]: "100",
    [`${prefix}-remaining`]: remaining,
    [`${prefix}-reset`]: reset,
  });
  for (const headers of [
    {},
    { ratelimit: "" },
    ...[
      "50",
      '"d"',
      '"d";r=5',
      '"d";t=5',
      '"d";r=-5;t=5',
      '"d";r=5;t=-5',
      '"d";r=5;t=0',
      '"d";r=5.5;t=5',
      '"d";r="5";t=5',
    ]
      .concat([
        '"d";r=5;t=5,',
        ',"d";r=5;t=5',
        '"d;r=5;t=5',
        '"d";r=5;t=5;',
        '"d";r=5;;t=5',
        '"d"r=5;t=5',
        "'d';r=5;t=5",
      ])
      .concat(['"d";r=5;t=5 "e"', '"d";r= 5;t=5', '"d";R=5;t=5', '("d" "e");r=5;t=5', '"d";r=5;t=1e3', '"d";r=0x5;t=5'])
      .concat(['"d";r=5;t=86401', '"d";r=1000000001;t=5', '"d";r=9999999999999999;t=5', '"ü";r=5;t=5', '"d";r=5;t=5\0'])
      .concat(["limit=100, remaining=50", "remaining=50, reset=x", "remaining=-1, reset=5", "remaining=5; reset=5"])
      .concat([`"${"d".repeat(1000)}";r=5;t=5`, Array(17).fill('"d";r=5;t=5').join()])
      .map((ratelimit) => ({ ratelimit })),
    ...["100", '"d";q=100', '"d";q=0;w=60', '"d";w=60', '"d";q=100;w=0', '"d";q=100;w=99999999'].map((policy) => ({
      "ratelimit-policy": policy,
    })),
    ...["ratelimit", "x-ratelimit"].flatMap((prefix) => [
      ...["", "-1", "+1", " 1", "1e3", "0x10", "1.5", "many", "Infinity", "NaN", "1000000001", "9".repeat(400)].map(
        (text) => triple(prefix, text, "30"),
      ),
      ...[
        "",
        "0",
        "-1",
        "+1",
        "1e3",
        "86401",
        "soon",
        "Infinity",
        "9".repeat(400),
        "Mon, 23 Nov 2026 10:16:00 GMT",
      ].map((text) => triple(prefix, "50", text)),
    ]),
    triple("x-ratelimit", "0", `${EPOCH - 1}`),
    triple("x-ratelimit", "0", `${EPOCH + 86_402}`),
    triple("x-ratelimit", "0", `${NOW}`), // milliseconds
    triple("ratelimit", "0", `${EPOCH + 30}`),
    { "x-ratelimit-limit": "100" },
  ] as Headers[]) {
    assert.equal(rateAdvice(headers, NOW), undefined, JSON.stringify(headers));
  }
});

test("whatever a header contains, the advice is within limits, and found fast", () => {
  const piece = fc.constantFrom(
    ...'";=,.:?*() \t\\-0159rtqwx'.split(""),
    '"d"',
    ";r=5",
    ";t=30",
    "limit=",
    "remaining=1",
    "reset=9",
    "ü",
    "\0",
  );
  const field = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
  );
  const names = ["ratelimit", "ratelimit-policy", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];
  const headers = fc.dictionary(fc.constantFrom(...names, ...names.map((name) => `x-${name}`), "date"), field, {
    maxKeys: 6,
  });
  fc.assert(
    fc.property(headers, (given) => {
      const advice = rateAdvice(given, NOW);
      if (!advice) return;
      assert.ok(Number.isInteger(advice.remaining) && advice.remaining >= 0 && advice.remaining <= 1e9);
      assert.ok(advice.window > 0 && advice.window <= 86_400_000);
    }),
    { numRuns: 5_000 },
  );
  for (const unit of ['"', "\\", ";", "a=", ",", " ", '"\\"', ":"]) {
    const begun = performance.now();
    for (let length = 100; length < 200_000; length *= 3) rateAdvice({ ratelimit: unit.repeat(length) }, NOW);
    assert.ok(performance.now() - begun < 3_000, unit);
  }
});

test("structured fields are parsed as they were written", () => {
  const key = fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,8}$/);
  const text = fc.stringMatching(/^[ -~]{0,12}$/);
  const integer = fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 });
  const parameters = fc.dictionary(key, fc.oneof(integer, text), { maxKeys: 4, noNullPrototype: true });
  const quoted = (value: number | string) =>
    typeof value === "number" ? String(value) : `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
  fc.assert(
    fc.property(fc.array(fc.tuple(text, parameters), { minLength: 1, maxLength: 5 }), (members) => {
      const written = members
        .map(([value, given]) =>
          [quoted(value), ...Object.entries(given).map(([name, parameter]) => `;${name}=${quoted(parameter)}`)].join(
            "",
          ),
        )
        .join(", ");
      fc.pre(written.length <= 1000);
      const read = parseStructuredField("list", written);
      assert.deepEqual(
        read?.map(({ value, parameters }) => [value, Object.fromEntries(parameters)]),
        members.map(([value, given]) => [value, { ...given }]),
      );
    }),
  );
});
