/**
 * An identity in terms that do not depend on the provider. Null for anything the source does not tell. Instants are RFC
 * 3339 UTC strings. All of it is personal data: seal it, never log it.
 */
export interface Identity {
  readonly id: string;
  /** Status as the provider names it. */
  readonly status: string;
  /** The provider's verdict, or null. */
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
  /** Data read from each document, under the provider's names. */
  readonly documents: readonly { readonly type: string; readonly datapoints: Readonly<Record<string, unknown>> }[];
  /** Metadata that the client passed in. */
  readonly metadata: unknown;
  readonly watchlist: unknown;
  readonly network: unknown;
}

/** A file as the provider lists it, before it is fetched. */
export interface FileRef {
  readonly id: string;
  readonly resource: string;
  /** For example `document_image` or `face_video`. */
  readonly type: string;
  readonly page: number | null;
  readonly updated: string;
}
