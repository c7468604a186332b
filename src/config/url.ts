import { pathToFileURL } from "node:url";
import { HoldfastError } from "../core/error.ts";
import { redacted } from "../core/redacted.ts";
import { resolveFileReference } from "./path.ts";

export const VAULT_URL = "s3://bucket/prefix or file:///dir";

const BUCKET = /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9!_.*'()-]+$/;
const MAX_PREFIX = 512;

export type VaultLocation =
  | { readonly kind: "s3"; readonly url: string; readonly bucket: string; readonly prefix: string }
  | { readonly kind: "directory"; readonly url: string; readonly path: string };

/** @throws HoldfastError "config" */
export function parseVaultUrl(text: string, folder: string): VaultLocation {
  if (text.startsWith("s3://")) return parseS3Url(text);
  if (!text.startsWith("file:")) throw refusal(text, "a vault", `write ${VAULT_URL}`);
  const path = resolveFileReference(text, folder);
  if (path === undefined)
    throw refusal(text, "a directory", "write file:///dir, or file:./dir from this file's folder");
  if (path === "/") throw refusal(text, "a directory for a vault alone", "write file:///dir");
  return { kind: "directory", url: pathToFileURL(path).href, path };
}

function parseS3Url(text: string): VaultLocation {
  const [bucket = "", ...segments] = text.slice("s3://".length).replace(/\/$/, "").split("/");
  if (!BUCKET.test(bucket)) {
    throw refusal(text, "a bucket", "write s3://bucket/prefix; a bucket has 3 to 63 of a-z, 0-9, . and -");
  }
  const prefix = segments.join("/");
  if (!segments.every((segment) => SEGMENT.test(segment)) || prefix.length > MAX_PREFIX) {
    const hint = `write s3://bucket/prefix; a prefix has up to ${MAX_PREFIX} of A-Z, a-z, 0-9, !_.*'()- and single /`;
    throw refusal(text, "a prefix every S3 server takes", hint);
  }
  return { kind: "s3", url: prefix === "" ? `s3://${bucket}` : `s3://${bucket}/${prefix}`, bucket, prefix };
}

/**
 * An address of a web service, without a trailing slash: https, or http to this machine, where no one listens in
 * between. Passwords, queries and fragments have no place in it.
 * @throws HoldfastError "config"
 */
export function parseServiceUrl(text: string): string {
  const url = serviceUrl(text);
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw refusal(
      text,
      "encrypted",
      "write https://; http:// is taken for this machine alone (127.0.0.1, ::1, localhost)",
    );
  }
  return withoutSlash(url);
}

/** The same for what no one need keep secret: http is taken everywhere. @throws HoldfastError "config" */
export function parsePlainUrl(text: string): string {
  return withoutSlash(serviceUrl(text));
}

/**
 * An address that is a secret as a whole: https, or http to this machine. It is never shown.
 * @throws HoldfastError "config"
 */
export function parseSecretUrl(text: string): string {
  const url = /^https?:\/\/[^/]/i.test(text) && !/\s/.test(text) ? URL.parse(text) : null;
  if (url && (url.protocol === "https:" || isLoopback(url.hostname))) return url.href;
  throw refusal(undefined, "an address that can be kept secret (not shown)", "write https://host/path");
}

function serviceUrl(text: string): URL {
  const url = /^https?:\/\/[^/]/i.test(text) && !/\s/.test(text) ? URL.parse(text) : null;
  if (url === null) throw refusal(text, "a web address", "write https://host/path");
  if (url.username !== "" || url.password !== "") {
    throw refusal(undefined, "an address (not shown: it holds a password)", "write https://host/path alone");
  }
  if (url.search !== "" || url.hash !== "" || /[?#]/.test(text)) {
    throw refusal(
      undefined,
      "an address alone (not shown: what follows ? or # may be a secret)",
      "write https://host/path",
    );
  }
  return url;
}

function withoutSlash(url: URL): string {
  return url.href.replace(/\/+$/, "");
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/**
 * The name of an audit log (C2SP): like a URL without its scheme. It is signed into every checkpoint and is the name
 * of the key, so it has no white space and no plus sign.
 * @throws HoldfastError "config"
 */
export function parseOrigin(text: string): string {
  // A bare word is no name for the world; it may be the key, pasted a line too high.
  const named = /^(?=.*[./])[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?(\/[A-Za-z0-9._~-]+)*$/.test(text);
  if (named && text.length <= 255) return text;
  throw refusal(text, "the name of a log", "write your host and a path, without https://: acme-bank.example/holdfast");
}

function refusal(text: string | undefined, what: string, hint: string): HoldfastError {
  const shown = text === undefined ? "this" : redacted(text);
  return new HoldfastError("config", `${shown} is not ${what}`, { hint });
}
