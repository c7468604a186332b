import type { Approver } from "../core/ssh-key.ts";
import type { Address } from "./listen.ts";
import type { Rate } from "./rate.ts";
import type { Recipients } from "./recipients.ts";
import type { SecretRef } from "./secret.ts";

/**
 * A config that has been read, checked and resolved: paths are absolute, durations are Temporal, recipients can be
 * sealed to. Secrets are still references, read by whoever needs them.
 */
export interface Config {
  /** The file it came from, absolute. */
  readonly file: string;
  /** Holds one directory per client. */
  readonly state: string;
  readonly schedule: ScheduleConfig & {
    /** How long a run that is told to stop may take to finish what is under way, in ms. */
    readonly grace: number;
  };
  readonly metrics: MetricsConfig;
  /** At least one; ids are unique. */
  readonly clients: readonly ClientConfig[];
}

export interface ScheduleConfig {
  readonly cron: string;
  /** An IANA name. */
  readonly timezone: string;
  /** A run begins up to so many ms later, at random. */
  readonly jitter: number;
}

export interface MetricsConfig {
  /** Where the daemon answers /metrics, /healthz and /readyz; undefined: nowhere. */
  readonly listen?: Address | undefined;
  /** Without a trailing slash. */
  readonly pushgateway?: string | undefined;
}

/** Who is told when a run starts, ends and fails. */
export interface NotifyConfig {
  readonly healthchecks?: SecretRef | undefined;
  readonly webhook?: { readonly url: SecretRef; readonly key: SecretRef } | undefined;
}

export interface ClientConfig {
  readonly id: string;
  /** This client's journal and catalog: `<config.state>/<id>`. */
  readonly state: string;
  readonly collect: Collect;
  /** Never empty when `collect` is full. */
  readonly legalBasis: readonly string[];
  readonly minimal: MinimalConfig;
  readonly source: SourceConfig;
  readonly recipients: Recipients;
  readonly vault: VaultConfig;
  readonly lookups: LookupsConfig;
  readonly log: LogConfig;
  readonly retention: RetentionConfig;
  readonly retrieval: RetrievalConfig;
  /** This client's own, or everyone's. */
  readonly schedule: ScheduleConfig;
  readonly notify: NotifyConfig;
}

export type Collect = "full" | "minimal";

export interface MinimalConfig {
  /** Ages, ascending: a minimal record says for each whether the person is that old, and no more. */
  readonly overAge: readonly number[];
}

export interface SourceConfig {
  readonly kind: "passbase";
  /** Without a trailing slash. */
  readonly url: string;
  readonly apiKey: SecretRef;
  readonly rate: Rate;
  /** Requests in flight. */
  readonly concurrency: number;
}

export type LockMode = "governance" | "compliance";

export type VaultConfig = S3VaultConfig | DirectoryVaultConfig;

export interface S3VaultConfig {
  readonly kind: "s3";
  /** `s3://bucket` or `s3://bucket/prefix`, without a trailing slash. */
  readonly url: string;
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  readonly lock: LockMode;
  /** Undefined: the AWS SDK decides. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly forcePathStyle: boolean;
  /** Of the store's own; undefined: the bucket's default. */
  readonly encryption: "AES256" | "aws:kms" | "aws:kms:dsse" | undefined;
  readonly kmsKey: string | undefined;
  /** The AWS account that must own the bucket. */
  readonly expectedOwner: string | undefined;
  readonly requesterPays: boolean;
  /** Requests in flight. */
  readonly concurrency: number;
}

export interface DirectoryVaultConfig {
  readonly kind: "directory";
  /** `file:///dir` */
  readonly url: string;
  /** Absolute. */
  readonly path: string;
  readonly lock: LockMode;
  readonly concurrency: number;
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
  /** Whoever may approve a retrieval; empty where one person is enough. */
  readonly approvals: readonly Approver[];
}

export type RetentionStart = "created" | "exported" | "relationship-end" | "account-closed";

/** How long the law asks for copies, counted from something. */
export interface Keep {
  readonly keep: Temporal.Duration;
  readonly from: RetentionStart;
}

/** What a law may give clocks of their own: who someone is, what was found of them, and the images of their papers. */
export type DataClass = "identifying" | "verification" | "files";

export interface RetentionConfig {
  /** Where it was taken from (`presets.ts`), if the client did not write all of it. */
  readonly preset: string | undefined;
  readonly classes: Readonly<Record<DataClass, Keep>>;
  /** Whose days are counted, an IANA name. Undefined: a day is over when it is over everywhere. */
  readonly timezone?: string | undefined;
  /** The lock an object gets when it is stored. */
  readonly initialLock: Temporal.Duration;
  /** The nightly run extends a lock that has less than this left; less than `initialLock`. */
  readonly extendWhenLessThan: Temporal.Duration;
  /** Nothing is purged that was stored less than this ago. */
  readonly minimum: Temporal.Duration | undefined;
  /** No lock is set that would last longer than this from now. */
  readonly maximum: Temporal.Duration | undefined;
  /** Compliance locks begin as governance locks, and are hardened once they are this old. */
  readonly coolingOff: Temporal.Duration | undefined;
}
