import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { makePerson } from "../person.ts";
import { ask, clockAt, DAY, first, read } from "./ask.ts";
import { startVeriff, type Veriff } from "./server.ts";

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
interface Listed {
  readonly images: readonly { id: string }[];
  readonly videos: readonly { id: string }[];
  readonly nfcDocuments?: readonly { id: string }[];
}
const idsIn = ({ images, videos, nfcDocuments = [] }: Listed) =>
  [...images, ...videos, ...nfcDocuments].map(({ id }) => id);
const statusOf = (sandbox: Veriff, index: number) =>
  (sandbox.decision(index).verification as { status: string } | null)?.status ?? null;

test("the people are those of every sandbox, and the last attempt's document is read", async () => {
  await using sandbox = await startVeriff({ identities: 40 });
  const read = sandbox.ids().flatMap((_, index) => {
    const verification = sandbox.decision(index).verification as {
      person: object;
      document: { number: string };
    } | null;
    if (verification?.document.number == null) return [];
    const { given, family, birth, documents } = makePerson(1, index);
    assert.deepEqual(
      { ...verification.person, number: verification.document.number },
      { ...verification.person, firstName: given, lastName: family, dateOfBirth: birth, number: documents[0]!.number },
    );
    return [index];
  });
  assert.ok(read.length > 25, `${read.length} of 40`);
});

test("no decision yet is null; what was expired or given up has one, and no media", async () => {
  await using sandbox = await startVeriff({ identities: 80, plainImages: true });
  const open = first(sandbox, (index) => statusOf(sandbox, index) === null);
  assert.equal((await read(sandbox, `/sessions/${sandbox.id(open)}/decision`)).verification, null);
  const expired = first(sandbox, (index) => statusOf(sandbox, index) === "expired");
  assert.deepEqual(await sandbox.files(expired), []);
  const refused = await ask(sandbox, `/sessions/${sandbox.id(open)}/watchlist-screening`);
  assert.deepEqual([refused.status, ((await refused.json()) as { status: string }).status], [400, "400"]);
});

test("a session that no one opened has neither decision nor attempt", async () => {
  await using sandbox = await startVeriff({ unopened: 100 });
  const id = sandbox.id(0);
  assert.equal((await read(sandbox, `/sessions/${id}/decision`)).verification, null);
  assert.deepEqual((await read(sandbox, `/sessions/${id}/attempts`)).verifications, []);
});

test("a session's media are those of the last attempt only, each attempt has its own, and each opens to the byte", async () => {
  await using sandbox = await startVeriff({ identities: 60, plainImages: true });
  const index = first(sandbox, (at) => sandbox.attemptIds(at).length === 2 && statusOf(sandbox, at) === "approved");
  const [earlier, last] = sandbox.attemptIds(index);
  const of = async (path: string) => idsIn(await read<Listed>(sandbox, path)).toSorted();
  const [before, now] = [await of(`/attempts/${earlier}/media`), await of(`/attempts/${last}/media`)];
  assert.deepEqual(await of(`/sessions/${sandbox.id(index)}/media`), now);
  const files = await sandbox.files(index);
  assert.deepEqual([...before, ...now].toSorted(), files.map(({ id }) => id).toSorted());
  assert.equal(new Set(files.map(({ bytes }) => sha256(bytes))).size, files.length);
  for (const { id, mediaType, bytes } of files) {
    const response = await ask(sandbox, `/media/${id}`);
    assert.equal(response.headers.get("content-type"), mediaType);
    assert.equal(sha256(Buffer.from(await response.arrayBuffer())), sha256(bytes));
  }
});

test("the order of media changes by itself, and attempts come twice", async () => {
  await using sandbox = await startVeriff({ plainImages: true });
  const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved");
  const media = new Set<string>();
  const attempts = new Set<number>();
  for (let n = 0; n < 6; n++) {
    media.add(idsIn(await read<Listed>(sandbox, `/sessions/${sandbox.id(index)}/media`)).join());
    const { verifications } = await read<{ verifications: unknown[] }>(
      sandbox,
      `/sessions/${sandbox.id(index)}/attempts`,
    );
    attempts.add(verifications.length);
  }
  assert.ok(media.size > 1, "always in one order");
  assert.ok(attempts.size > 1, "never repeated");
});

test("after the retention, and once deleted, everything is 404", async () => {
  const clock = clockAt();
  await using sandbox = await startVeriff({ plainImages: true, clock, identities: 3 });
  const index = first(sandbox, (at) => sandbox.attemptIds(at).length > 0 && statusOf(sandbox, at) === "approved");
  const [file] = await sandbox.files(index);
  const id = sandbox.id(index);
  const paths = [
    `/sessions/${id}/decision`,
    `/sessions/${id}/attempts`,
    `/attempts/${sandbox.attemptIds(index)[0]}/media`,
    `/media/${file!.id}`,
  ];
  const statuses = () => Promise.all(paths.map(async (path) => (await ask(sandbox, path)).status));
  assert.deepEqual(await statuses(), [200, 200, 200, 200]);
  clock.now += 89 * DAY;
  assert.deepEqual(await statuses(), [200, 200, 200, 200]);
  clock.now += 2 * DAY;
  assert.deepEqual(await statuses(), [404, 404, 404, 404]);
  const [added] = sandbox.add(1);
  assert.equal((await ask(sandbox, `/sessions/${sandbox.id(added!)}/decision`)).status, 200);
  sandbox.remove([added!]);
  assert.equal((await ask(sandbox, `/sessions/${sandbox.id(added!)}/decision`)).status, 404);
});

test("another integration's sessions are not found, and nothing lists any", async () => {
  await using sandbox = await startVeriff();
  await using other = await startVeriff({ seed: 2 });
  assert.equal((await ask(sandbox, `/sessions/${other.id(0)}/decision`)).status, 404);
  for (const path of ["/sessions", "/sessions/", `/sessions/${sandbox.id(0)}`])
    assert.equal((await ask(sandbox, path)).status, 404);
});

test("an integration without screening is refused its results, and faults are answered as such", async () => {
  await using sandbox = await startVeriff({ screens: false, rate: 1, retryAfter: 0 });
  const path = `/sessions/${sandbox.id(0)}/watchlist-screening`;
  assert.equal((await ask(sandbox, path)).status, 403);
  const limited = await ask(sandbox, path);
  assert.deepEqual([limited.status, limited.headers.get("retry-after")], [429, "0"]);
  sandbox.setFaults({ rate: undefined, fail: 100 });
  const outcomes = new Set<number | string>();
  for (let n = 0; n < 20; n++)
    outcomes.add(
      await ask(sandbox, path).then(
        ({ status }) => status,
        () => "reset",
      ),
    );
  assert.deepEqual(outcomes, new Set([500, 503, 429, "reset"]));
});
