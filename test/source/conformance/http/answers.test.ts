import assert from "node:assert/strict";
import { parseExact } from "../../../../src/io/exact-json.ts";
import { makePerson } from "../../../sandbox/person.ts";
import { compared, full, withFiles } from "../reading.ts";
import { httpConformance } from "./conform.ts";
import * as the from "./faults.ts";

/** The answers that make a dossier: each to the byte, all that is needed, and about the identity that was asked for. */
httpConformance((conforms, { marksRedaction }) => {
  conforms("keeps every answer byte for byte, with the name of its endpoint", { people: 30 }, async (place) => {
    const { stage, source, traffic } = place;
    for (let index = 0; index < 30; index++) {
      traffic.clear();
      const { answers: all } = await full(source, stage.id(index));
      const answers = all.filter(({ endpoint }) => endpoint !== stage.signature);
      assert.deepEqual(
        answers.map(({ text }) => text).toSorted(),
        traffic.answers.map(({ text }) => stage.kept?.(text) ?? text).toSorted(),
        `the answers about person ${index}`,
      );
      for (const { endpoint } of answers) assert.match(endpoint, /^(GET|POST) \/[a-z][\w/{};?=.-]*$/);
      const named = answers.map(({ endpoint }) => endpoint).join();
      for (const canary of stage.canaries()) assert.ok(!named.includes(canary), `${canary} is in ${named}`);
    }
  });

  conforms("compares all that its answers say, in members that no one knows yet too", async (place) => {
    const { stage, source, traffic } = place;
    const index = await withFiles(stage);
    const id = stage.id(index);
    traffic.clear();
    const before = compared((await full(source, id)).content);
    let tried = 0;
    for (const asked of ["identity", "part"] as const) {
      const count = traffic.answers.filter((answer) => answer.asked === asked).length;
      for (let number = 0; number < count; number++) {
        const contents = [];
        // Numbers that JavaScript rounds to the same one.
        for (const value of ["9007199254740992", "9007199254740993"]) {
          traffic.clear();
          traffic.rewrite(asked, (text, at) => (at === number ? withNews(text, value) : text));
          contents.push(compared((await full(source, id)).content));
        }
        traffic.clear();
        await full(source, id);
        const text = traffic.answers.filter((answer) => answer.asked === asked)[number]!.text;
        if (withNews(text, "1") === text) continue; // an empty list
        tried += 1;
        assert.notEqual(contents[0], before, `an unknown member of answer ${number + 1} (${asked}) is not compared`);
        assert.notEqual(contents[0], contents[1], `a long number in answer ${number + 1} (${asked}) is rounded`);
      }
    }
    assert.ok(tried >= 2, `only ${tried} answers have content`);
  });

  conforms("asks for no more than the answer of the identity if not all is wanted", { people: 30 }, async (place) => {
    const { stage, source, traffic } = place;
    for (let index = 0; index < 30; index++) {
      traffic.clear();
      await source.dossier(stage.id(index), { full: false });
      assert.equal(traffic.count("part", "file", "list", "changes"), 0, "it asks for more than the identity");
    }
  });

  conforms(
    "is missing if the identity goes while the rest is asked for",
    async ({ stage, source, traffic, refuses }) => {
      const index = await withFiles(stage);
      traffic.strike("part", (response) => {
        stage.vanish(index);
        the.missing(404)(response, "", undefined as never);
      });
      await refuses(() => full(source, stage.id(index)), "source-missing");
    },
  );

  for (const status of [404, 410]) {
    conforms(`does not take a part that answers ${status} for the end of the identity`, async (place) => {
      const { stage, source, traffic } = place;
      const index = await withFiles(stage);
      traffic.strike("part", the.missing(status));
      const error = await full(source, stage.id(index)).then(
        () => undefined, // The provider may have parts that it can leave out.
        (reason: { code: string }) => reason.code,
      );
      assert.notEqual(error, "source-missing");
    });
  }

  conforms("belongs to the identity that was asked for", async ({ stage, source, traffic, refuses }) => {
    traffic.clear();
    await full(source, stage.id(1));
    const about = traffic.answers.find(({ asked }) => asked === "identity")!.text;
    traffic.strike("identity", the.answers(about));
    for (const whole of [true, false])
      await refuses(() => source.dossier(stage.id(2), { full: whole }), "source-response");
  });

  if (marksRedaction) {
    conforms("takes no one for redacted because there is no name", async ({ stage, source, traffic }) => {
      const index = await withFiles(stage);
      const { given, family, printedGiven, printedFamily, email, documents } = makePerson(1, index);
      const names = [given, family, printedGiven, printedFamily, email, ...documents.map(({ number }) => number)];
      const nameless = (text: string) =>
        names.reduce((left, name) => left.replaceAll(JSON.stringify(name), "null"), text);
      traffic.rewrite("identity", nameless);
      traffic.rewrite("part", nameless);
      const { identity, redacted } = await full(source, stage.id(index));
      assert.deepEqual(identity.owner, { email: null, firstName: null, lastName: null });
      assert.equal(redacted, false);
    });
  }
});

/** The answer with a new member in its first object of some size. */
function withNews(text: string, value: string): string {
  const spot = (part: unknown): string | undefined => {
    if (typeof part !== "object" || part === null) return undefined;
    for (const [name, inner] of Object.entries(part)) {
      if (!Array.isArray(part) && typeof inner !== "object" && Object.keys(part).length >= 4) return name;
      const found = spot(inner);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const name = spot(parseExact(text));
  return name === undefined ? text : text.replace(`"${name}":`, `"x-unknown":${value},"${name}":`);
}
