/**
 * The words every part shares about an identity, in no provider's dialect. Whatever a source cannot say is null.
 * Instants are RFC 3339 UTC strings. All of it is personal data: it may be sealed, never logged.
 */
export interface Identity {
  readonly id: string;
  /** The provider's own word. */
  readonly status: string;
  /** The provider's verdict; null while there is none. */
  readonly verified: boolean | null;
  readonly created: string | null;
  readonly updated: string;
  readonly owner: {
    readonly email: string | null;
    readonly firstName: string | null;
    readonly lastName: string | null;
  };
  /** The provider's confidence, 0 to 1. */
  readonly score: number | null;
  /** What was read off each document, as the provider names it. */
  readonly documents: readonly { readonly type: string; readonly datapoints: Readonly<Record<string, unknown>> }[];
  /** Whatever the client passed in. */
  readonly metadata: unknown;
  readonly watchlist: unknown;
  readonly network: unknown;
}

/** A file as the provider lists it, before any byte of it is fetched. */
export interface FileRef {
  readonly id: string;
  readonly resource: string;
  /** For example `document_image` or `face_video`. */
  readonly type: string;
  readonly page: number | null;
  readonly updated: string;
}
