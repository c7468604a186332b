import type { Approver } from "../core/ssh-key.ts";
import type { Address } from "./listen.ts";
import type { Rate } from "./rate.ts";
import type { Recipients } from "./recipients.ts";
import type { SecretRef } from "./secret.ts";
import type { SourceConfig } from "./source-config.ts";

/**
 * A config that has been read, checked and resolved: paths are absolute, durations are Temporal, recipients are valid.
 * Secrets are still references; the code that needs one reads it.
 */
export interface Config {
  /** The file it came from, absolute. */
  readonly file: string;
  /** Holds one directory per client. */
  readonly state: string;
  readonly schedule: ScheduleConfig & {
    /** After a stop signal, how long a run may take to finish its current work, in ms. */
    readonly grace: number;
  };
  readonly metrics: MetricsConfig;
  readonly inbox: InboxConfig;
  /** At least one; ids are unique. */
  readonly clients: readonly ClientConfig[];
}

export interface ScheduleConfig {
  readonly cron: string;
  /** An IANA name. */
  readonly timezone: string;
  /** The start of a run is delayed by a random time up to this, in ms. */
  readonly jitter: number;
}

export interface MetricsConfig {
  /** Where the daemon serves /metrics, /healthz and /readyz; undefined: nowhere. */
  readonly listen?: Address | undefined;
  /** Without a trailing slash. */
  readonly pushgateway?: string | undefined;
}

/** The receiver of the providers' webhooks. */
export interface InboxConfig {
  /** Where it listens; undefined: nowhere. */
  readonly listen?: Address | undefined;
  /** `nightly`: the next run takes whom webhooks name. `at-once`: the daemon exports them within a minute. */
  readonly export: "nightly" | "at-once";
}

/** Whom Holdfast notifies when a run starts, ends and fails. */
export interface NotifyConfig {
  readonly healthchecks?: SecretRef | undefined;
  readonly webhook?: { readonly url: SecretRef; readonly key: SecretRef } | undefined;
}

/** The organisation as people outside know it: on the report, the certificate, the letter and in the bag. */
export interface CompanyConfig {
  /** Its legal name. */
  readonly name: string;
  /** Where to write to, in one line. */
  readonly contact?: string | undefined;
}

export interface ClientConfig {
  readonly id: string;
  readonly company?: CompanyConfig | undefined;
  /** This client's journal and catalog: `<config.state>/<id>`. */
  readonly state: string;
  readonly collect: Collect;
  /** Never empty when `collect` is full. */
  readonly legalBasis: readonly string[];
  readonly minimal: MinimalConfig;
  /** At least one; names are unique. */
  readonly sources: readonly SourceConfig[];
  /** Names of the sources that this command or run asks; undefined: all. */
  readonly only?: readonly string[] | undefined;
  readonly recipients: Recipients;
  readonly vault: VaultConfig;
  readonly lookups: LookupsConfig;
  readonly log: LogConfig;
  readonly retention: RetentionConfig;
  readonly retrieval: RetrievalConfig;
  /** The client's own, or the default one. */
  readonly schedule: ScheduleConfig;
  readonly notify: NotifyConfig;
}

export type Collect = "full" | "minimal";

export interface MinimalConfig {
  /** Ages, ascending. For each one, a minimal record says whether the person is at least that old, and nothing else. */
  readonly overAge: readonly number[];
}

export type LockMode = "governance" | "compliance";

export type VaultConfig = S3VaultConfig | DirectoryVaultConfig;

export interface S3VaultConfig {
  readonly kind: "s3";
  /** `s3://bucket` or `s3://bucket/prefix`, without a trailing slash. */
  readonly url: string;
  readonly bucket: string;
  /** Without slashes at either end; may be empty. */
  readonly prefix: string;
  readonly lock: LockMode;
  /** Undefined: the AWS SDK decides. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly forcePathStyle: boolean;
  /** The store's own encryption; undefined: the bucket's default. */
  readonly encryption: "AES256" | "aws:kms" | "aws:kms:dsse" | undefined;
  readonly kmsKey: string | undefined;
  /** The AWS account that must own the bucket. */
  readonly expectedOwner: string | undefined;
  readonly requesterPays: boolean;
  /** Maximum parallel requests. */
  readonly concurrency: number;
  /** Locks set when locks are extended. */
  readonly lockRate: Rate;
}

export interface DirectoryVaultConfig {
  readonly kind: "directory";
  /** `file:///dir` */
  readonly url: string;
  /** Absolute. */
  readonly path: string;
  readonly lock: LockMode;
  readonly concurrency: number;
  readonly lockRate: Rate;
}

export interface LookupsConfig {
  readonly key: SecretRef;
  /** `email`, `document.number` or `metadata.<name>`; may be empty. */
  readonly fields: readonly string[];
}

export interface LogConfig {
  readonly origin: string;
  readonly key: SecretRef;
  /** Set while the log is handed over to a new key. */
  readonly previousKey?: SecretRef | undefined;
  readonly timestamps?: TimestampsConfig | undefined;
}

export interface TimestampsConfig {
  readonly url: string;
  /** Absolute path of the root certificates. */
  readonly ca: string;
}

export interface RetrievalConfig {
  /** Who may approve a retrieval; empty if no approval is needed. */
  readonly approvals: readonly Approver[];
}

export type RetentionStart = "created" | "exported" | "relationship-end" | "account-closed";

/** How long the law requires copies, and what starts the clock. */
export interface Keep {
  readonly keep: Temporal.Duration;
  readonly from: RetentionStart;
}

/** Kinds of data that a law may give separate clocks: identity, verification results, document images. */
export type DataClass = "identifying" | "verification" | "files";

export interface RetentionConfig {
  /** The preset (`presets.ts`), if the client uses one. */
  readonly preset: string | undefined;
  readonly classes: Readonly<Record<DataClass, Keep>>;
  /** The time zone whose days count, an IANA name. Undefined: a day ends when it is over everywhere. */
  readonly timezone?: string | undefined;
  /** The lock an object gets when it is stored. */
  readonly initialLock: Temporal.Duration;
  /** The nightly run extends a lock that has less than this left; less than `initialLock`. */
  readonly extendWhenLessThan: Temporal.Duration;
  /** Nothing stored less than this ago is purged. */
  readonly minimum: Temporal.Duration | undefined;
  /** No lock is set to end later than this from now. */
  readonly maximum: Temporal.Duration | undefined;
  /** Compliance locks start as governance locks and are hardened at this age. */
  readonly coolingOff: Temporal.Duration | undefined;
  /** The people who may approve a purge; empty or left out where one person is enough. No part of a policy in the log. */
  readonly approvals?: readonly Approver[] | undefined;
}
