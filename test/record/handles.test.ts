import assert from "node:assert/strict";
import { createDecipheriv, hkdfSync } from "node:crypto";
import { test } from "node:test";
import { Secret } from "../../src/config/secret.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { Handles } from "../../src/record/handles.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { Box } from "../../src/seal/secretbox.ts";
import { blocks } from "../docs/pages.ts";

const KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const key = new Secret(KEY);
const [handles, tokens] = [new Handles(key), new Tokens(key)];
const id = "inq_5kqPFcqAzSXJLtTPHPDXRXsz";
const subject = tokens.subject("persona", id);

const refused = (handle: string, of = subject, kind = "persona", by = handles): string => {
  try {
    by.open(of, kind, handle);
  } catch (error) {
    assert.ok(error instanceof HoldfastError && ["unverified", "malformed"].includes(error.code));
    assert.doesNotMatch(`${error.stack} ${error.hint}`, /inq_/);
    return error.code;
  }
  assert.fail("it was opened");
};

test("a closed id opens with stock cryptography, as docs/FORMAT.md has it", () => {
  const bytes = Buffer.from(handles.close(subject, "persona", id), "base64url");
  const derived = Buffer.from(hkdfSync("sha256", Buffer.from(KEY, "hex"), "", "holdfast/1 roster", 32));
  const cipher = createDecipheriv("aes-256-gcm", derived, bytes.subarray(0, 12));
  cipher.setAAD(Buffer.from(`subject ${subject}`)).setAuthTag(bytes.subarray(-16));
  const text = cipher.update(bytes.subarray(12, -16)).toString() + cipher.final().toString();
  assert.deepEqual(JSON.parse(text), { kind: "persona", id });
});

test("each closing differs, and each opens", () => {
  const [one, other] = [handles.close(subject, "persona", id), handles.close(subject, "persona", id)];
  assert.notEqual(one, other);
  assert.deepEqual(
    [one, other].map((each) => handles.open(subject, "persona", each)),
    [id, id],
  );
});

test("a handle of another subject, kind or key, and garbage, are refused without its content", () => {
  const handle = handles.close(subject, "persona", id);
  const other = tokens.subject("persona", "inq_other");
  assert.equal(refused(handle, other), "unverified");
  assert.equal(refused(handle, subject, "passbase"), "malformed");
  assert.equal(refused(handle, subject, "persona", new Handles(new Secret("ff".repeat(32)))), "unverified");
  for (const garbage of ["", "A", "A".repeat(37), "A".repeat(2000), `${handle.slice(0, -2)}AA`, "%".repeat(40)])
    assert.equal(refused(garbage), "unverified");
});

test("a handle that was closed for a subject with the id of another is refused", () => {
  assert.equal(refused(handles.close(subject, "persona", "inq_of_someone_else")), "unverified");
});

test("a closed text that is no id is refused", () => {
  const box = new Box(key, "roster");
  for (const text of ["", "{}", "[]", `{"kind":"persona"}`, `{"kind":"persona","id":""}`, `{"kind":"persona","id":7}`])
    assert.equal(refused(box.close(text, `subject ${subject}`)), "malformed");
  assert.equal(
    refused(box.close(JSON.stringify({ kind: "persona", id: "x".repeat(201) }), `subject ${subject}`)),
    "malformed",
  );
});

test("a message to a worker is no handle, although the key is derived from the same one", () => {
  const box = new Box(key, "backfill workers");
  assert.equal(refused(box.close(JSON.stringify({ kind: "persona", id }), `subject ${subject}`)), "unverified");
});

test("the closed ids in the examples of docs/FORMAT.md open", () => {
  const examples = blocks
    .filter(({ page, language }) => page === "docs/FORMAT.md" && language === "json")
    .map(({ text }) => JSON.parse(text) as { subject: string; handle?: string });
  const closed = examples.filter(({ handle }) => handle !== undefined);
  assert.equal(closed.length, 2);
  for (const { subject: of, handle } of closed)
    assert.equal(handles.open(of, "passbase", handle!), "44b30af4-3bef-4375-97e9-c509b5c42a05");
});
