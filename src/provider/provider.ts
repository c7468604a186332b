/** What is known of a provider without asking it. */
export interface Provider {
  /** As people call it. */
  readonly name: string;
  /** The provider's word for the check of one person, and for several. */
  readonly identity: string;
  readonly identities: string;
  /** The address of its API, without a trailing slash. Null if each account has its own. */
  readonly url: string | null;
  /** What it calls the secret that Holdfast needs. Default: API key. */
  readonly key?: string;
  /** The default limit of requests. It leaves the client's own product its share. */
  readonly rate: string;
  /** Its words for an identity's status. Empty: any word. */
  readonly statuses: readonly string[];
  /** Its API cannot list everyone: their ids come from elsewhere. */
  readonly unlisted?: true;
  /** It has no API and no key: it is read where it lies. */
  readonly keyless?: true;
}

/** Every provider that Holdfast knows, by its kind. Kinds are part of subject tokens: they never change. */
export const PROVIDERS = {
  passbase: {
    name: "Passbase",
    identity: "identity",
    identities: "identities",
    url: "https://api.passbase.com/verification/v2",
    rate: "10/s",
    statuses: ["created", "processing", "processed", "verified", "unverified", "pending", "approved", "declined"],
  },
  persona: {
    name: "Persona",
    identity: "inquiry",
    identities: "inquiries",
    url: "https://api.withpersona.com/api/v1",
    rate: "3/s",
    statuses: ["created", "pending", "completed", "expired", "failed", "needs_review", "approved", "declined"],
  },
  stripe: {
    name: "Stripe Identity",
    identity: "verification session",
    identities: "verification sessions",
    url: "https://api.stripe.com/v1",
    rate: "10/s",
    statuses: ["requires_input", "processing", "verified", "canceled"],
  },
  onfido: {
    name: "Onfido",
    identity: "applicant",
    identities: "applicants",
    url: "https://api.eu.onfido.com/v3.6",
    rate: "3/s",
    statuses: [
      ...["none", "processing", "awaiting_input", "awaiting_client_input", "approved", "declined", "review"],
      ...["abandoned", "error", "in_progress", "awaiting_applicant", "withdrawn", "paused", "reopened"],
      ...["complete", "complete/clear", "complete/consider"],
    ],
  },
  sumsub: {
    name: "Sumsub",
    identity: "applicant",
    identities: "applicants",
    url: "https://api.sumsub.com",
    unlisted: true,
    key: "secret key",
    rate: "10/s",
    statuses: [
      ...["init", "pending", "prechecked", "queued", "onHold", "awaitingUser", "awaitingService", "deactivated"],
      ...["completed/GREEN", "completed/RED/RETRY", "completed/RED/FINAL"],
    ],
  },
  veriff: {
    name: "Veriff",
    identity: "session",
    identities: "sessions",
    url: null,
    unlisted: true,
    key: "shared secret key",
    rate: "2/s",
    statuses: [
      ...["created", "started", "submitted", "review", "inflow_completed"],
      ...["approved", "declined", "resubmission_requested", "expired", "abandoned"],
    ],
  },
  folder: {
    name: "Folder",
    identity: "entry",
    identities: "entries",
    url: "file:///… or s3://…",
    rate: "1000/s",
    statuses: [],
    keyless: true,
  },
} as const satisfies Readonly<Record<string, Provider>>;

export type ProviderKind = keyof typeof PROVIDERS;

/** Providers with an API, and a key for it. */
export type ApiKind = Exclude<ProviderKind, "folder">;

export const PROVIDER_KINDS = Object.keys(PROVIDERS) as [ProviderKind, ...ProviderKind[]];

export function isKeyless(kind: ProviderKind): boolean {
  return PROVIDERS[kind as "folder"].keyless === true;
}

export function isProviderKind(text: string): text is ProviderKind {
  return Object.hasOwn(PROVIDERS, text);
}
