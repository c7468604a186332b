import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { makePerson } from "../../sandbox/person.ts";
import { conformance } from "./conform.ts";
import { compared, full, listed, walk } from "./reading.ts";

/** Whom the provider has: the same people everywhere, and a list that names each of them. */
conformance((conforms, { can, alwaysNames, hidesEnvironment, listTells, readsOneDocument }) => {
  conforms("shows the invented people of the seed, by name and document number", { people: 40 }, async (place) => {
    const { stage, source } = place;
    let withDocuments = 0;
    for (let index = 0; index < 40; index++) {
      const person = makePerson(1, index);
      const { identity } = await full(source, stage.id(index));
      const { firstName, lastName, email } = identity.owner;
      const names = [[person.given, person.family]];
      if (!alwaysNames) names.push([person.printedGiven, person.printedFamily]);
      if (alwaysNames || firstName !== null)
        assert.ok(
          isDeepStrictEqual([firstName, lastName], names[0]) || isDeepStrictEqual([firstName, lastName], names[1]),
          `person ${index} is ${firstName} ${lastName}`,
        );
      assert.ok(email === null || email === person.email, `person ${index} has ${email}`);
      const values = JSON.stringify(identity.documents.map(({ datapoints }) => datapoints));
      const shown = readsOneDocument ? person.documents.slice(0, 1) : person.documents;
      const missing = shown.filter(({ number }) => !values.includes(number));
      if (missing.length < shown.length) {
        assert.deepEqual(missing, [], `documents of person ${index}`);
        withDocuments += 1;
      }
    }
    assert.ok(withDocuments > 20, `only ${withDocuments} of 40 people have their documents' numbers`);
  });

  conforms("names its kind, its API and its project", async ({ stage, source, provider }) => {
    const { id, name, environment } = await source.project();
    assert.ok(id.length > 8 && name !== "", `${id} ${name}`);
    assert.equal(environment, hidesEnvironment ? "unknown" : "sandbox");
    assert.equal(source.kind, provider.kind);
    assert.deepEqual(source.can, provider.can);
    assert.doesNotThrow(() => new URL(source.api));
    for (const secret of stage.secrets()) assert.ok(!`${id} ${name} ${source.api}`.includes(secret), "shows a secret");
  });

  if (!can.list) return;

  conforms("lists everyone once, over several pages", { people: 230 }, async ({ stage, source }) => {
    const pages = await walk(source);
    const ids = pages.flatMap(({ identities }) => identities.map(({ id }) => id));
    assert.equal(new Set(ids).size, ids.length, "someone is listed twice");
    assert.deepEqual(ids.toSorted(), stage.ids().toSorted());
    assert.ok(pages.length >= 3, `${pages.length} pages`);
    assert.deepEqual(
      pages.map(({ cursor }) => cursor === null),
      pages.map((_, at) => at === pages.length - 1),
      "the last page alone has no cursor",
    );
    assert.ok(
      pages.every(({ whole }) => whole),
      "a walk without disturbance is whole",
    );
    for (const page of pages) assert.deepEqual([page.unread, page.unreadable], [[], 0]);
  });

  conforms("lists no one where there is no one", { people: 0 }, async ({ source }) => {
    const pages = await walk(source);
    assert.deepEqual(
      pages.flatMap(({ identities }) => identities),
      [],
    );
    assert.deepEqual([pages.at(-1)?.cursor, pages.at(-1)?.whole], [null, true]);
  });

  conforms("lists what the dossier says, and the same the next time", { people: 30 }, async ({ stage, source }) => {
    const first = await listed(source);
    const second = await listed(source);
    for (let index = 0; index < 30; index++) {
      const id = stage.id(index);
      const entry = first.get(id)!;
      assert.equal(
        compared(second.get(id)!.raw),
        compared(entry.raw),
        `the entry of person ${index} changed by itself`,
      );
      const dossier = await full(source, id);
      const { identity } = dossier;
      assert.equal(identity.id, id);
      if (listTells) {
        assert.equal(identity.status, entry.status);
        assert.equal(Date.parse(identity.updated), Date.parse(entry.updated));
      } else assert.ok(Date.parse(identity.updated) >= Date.parse(entry.updated));
      assert.ok(identity.created === null || Date.parse(identity.created) === Date.parse(entry.created));
      for (const time of [entry.created, entry.updated, identity.updated])
        assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
      if (dossier.listed === undefined) continue;
      assert.equal(compared(dossier.listed), compared(entry.raw), `person ${index}`);
      assert.equal(dossier.listedUpdated ?? dossier.identity.updated, entry.updated, `person ${index}`);
    }
  });

  conforms("goes on after any page's cursor", { people: 230 }, async ({ source, open }) => {
    const pages = await walk(source);
    for (const [at, { cursor }] of pages.entries()) {
      if (cursor === null) continue;
      const rest = await walk(open(), { cursor });
      const ids = (part: typeof pages) => part.flatMap(({ identities }) => identities.map(({ id }) => id));
      assert.deepEqual(ids(rest), ids(pages.slice(at + 1)), `after page ${at + 1}`);
    }
  });

  conforms("misses no one who stays while others come and go", { people: 330 }, async ({ stage, source }) => {
    const pages = source.pages()[Symbol.asyncIterator]();
    const seen = new Set<string>();
    const gone = new Set<string>();
    let whole = true;
    for (let at = 0; ; at++) {
      const { done, value: page } = await pages.next();
      if (done) break;
      assert.ok(at < 20, "the walk does not end");
      for (const { id } of page.identities) seen.add(id);
      whole &&= page.whole;
      if (page.identities.length === 0) continue;
      // Between two pages: the last one listed goes, so does one before and one after it, and someone comes.
      const places = [page.identities.at(-1)!.id, page.identities[0]!.id, stage.ids().at(150 - at)!];
      for (const id of places) {
        const index = Array.from({ length: 330 }, (_, i) => i).find((i) => stage.id(i) === id);
        if (index === undefined) continue;
        gone.add(id);
        await stage.vanish(index);
      }
      await stage.add(1);
    }
    const missed = Array.from({ length: 330 }, (_, i) => stage.id(i)).filter((id) => !seen.has(id) && !gone.has(id));
    if (whole) assert.deepEqual(missed, [], "the walk missed people and calls itself whole");
  });
});
