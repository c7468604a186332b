import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { PassbaseClient, PassbaseConfiguration } from "@passbase/node";
import type { Identity } from "../../src/core/identity.ts";
import type { SealedRecord } from "../../src/record/record.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import type { WireIdentity, WireResource } from "../sandbox/wire.ts";
import { identityAnswer, makeWorkplace, resourceAnswers } from "./workplace.ts";

// What anyone else sees at the provider is what the sealed records hold.
const records = new Map<string, SealedRecord>();
let sandbox: Sandbox;

before(async () => {
  sandbox = await startSandbox({ identities: 25, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  for (const entry of await place.entries("record.stored")) {
    const record = await place.record(entry);
    records.set((record.identity as Identity).id, record);
  }
});
after(() => sandbox.close());

/** The fields that the client knows, of what a record keeps as raw text. */
function known(record: SealedRecord) {
  const wire = JSON.parse(identityAnswer(record)) as WireIdentity;
  const { id, status, created, updated, owner, score, resources, metadata, watchlist, network } = wire;
  return {
    ...{ id, status, score, metadata },
    created: new Date(created * 1000),
    updated: new Date(updated * 1000),
    // To the client what is missing is null.
    owner: !owner ? null : { email: owner.email, firstName: owner.first_name, lastName: owner.last_name },
    resources: (resources ?? []).map(({ type, datapoints }) => ({ type, datapoints })),
    watchlist: !watchlist
      ? null
      : {
          isClean: watchlist.clean,
          ...{
            listings: watchlist.listings,
            media: watchlist.media,
            sources: watchlist.sources,
            types: watchlist.types,
          },
        },
    network: !network ? null : { ipAddress: network.ip_address },
  };
}

/** Plain data: no classes, nothing undefined. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

test("@passbase/node sees of every identity what its sealed record holds", async () => {
  const client = new PassbaseClient(new PassbaseConfiguration({ apiKey: sandbox.apiKey, basePath: sandbox.url }));
  const listed = await client.listIdentities();
  assert.deepEqual(listed.map(({ id }) => id).sort(), [...records.keys()].sort());
  for (const { id } of listed) {
    const record = records.get(id)!;
    const seen = await client.getIdentityById(id);
    assert.deepEqual(plain(seen), plain(known(record)));

    // The same in the fields that the record itself reads.
    const identity = record.identity as Identity;
    assert.deepEqual(plain(seen.owner ?? { email: null, firstName: null, lastName: null }), plain(identity.owner));
    assert.deepEqual([seen.status, seen.score ?? null], [identity.status, identity.score]);
    assert.deepEqual(seen.updated, new Date(identity.updated));
    assert.deepEqual(
      seen.resources.map((resource) => plain(resource.datapoints)),
      identity.documents.map(({ datapoints }) => plain(datapoints)),
    );

    const files = (await client.listIdentityResources(id)).flatMap(({ id: resource, resourceFiles }) =>
      resourceFiles.map((file) => ({ id: file.id, resource, type: String(file.type), page: file.page })),
    );
    assert.deepEqual(
      record.files.map((file) => ({ id: file.id, resource: file.resource, type: file.type, page: file.page })),
      files,
    );
  }
});

test("@passbase/node gets the files whose digests the records hold", async () => {
  const client = new PassbaseClient(new PassbaseConfiguration({ apiKey: sandbox.apiKey, basePath: sandbox.url }));
  const [id, record] = [...records].find(([, { files }]) => files.length > 1)!;
  for (const file of record.files) {
    const blob = await client.getIdentityResourceFileById(id, file.resource, file.id);
    const bytes = Buffer.from(await blob.arrayBuffer());
    assert.deepEqual(
      [blob.type, bytes.length, createHash("sha256").update(bytes).digest("hex")],
      [file.mediaType, file.size, file.sha256],
    );
  }
});

test("curl sees the same, byte for byte", async () => {
  const curl = async (path: string): Promise<Buffer> => {
    const args = ["-sS", "--fail", "-H", `X-API-KEY: ${sandbox.apiKey}`, sandbox.url + path];
    return (await promisify(execFile)("curl", args, { encoding: "buffer", maxBuffer: 1 << 26 })).stdout;
  };
  for (const [id, record] of [...records].slice(0, 8)) {
    assert.equal((await curl(`/identities/${id}`)).toString(), identityAnswer(record));
    const resources = (await curl(`/identity/${id}/resources`)).toString();
    assert.deepEqual(resourceAnswers(record), [resources]);
    const listed = (JSON.parse(resources).data as WireResource[]).flatMap(({ resource_files }) => resource_files);
    assert.equal(record.files.length, listed.length);
    for (const { id: file, resource, size, sha256 } of record.files) {
      const bytes = await curl(`/identity/${id}/resources/${resource}/resource_files/${file}`);
      assert.deepEqual([bytes.length, createHash("sha256").update(bytes).digest("hex")], [size, sha256]);
    }
  }
});
