import type { ProviderKind } from "../provider/provider.ts";
import type { ScheduleConfig } from "./config.ts";
import type { Ready } from "./folder-section.ts";
import type { Pointer } from "./pointer.ts";
import type { Rate } from "./rate.ts";
import type { SecretRef } from "./secret.ts";
import type { SchemeName } from "./webhook.ts";

/** An account at a provider, or a folder, that a client's records come from. */
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
