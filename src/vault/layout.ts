/** Where things lie in a vault (docs/FORMAT.md). A key holds no personal data: every name in it is a keyed hash. */
export const VAULT_JSON = "vault.json";
export const CHECKPOINT = "audit/checkpoint";
export const TIMESTAMPS = "audit/timestamp/";
export const LEASE = "lease.json";
/** What `doctor` tries the store with; nothing else reads it. */
export const PROBE = "doctor-probe";

export function recordKey(subject: string, version: string): string {
  return `records/${subject.slice(0, 2)}/${subject}/${version}.age`;
}

export function fileKey(subject: string, file: string): string {
  return `files/${subject.slice(0, 2)}/${subject}/${file}.age`;
}

/** Of the checkpoint of so many entries. */
export function timestampKey(size: number): string {
  return `${TIMESTAMPS}${size}.tsr`;
}

/** `path` is a tile's or bundle's own path, as C2SP tlog-tiles names it: `tile/…`. */
export function auditKey(path: string): string {
  return `audit/${path}`;
}
