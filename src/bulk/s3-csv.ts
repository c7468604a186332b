import { parseKey } from "../vault/layout.ts";

/** A vault's place in its bucket. */
export interface Place {
  readonly bucket: string;
  /** Without slashes at either end; may be empty. */
  readonly prefix: string;
}

/** A row of a manifest: no header, and the key encoded as in a URL. */
export function manifestRow({ bucket, prefix }: Place, key: string, versionId: string): string {
  const whole = prefix === "" ? key : `${prefix}/${key}`;
  return `${bucket},${whole.split("/").map(encodeURIComponent).join("/")},${cell(versionId)}\n`;
}

/** The store makes up the versions' names. */
function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The vault's key in a row; undefined for a key of no record or file. Reports repeat keys as manifests have them. */
export function keyIn({ prefix }: Place, text: string): { readonly key: string; readonly subject: string } | undefined {
  let whole: string;
  try {
    whole = decodeURIComponent(text);
  } catch {
    return undefined;
  }
  const begin = prefix === "" ? "" : `${prefix}/`;
  if (!whole.startsWith(begin)) return undefined;
  const key = whole.slice(begin.length);
  const name = parseKey(key);
  return name === null ? undefined : { key, subject: name.subject };
}
