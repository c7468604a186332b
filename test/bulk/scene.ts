import { GetObjectRetentionCommand, ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { s3Client } from "../servers/s3.ts";

/** With these, everything that was exported is due, and nothing after an extension. */
export const FIRST = { initialLock: "PT1H", extendWhenLessThan: "PT30M" };
export const LONGER = { initialLock: "PT2H", extendWhenLessThan: "PT90M" };
/** At this rate a date with one object is worth a job, and with a dozen, bulk is advised. */
export const SLOW = { lockRate: "12/h" };
export const FAST = { lockRate: "1000/s" };

export interface Scene extends AsyncDisposable {
  readonly place: Workplace;
  readonly sandbox: Sandbox;
}

/** A vault on Ceph whose locks are all due. */
export async function makeScene(identities = 4): Promise<Scene> {
  await using opened = new AsyncDisposableStack();
  const sandbox = opened.use(await startSandbox({ identities, plainImages: true }));
  const place = opened.use(await makeWorkplace(sandbox, { vault: "ceph", client: { retention: FIRST } }));
  await place.export();
  await place.configure({ retention: LONGER, vault: SLOW });
  const owned = opened.move();
  return { ...{ place, sandbox }, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Every version of the records and files in a vault's bucket, by a client of its own: `key version`, as the log has them. */
export async function versionsIn(place: Workplace): Promise<string[]> {
  const { url } = (await place.client()).vault;
  const { host: Bucket, pathname } = new URL(url);
  const prefix = `${pathname.slice(1)}/`;
  const client = s3Client();
  const found: string[] = [];
  for (const folder of ["records/", "files/"]) {
    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: prefix + folder }));
    found.push(...Versions.map(({ Key, VersionId }) => `${Key!.slice(prefix.length)} ${VersionId}`));
  }
  client.destroy();
  return found.sort();
}

/** Until when the store keeps a version, by a client of its own. */
export async function retainedUntil(place: Workplace, key: string, VersionId: string): Promise<string> {
  const { host: Bucket, pathname } = new URL((await place.client()).vault.url);
  const client = s3Client();
  const Key = `${pathname.slice(1)}/${key}`;
  const { Retention } = await client.send(new GetObjectRetentionCommand({ Bucket, Key, VersionId }));
  client.destroy();
  return String(Retention!.RetainUntilDate!.toISOString().replace(".000Z", "Z"));
}
