import assert from "node:assert/strict";
import { test } from "node:test";
import { parseExact } from "../../src/io/exact-json.ts";
import type { Page } from "../../src/source/source.ts";
import { open } from "./connect.ts";

test("an identity is kept byte for byte: unknown fields, and numbers that JavaScript rounds", async (t) => {
  const { sandbox, source } = await open(t, { identities: 40 });
  for (const [index, id] of sandbox.ids().entries()) {
    const { answers, listed, identity, redacted } = await source.dossier(id, { full: false });
    const { text } = answers[0]!;
    const wire = sandbox.identity(index);
    assert.equal(text, sandbox.text(index));
    assert.equal(JSON.stringify(listed), text);
    assert.match(text, /"review":\{.*"sequence":900719925474\d{3}[13579]\}/);
    assert.equal(redacted, false);
    assert.deepEqual([identity.id, identity.status, identity.score], [id, wire.status, wire.score ?? null]);
    assert.deepEqual(identity.owner, {
      email: wire.owner?.email ?? null,
      firstName: wire.owner?.first_name ?? null,
      lastName: wire.owner?.last_name ?? null,
    });
    assert.equal(identity.updated, new Date(wire.updated * 1000).toISOString().replace(".000", ""));
    assert.deepEqual(identity.documents, wire.resources);
    assert.deepEqual(identity.metadata, wire.metadata ?? null);
    assert.deepEqual(identity.network, wire.network ?? null);
    const verdict = { approved: true, verified: true, declined: false, unverified: false }[wire.status] ?? null;
    assert.equal(identity.verified, verdict);
  }
});

test("the list has every identity once, in order, exactly as the identity itself", async (t) => {
  const { sandbox, source } = await open(t, { identities: 230 });
  const pages: Page[] = [];
  for await (const page of source.pages()) pages.push(page);
  assert.deepEqual(
    pages.map(({ identities }) => identities.length),
    [100, 100, 30],
  );
  assert.equal(pages.at(-1)!.cursor, null);
  const listed = pages.flatMap(({ identities }) => identities);
  assert.deepEqual(
    listed.map(({ id }) => id),
    sandbox.ids(),
  );
  for (const [index, { raw }] of listed.entries()) assert.equal(JSON.stringify(raw), sandbox.text(index));
  assert.equal(source.requests, 3);
});

test("resources come from all their pages, with the exact text of each", async (t) => {
  const { sandbox, source } = await open(t, { identities: 20, pageSize: 1 });
  for (const [index, id] of sandbox.ids().entries()) {
    const wire = sandbox.resources(index);
    const { answers, files } = await source.dossier(id, { full: true });
    const texts = answers.slice(1).map(({ text }) => text);
    assert.equal(texts.length, Math.max(1, wire.length));
    const data = texts.flatMap((text) => (parseExact(text) as { data: unknown[] }).data);
    assert.deepEqual(data, wire);
    assert.deepEqual(
      files,
      wire.flatMap((resource) =>
        resource.resource_files.map(({ id, type, page, updated }) => ({
          ...{ id, resource: resource.id, type, page },
          updated: Temporal.Instant.fromEpochMilliseconds(updated * 1000).toString(),
        })),
      ),
    );
  }
});
