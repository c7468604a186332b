/** The types of Passbase Verification API v2, as the sandbox uses them. Any field may be missing or null. */

export interface WireIdentity {
  readonly id: string;
  readonly status: string;
  readonly owner?: {
    readonly email: string | null;
    readonly first_name: string | null;
    readonly last_name: string | null;
  } | null;
  readonly score?: number | null;
  /** Unix seconds. */
  readonly created: number;
  readonly updated: number;
  readonly resources?: readonly WireDatapoints[];
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  readonly watchlist?: WireWatchlist | null;
  readonly network?: { readonly ip_address: string } | null;
  /** Undocumented; a faithful export keeps it. */
  readonly review?: { readonly channel: string; readonly reviewer: string | null; readonly sequence: unknown };
}

export interface WireDatapoints {
  readonly type: string;
  readonly datapoints: Readonly<Record<string, unknown>>;
}

export interface WireWatchlist {
  readonly clean: boolean;
  readonly listings: Readonly<Record<string, unknown>>;
  readonly media: readonly { readonly date: string; readonly title: string; readonly url: string }[];
  readonly sources: readonly string[];
  readonly types: readonly string[];
}

export interface WireResource {
  readonly id: string;
  readonly status: string;
  /** Older answers say `step` instead. */
  readonly type?: string;
  readonly step?: string;
  readonly created: number;
  readonly updated: number;
  readonly resource_files: readonly WireFile[];
  /** Undocumented. */
  readonly capture?: { readonly device: string; readonly attempts: number };
}

export interface WireFile {
  readonly id: string;
  readonly type: "document_image" | "face_video";
  readonly page: number | null;
  readonly created: number;
  readonly updated: number;
}
