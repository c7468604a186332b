import type { Approver } from "../core/ssh-key.ts";
import type { ProviderKind } from "../provider/provider.ts";
import type { Ready } from "./folder-section.ts";
import type { Address } from "./listen.ts";
import type { Pointer } from "./pointer.ts";
import type { Rate } from "./rate.ts";
import type { Recipients } from "./recipients.ts";
import type { SecretRef } from "./secret.ts";
import type { SchemeName } from "./webhook.ts";

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

export type SourceConfig = ApiSourceConfig | FolderSourceConfig;

type ApiSourceConfig =
  | PassbaseSourceConfig
  | PersonaSourceConfig
  | StripeSourceConfig
  | OnfidoSourceConfig
  | SumsubSourceConfig
  | VeriffSourceConfig;

/** A source that is asked. */
export type ActiveSourceConfig = KeyedSourceConfig | FolderSourceConfig;

/** A source that is asked with a key. */
export type KeyedSourceConfig = ApiSourceConfig & { readonly apiKey: SecretRef };

interface CommonSource {
  /** Unique in the client. */
  readonly name: string;
  readonly kind: ProviderKind;
  /** Without a trailing slash. */
  readonly url: string;
  /** Undefined only if retired. */
  readonly apiKey: SecretRef | undefined;
  readonly rate: Rate;
  /** Most requests in a calendar month (UTC). Undefined: no limit. */
  readonly budget?: number | undefined;
  /** Maximum parallel requests. */
  readonly concurrency: number;
  /** Everyone is looked at again within this time. */
  readonly resync: Temporal.Duration;
  /** How long the provider lets an identity be read. Undefined: as far as is known, until someone deletes it. */
  readonly horizon?: Temporal.Duration | undefined;
  /** Never asked again. */
  readonly retired: boolean;
  /** Its own; undefined: the client's. */
  readonly schedule: ScheduleConfig | undefined;
  /** Undefined: the provider's webhooks are not received. */
  readonly webhook?: WebhookConfig | undefined;
}

export interface WebhookConfig {
  /** At least one; several while the provider's secret is replaced. */
  readonly secrets: readonly SecretRef[];
  readonly scheme: SchemeName;
}

/** A source whose webhooks are received. */
export type WebhookSourceConfig = ApiSourceConfig & { readonly webhook: WebhookConfig };

export interface PassbaseSourceConfig extends CommonSource {
  readonly kind: "passbase";
}

export interface PersonaSourceConfig extends CommonSource {
  readonly kind: "persona";
  /** What the status `completed` says. */
  readonly completed: "verified" | "undecided";
}

export interface StripeSourceConfig extends CommonSource {
  readonly kind: "stripe";
  /** Whose sessions to read. Undefined: those of the key's own account. */
  readonly account?: string | undefined;
}

export interface OnfidoSourceConfig extends CommonSource {
  readonly kind: "onfido";
  /** Then the key is the secret of this OAuth client. Undefined: it is an API token. */
  readonly clientId?: string | undefined;
}

export interface SumsubSourceConfig extends CommonSource {
  readonly kind: "sumsub";
  /** Names the key, which is its secret. */
  readonly appToken: string;
  /** Whether AML cases are asked for. */
  readonly aml: boolean;
}

export interface VeriffSourceConfig extends CommonSource {
  readonly kind: "veriff";
  /** What Veriff calls the integration's API key. Public. */
  readonly integrationKey: string;
  readonly horizon: Temporal.Duration;
}

/** Drops of files, in a directory or a bucket. */
export interface FolderSourceConfig extends CommonSource {
  readonly kind: "folder";
  readonly apiKey: undefined;
  readonly place:
    | { readonly kind: "directory"; readonly path: string }
    | {
        readonly kind: "s3";
        readonly bucket: string;
        readonly prefix: string;
        readonly endpoint: string | undefined;
        readonly region: string | undefined;
        readonly forcePathStyle: boolean;
        readonly expectedOwner: string | undefined;
      };
  readonly ready: Ready;
  /** The path in a drop of files with entries, step by step, with `*`. Undefined: all at its top. */
  readonly entries: readonly string[] | undefined;
  readonly fields: FolderFields;
  /** The folder with an entry's files, from the entry's own file, with `{id}`. */
  readonly beside: string | undefined;
  readonly verified: readonly string[];
  readonly unverified: readonly string[];
}

/** Where an entry has what. */
export interface FolderFields {
  readonly id: Pointer;
  readonly updated: Pointer;
  readonly created?: Pointer | undefined;
  readonly status?: Pointer | undefined;
  readonly email?: Pointer | undefined;
  readonly reference?: Pointer | undefined;
  readonly firstName?: Pointer | undefined;
  readonly lastName?: Pointer | undefined;
  readonly dateOfBirth?: Pointer | undefined;
  readonly numbers: readonly Pointer[];
  readonly files: readonly Pointer[];
  /** More values, by the names that people give them. */
  readonly data: Readonly<Record<string, Pointer>>;
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
