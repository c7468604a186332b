import { GetObjectRetentionCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { RetentionConfig } from "../config/config.ts";
import { CHECKPOINT, FILES, RECORDS, VAULT_JSON } from "../vault/layout.ts";
import type { BucketSettings } from "./bucket.ts";
import { type Finding, findings } from "./finding.ts";

const { ok, warning, failure } = findings("locks");

/** Checks at most this many records and as many files; `verify` checks all. */
const SAMPLE = 3;

/** Reads the locks of a few real objects: they show what the store really did, which its answers do not. */
export async function checkLocks(bucket: BucketSettings, { extendWhenLessThan }: RetentionConfig): Promise<Finding[]> {
  const now = Temporal.Instant.fromEpochMilliseconds(bucket.time);
  // Missing a night or two is not worth a warning.
  const due = now.toZonedDateTimeISO("UTC").add(extendWhenLessThan).subtract({ days: 2 }).toInstant();
  const keys = [VAULT_JSON, CHECKPOINT, ...(await sample(bucket, RECORDS)), ...(await sample(bucket, FILES))];
  const found: Finding[] = [];
  let locked = 0;
  for (const key of keys) {
    const answer = await bucket.ask(`GET retention of ${key}`, (s3, at) =>
      s3.send(new GetObjectRetentionCommand({ ...at, Key: bucket.prefix + key })),
    );
    if (!answer.output && answer.status === 403) return [...found, failure(answer.error.message, answer.error.hint)];
    if (!answer.output && /^NoSuchKey$/.test(answer.name)) continue;
    const until = answer.output?.Retention?.RetainUntilDate;
    if (!until) {
      found.push(
        failure(
          `${key} has no lock`,
          "Run `holdfast verify`: it lists other objects without a lock. Check whether the bucket keeps locks.",
        ),
      );
      continue;
    }
    const ends = Temporal.Instant.fromEpochMilliseconds(until.getTime());
    if (Temporal.Instant.compare(ends, due) > 0) locked += 1;
    else if (Temporal.Instant.compare(ends, now) < 0)
      found.push(
        warning(
          `${key}: its lock ended ${ends}`,
          "If it must still be kept, run `holdfast export` or `holdfast retention extend`, and find out why they did not run.",
        ),
      );
    else
      found.push(
        warning(
          `${key}: its lock ends ${ends}, and was not extended`,
          "Run `holdfast export` or `holdfast retention extend`, and find out why they did not run.",
        ),
      );
  }
  if (locked > 0) found.push(ok(`${locked} of ${keys.length} checked objects are locked as long as required`));
  return found;
}

async function sample(bucket: BucketSettings, folder: string): Promise<string[]> {
  const { output } = await bucket.ask(`LIST ${folder}`, (s3, at) =>
    s3.send(new ListObjectsV2Command({ ...at, Prefix: bucket.prefix + folder, MaxKeys: SAMPLE })),
  );
  return (output?.Contents ?? []).flatMap(({ Key }) => (Key ? [Key.slice(bucket.prefix.length)] : []));
}
