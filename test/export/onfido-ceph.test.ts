import assert from "node:assert/strict";
import { test } from "node:test";
import { fileCalls } from "../../src/source/onfido/files.ts";
import { secretMark } from "../sandbox/onfido/secret.ts";
import { type Onfido, startOnfido } from "../sandbox/onfido/server.ts";
import { withoutCeph } from "../servers/s3.ts";
import { checkAll, night as nightOf, outOfTurn, peopleOr, type Sealed } from "./on-ceph.ts";
import { makeWorkplace } from "./workplace.ts";

const PEOPLE = peopleOr(100);
const DAY = 86_400_000;

/** Where a file of a record is in Onfido's API. */
const pathOf = (id: string): string => fileCalls({ id })[0]!.call.path.slice(1);

/** The elements of a list's answer, or the object of another. */
const elements = (text: string): unknown[] => {
  const said = JSON.parse(text);
  if (Array.isArray(said)) return said;
  if ("id" in said) return [said];
  return Object.values(said)[0] as unknown[];
};

/** The applicant and everything that belongs to it, as Onfido says them, with all files. */
async function checkPerson(onfido: Onfido, index: number, { record, text }: Sealed): Promise<void> {
  assert.ok(!text.includes(secretMark(1)), "a token of the person is sealed");
  // A task is in the list of tasks, without its output, and alone.
  const said = record.raw!.filter((answer) => !answer.endpoint.endsWith("/tasks"));
  const got = said.flatMap((answer) => elements(answer.text)).map(withoutSecrets);
  assert.deepEqual(got.toSorted(), onfido.objects(index).map(withoutSecrets).toSorted());
  // Only a report that is done says that a document has a chip.
  const isNamed = (path: string) =>
    !path.endsWith("/nfc_face") || record.raw!.some((answer) => answer.text.includes('"nfc":{'));
  assert.deepEqual(
    record.files.map(({ id }) => pathOf(id)).toSorted(),
    (await onfido.files(index))
      .map(({ path }) => path)
      .filter(isNamed)
      .toSorted(),
  );
}

/** As text, without what Onfido makes again for each answer. */
const withoutSecrets = (value: unknown): string =>
  JSON.stringify(value, (name, part) => (["sdk_token", "link", "form_uri"].includes(name) ? undefined : part));

test(`${PEOPLE} people of Onfido through 429, 500, resets and cut files: none is missing, none is twice`, {
  skip: withoutCeph,
}, async (t) => {
  let ahead = 0;
  const begun = Date.now();
  const clock = () => Date.now() + ahead;
  await using onfido = await startOnfido({
    ...{ identities: PEOPLE, plainImages: true, videoBytes: 4_000, fail: 3, truncate: 2, retryAfter: 0, clock },
  });
  await using place = await makeWorkplace(onfido, {
    vault: "ceph",
    client: {
      source: { kind: "onfido", concurrency: 16 },
      lookups: { fields: ["email", "metadata.customer_user_id", "document.number"] },
    },
  });
  const night = () => nightOf(place, onfido, clock);
  const first = await night();
  assert.deepEqual([first.new, first.failed], [PEOPLE, 0]);
  for (const outcome of [429, 500, "reset"] as const)
    assert.ok(onfido.requests.of(undefined, outcome) > 0, `${outcome}`);
  const files = await checkAll(place, "onfido", onfido, {
    person: (index, sealed) => checkPerson(onfido, index, sealed),
    bytes: async (file, index) => (await onfido.files(index)).find(({ path }) => path === pathOf(file))!.bytes,
    // No answer says which side of a document was filmed.
    mayLack: (file) => file.endsWith("/video"),
  });
  assert.equal(files, first.files);
  assert.deepEqual(onfido.leaks, []);
  t.diagnostic(
    `${first.requests} requests for ${PEOPLE} new people and ${files} files, ${first.retries} retries, ${first.seconds} s`,
  );

  onfido.setFaults({ fail: 0, truncate: 0 });
  await t.test("a night without changes stores nothing, though each answer has fresh tokens", async () => {
    ahead += DAY;
    const { changed, files: more, requests, ...of } = await night();
    assert.deepEqual([of.new, changed, more], [0, 0, 0]);
    t.diagnostic(`${requests} requests for a night without changes`);
  });

  await t.test(
    "the list shows changes of applicants and who is gone; a check that changes alone is found in turn",
    async () => {
      const chosen = await outOfTurn(place, "onfido", onfido, { from: begun, to: clock() + 2 * DAY });
      const [edited, deleted] = chosen as [number, number];
      const checked = chosen.find((index) => index > deleted && onfido.run(index) === undefined)!;
      onfido.change([edited], { part: "applicant" });
      onfido.change([checked], { part: "check" });
      onfido.remove([deleted]);
      ahead += DAY;
      const told = await night();
      // Those whose turn it was the night before are as the list says.
      assert.deepEqual([told.changed, told.gone, told.new, told.askedByList], [1, 1, 0, 2]);
      t.diagnostic(`${told.requests} requests for a night with one change and one deletion`);
      await place.configure({ source: { resync: "P1D" } });
      ahead += DAY;
      const inTurn = await night();
      assert.deepEqual([inTurn.changed, inTurn.askedInTurn], [1, PEOPLE - 1]);
      t.diagnostic(`${inTurn.requests} requests for a night in which everyone is asked`);
    },
  );
});
