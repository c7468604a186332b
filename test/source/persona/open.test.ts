import assert from "node:assert/strict";
import { test } from "node:test";
import { finished, NIGHT } from "../../sandbox/persona/ask.ts";
import { full, open, rewrite } from "./connect.ts";

const DAY = 86_400_000;

test("an inquiry is open while a verification, a report or a case of it is not done, for thirty days", async (t) => {
  let now = NIGHT;
  const { sandbox, source } = await open(
    t,
    { identities: 40, clock: () => NIGHT },
    { now: () => Temporal.Instant.fromEpochMilliseconds(now) },
  );
  const index = finished(sandbox, (i) => sandbox.inquiry(i).attributes.status === "declined");
  const id = sandbox.ids()[index]!;
  const isOpen = async () => (await source.dossier(id, full)).open;
  assert.equal(await isOpen(), false);
  const time = new Date(NIGHT).toISOString();
  const times = { "created-at": time, "submitted-at": time, "updated-at": time };
  /** Gives every object of this kind these attributes, wherever an answer shows it. */
  const change = (kind: string, attributes: Readonly<Record<string, unknown>>): void =>
    rewrite(sandbox, (_path, text) =>
      JSON.stringify(JSON.parse(text), (_key, value) =>
        typeof value?.type === "string" && value.type.startsWith(kind) && value.attributes
          ? { ...value, attributes: { ...value.attributes, ...times, ...attributes } }
          : value,
      ),
    );
  const open_: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ["report/", { status: "pending" }],
    ["verification/", { status: "submitted" }],
    ["verification/", { status: "tentatively_passed" }],
    ["document/", { status: "submitted" }],
    ["selfie/", { status: "submitted" }],
    ["case", { "resolved-at": null }],
  ];
  for (const [kind, attributes] of open_) {
    change(kind, attributes);
    now = NIGHT + 29 * DAY;
    assert.equal(await isOpen(), true, `${kind} ${JSON.stringify(attributes)}`);
    now = NIGHT + 31 * DAY;
    assert.equal(await isOpen(), false, kind);
  }
  now = NIGHT;
  for (const [kind, attributes] of [
    ["report/", { status: "errored" }],
    // Waits for the person: what it comes to is a status of the inquiry, which the list and the search tell.
    ["verification/", { status: "initiated" }],
    ["verification/", { status: "submitted", "redacted-at": time }],
    ["inquiry", { status: "pending" }],
  ] as const) {
    change(kind, attributes);
    assert.equal(await isOpen(), false, `${kind} ${JSON.stringify(attributes)}`);
  }
});
