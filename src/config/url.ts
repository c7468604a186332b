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
  if (path === "/") throw refusal(text, "a directory of its own for a vault", "write file:///dir");
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
    throw refusal(text, "a prefix that every S3 server accepts", hint);
  }
  return { kind: "s3", url: prefix === "" ? `s3://${bucket}` : `s3://${bucket}/${prefix}`, bucket, prefix };
}

/**
 * The URL of a web service, without a trailing slash: https, or http to this machine, where no one can listen in.
 * Passwords, queries and fragments are refused.
 * @throws HoldfastError "config"
 */
export function parseServiceUrl(text: string): string {
  const url = serviceUrl(text);
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw refusal(
      text,
      "encrypted",
      "write https://; http:// is only allowed to this machine (127.0.0.1, ::1, localhost)",
    );
  }
  return withoutSlash(url);
}

/**
 * Like `parseServiceUrl`, for traffic that is not secret: http is allowed everywhere. @throws HoldfastError "config"
 */
export function parsePlainUrl(text: string): string {
  return withoutSlash(serviceUrl(text));
}

/**
 * A URL that is itself a secret: https, or http to this machine. Errors never show it.
 * @throws HoldfastError "config"
 */
export function parseSecretUrl(text: string): string {
  const url = /^https?:\/\/[^/]/i.test(text) && !/\s/.test(text) ? URL.parse(text) : null;
  if (url && (url.protocol === "https:" || isLoopback(url.hostname))) return url.href;
  throw refusal(undefined, "a URL that keeps its secret (not shown)", "write https://host/path");
}

function serviceUrl(text: string): URL {
  const url = /^https?:\/\/[^/]/i.test(text) && !/\s/.test(text) ? URL.parse(text) : null;
  if (url === null) throw refusal(text, "a web address", "write https://host/path");
  if (url.username !== "" || url.password !== "") {
    throw refusal(undefined, "a URL without a password (not shown)", "write only https://host/path");
  }
  if (url.search !== "" || url.hash !== "" || /[?#]/.test(text)) {
    throw refusal(
      undefined,
      "a URL without ? or # (not shown: what follows them may be a secret)",
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
 * The name of an audit log (C2SP): like a URL without its scheme. Every checkpoint signs it, and it names the key, so
 * it has no white space and no plus sign.
 * @throws HoldfastError "config"
 */
export function parseOrigin(text: string): string {
  // A single word is not unique worldwide. It may also be the key, pasted one line too high.
  const named = /^(?=.*[./])[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?(\/[A-Za-z0-9._~-]+)*$/.test(text);
  if (named && text.length <= 255) return text;
  throw refusal(text, "a log name", "write your domain and a path, without https://: acme-bank.example/holdfast");
}

function refusal(text: string | undefined, what: string, hint: string): HoldfastError {
  const shown = text === undefined ? "this" : redacted(text);
  return new HoldfastError("config", `${shown} is not ${what}`, { hint });
}
