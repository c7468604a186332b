import * as z from "zod";
import { parseApprover } from "../core/ssh-key.ts";
import type { DataClass, Keep, RetentionConfig, VaultConfig } from "./config.ts";
import { parseDuration } from "./duration.ts";
import { choice, flag, list, read, section, text, whole } from "./fields.ts";
import { parseAccount, parseKmsKey, parseRegion } from "./names.ts";
import { PRESET_NAMES, presetOf, START_NAMES } from "./presets.ts";
import { parseRate } from "./rate.ts";
import { checkRecipients, type Recipients } from "./recipients.ts";
import { parseTimeZone } from "./schedule.ts";
import { parseServiceUrl, parseVaultUrl, VAULT_URL } from "./url.ts";

/** The larger sections of a client. */

export function recipientsField() {
  return list(text("age1…, as age-keygen prints it"), "[age1…officer, age1…escrow]", { max: 50 })
    .transform(async (strings, context): Promise<Recipients> => {
      const result = await checkRecipients(strings);
      if ("strings" in result) return result;
      for (const { index, message, hint } of result) {
        const path = index === undefined ? [] : [index];
        context.addIssue({ code: "custom", message: `${message}; ${hint}`, path });
      }
      return z.NEVER;
    })
    .meta({
      description:
        "Public age keys that everything is sealed to; any one of their private keys opens it. Two are recommended.",
      minItems: 1,
    });
}

/** @param folder that relative paths start from */
export function vaultSection(folder: () => string) {
  const url = (value: string) => parseVaultUrl(value, folder());
  return section(
    {
      url: read(url, VAULT_URL, "An S3 bucket with Object Lock and a prefix in it, or a directory."),
      lock: choice(
        ["governance", "compliance"],
        "Object Lock mode. governance: users with a special permission can lift a lock. compliance: no one can lift it.",
      ).prefault("governance"),
      endpoint: read(parseServiceUrl, "https://host", "The S3 server, if it is not AWS.").optional(),
      region: read(parseRegion, "one such as eu-central-1", "The S3 region. Default: the AWS SDK decides.").optional(),
      forcePathStyle: flag("Use https://host/bucket URLs. Most S3 servers other than AWS need this.").optional(),
      encryption: choice(
        ["AES256", "aws:kms", "aws:kms:dsse"],
        "The server-side encryption that the bucket's policy requires, on top of Holdfast's own sealing. Default: the bucket's default.",
      ).optional(),
      kmsKey: read(parseKmsKey, "the ID or ARN of a KMS key", "The key for encryption: aws:kms.").optional(),
      expectedOwner: read(parseAccount, "12 digits", "The AWS account that must own the bucket.").optional(),
      requesterPays: flag("Charge requests and transfer to you instead of the bucket's owner.").optional(),
      concurrency: whole(1, 256, "Maximum parallel requests to the vault.").prefault(16),
      lockRate: read(
        parseRate,
        "1000/s, 600/min or 5000/h",
        "Maximum locks that are set per second, minute or hour when locks are extended. The default is well below AWS's limit for one prefix.",
      ).prefault("1000/s"),
    },
    "Where sealed objects and the audit log live.",
  ).transform(
    ({ url, lock, concurrency, lockRate, forcePathStyle = false, requesterPays = false, ...s3 }): VaultConfig => {
      if (url.kind === "directory") return { ...url, lock, concurrency, lockRate };
      const { endpoint, region, encryption, kmsKey, expectedOwner } = s3;
      const terms = { encryption, kmsKey, expectedOwner, requesterPays };
      return { ...url, lock, endpoint, region, forcePathStyle, ...terms, concurrency, lockRate };
    },
  );
}

/** Public keys of the second person that a command may need. */
export function approversList(doc: string) {
  return list(
    read(parseApprover, "ssh-ed25519 AAAA… ada@acme", "The public key of someone who may approve."),
    "a list of public keys",
    { max: 50 },
  ).meta({ description: doc });
}

function keepFields() {
  return {
    keep: read(parseDuration, "a duration such as P5Y", "How long the law requires copies, counted from `from`."),
    from: choice(START_NAMES, "What starts the clock. For the last two, record the date with `relationship end`."),
  };
}

export function retentionSection() {
  const { keep, from } = keepFields();
  const bound = (doc: string) => read(parseDuration, "a duration such as P1Y", doc).optional();
  const ownClock = (what: string) => section(keepFields(), `A separate clock for ${what}.`).optional();
  return section(
    {
      preset: choice(
        PRESET_NAMES,
        "Takes keep, from and classes from a law. Values you write yourself take precedence.",
      ).optional(),
      keep: keep.optional(),
      from: from.optional(),
      classes: section(
        {
          identifying: ownClock("identity data"),
          verification: ownClock("verification results"),
          files: ownClock("document images and videos"),
        },
        "Separate clocks, for laws that have several. A sealed record holds the first two classes and is kept for the longer period.",
      ).prefault({}),
      timezone: read(
        parseTimeZone,
        "a name such as Europe/Berlin",
        "The IANA time zone whose days count. Without it, a day ends 12 hours after it ends in UTC, when it is over everywhere.",
      ).optional(),
      initialLock: read(parseDuration, "a duration such as P90D", "The lock of a new object.").prefault("P90D"),
      extendWhenLessThan: read(
        parseDuration,
        "a duration such as P30D",
        "The nightly run extends a lock that has less than this left, as long as the record must be kept.",
      ).prefault("P30D"),
      minimum: bound("Nothing stored less than this ago is purged, whatever end date was given."),
      maximum: bound("No lock is set to end later than this from now."),
      approvals: approversList(
        "Who may approve a purge. If anyone is listed, `retention purge` destroys nothing without a signature from one of them.",
      ).optional(),
      coolingOff: bound("With lock: compliance, locks start as governance and become compliance at this age."),
    },
    "How long copies are kept.",
  ).transform(({ classes, keep, from, ...rest }): RetentionConfig => {
    const preset = presetOf(rest.preset);
    const clock = (name: DataClass): Keep => {
      // A client that sets one clock for everything means all classes, including those that the preset splits.
      const split = keep === undefined && from === undefined ? preset?.classes?.[name] : undefined;
      return (
        classes[name] ?? {
          keep: keep ?? Temporal.Duration.from((split ?? preset)?.keep ?? "PT0S"),
          // `rules.ts` rejects a config where neither the client nor a preset sets it.
          from: from ?? (split ?? preset)?.from ?? "relationship-end",
        }
      );
    };
    const all = { identifying: clock("identifying"), verification: clock("verification"), files: clock("files") };
    const { preset: name, initialLock, extendWhenLessThan, minimum, maximum, coolingOff, approvals = [] } = rest;
    const zone = rest.timezone === undefined ? {} : { timezone: rest.timezone };
    return {
      preset: name,
      classes: all,
      ...zone,
      initialLock,
      extendWhenLessThan,
      minimum,
      maximum,
      coolingOff,
      approvals,
    };
  });
}
