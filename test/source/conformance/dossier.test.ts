import assert from "node:assert/strict";
import { minimalIdentity } from "../../../src/record/minimal.ts";
import { makePerson } from "../../sandbox/person.ts";
import { conformance } from "./conform.ts";
import { compared, full, listed, withFiles } from "./reading.ts";

/** Everything about one identity: complete, and compared without what changes by itself. */
conformance((conforms, { can, delays, minimalTellsAge, redacts }) => {
  conforms("holds all that the provider says", { people: 30 }, async ({ stage, source }) => {
    for (let index = 0; index < 30; index++) {
      const { answers } = await full(source, stage.id(index));
      const held = new Set(answers.flatMap(({ text }) => textsIn(JSON.parse(text))));
      const said = stage.said(index).flatMap(textsIn);
      const missing = said.filter((text) => !held.has(text) && !text.startsWith("http"));
      assert.deepEqual(missing, [], `what is missing of person ${index}`);
      assert.ok(said.length > 5);
    }
  });

  conforms("is the same when nothing changed", { people: 30 }, async ({ stage, source, open }) => {
    const other = open();
    for (let index = 0; index < 30; index++) {
      const id = stage.id(index);
      const first = await full(source, id);
      stage.advance(3_600);
      for (const second of [await full(source, id), await full(other, id)]) {
        assert.equal(compared(second.content), compared(first.content), `the content of person ${index}`);
        assert.deepEqual(second.files, first.files, `the files of person ${index}`);
        assert.deepEqual(second.identity, first.identity, `the identity of person ${index}`);
        assert.deepEqual([second.open, second.redacted], [first.open, first.redacted]);
      }
    }
  });

  conforms("names no files if not all is wanted, and says the same of the identity", { people: 30 }, async (place) => {
    const { stage, source } = place;
    const day = Temporal.PlainDate.from("2026-03-04");
    for (let index = 0; index < 30; index++) {
      const id = stage.id(index);
      const whole = await full(source, id);
      const minimal = await source.dossier(id, { full: false });
      assert.deepEqual(minimal.files, []);
      const { updated, status, verified } = whole.identity;
      assert.deepEqual(
        [minimal.identity.id, minimal.identity.updated, minimal.identity.status, minimal.identity.verified],
        [id, updated, status, verified],
      );
      const ages = minimalTellsAge ? [18, 21, 65] : [];
      assert.deepEqual(minimalIdentity(minimal.identity, ages, day), minimalIdentity(whole.identity, ages, day));
      assert.deepEqual([minimal.redacted, minimal.open], [whole.redacted, whole.open]);
    }
  });

  conforms("is missing when the identity is gone, for the list too", async ({ stage, source, refuses }) => {
    const index = await withFiles(stage);
    const id = stage.id(index);
    await stage.vanish(index);
    for (const whole of [true, false]) await refuses(() => source.dossier(id, { full: whole }), "source-missing");
    if (can.list) assert.ok(!(await listed(source)).has(id));
    assert.equal((await full(source, stage.id(index + 1))).identity.id, stage.id(index + 1));
  });

  if (redacts)
    conforms("says that the provider redacted it, and then holds no one's data", async ({ stage, source }) => {
      const index = await withFiles(stage);
      const id = stage.id(index);
      assert.equal((await full(source, id)).redacted, false);
      const { documents, given, family, email, ip } = makePerson(1, index);
      const personal = [given, family, email, ip, ...documents.flatMap(({ number, mrz }) => [number, ...mrz])];
      stage.advance(60);
      stage.redact(index);
      for (const whole of [true, false])
        assert.equal((await source.dossier(id, { full: whole })).redacted, true, `full: ${whole}`);
      stage.advance(delays.redaction + 1);
      const after = await full(source, id);
      assert.equal(after.redacted, true);
      assert.deepEqual(after.identity.owner, { email: null, firstName: null, lastName: null });
      assert.deepEqual(after.files, []);
      const left = JSON.stringify([after.identity.documents, after.identity.network, after.identity.watchlist]);
      for (const text of personal) assert.ok(!left.includes(JSON.stringify(text)), `${text} is left in ${left}`);
      assert.equal((await full(source, stage.id(index + 1))).redacted, false, "someone else is redacted too");
    });

  conforms("puts no secret into what it returns beside the answers", async ({ stage, source }) => {
    const index = await withFiles(stage);
    const { answers, ...rest } = await full(source, stage.id(index));
    const text = JSON.stringify(rest);
    for (const secret of stage.secrets()) assert.ok(!text.includes(secret), "the key or a file's token is in it");
    assert.ok(answers.length >= 1);
  });
});

/** All texts in a value. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
