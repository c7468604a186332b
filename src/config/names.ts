import { HoldfastError } from "../core/error.ts";
import { redacted } from "../core/redacted.ts";
import { resolveFileReference, resolvePath } from "./path.ts";

/** Safe as a folder name, in an object key and on a command line, on any system. */
export const ID = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** @throws HoldfastError "config" */
export function parseId(value: string): string {
  if (ID.test(value) && value.length <= 63) return value;
  const hint = "write up to 63 characters of a-z, 0-9 and single - between them, such as acme-bank";
  throw new HoldfastError("config", `${redacted(value)} is not an id`, { hint });
}

/** @throws HoldfastError "config" */
export function parseRule(value: string): string {
  if (value.trim() !== "" && value.length <= 200 && !/\p{Cc}/u.test(value)) return value.trim();
  const hint = 'name the rule in up to 200 characters, such as "Regulation (EU) 2024/1624 Art. 77"';
  throw new HoldfastError("config", `${redacted(value)} is not the name of a rule`, { hint });
}

/** A name or an address on pages for people. @throws HoldfastError "config" */
export function parseLine(value: string): string {
  if (value.trim() !== "" && value.length <= 200 && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value)) return value.trim();
  throw new HoldfastError("config", `${redacted(value)} is not one line of text`, {
    hint: "write 1 to 200 characters without a line break or an invisible character",
  });
}

export const LOOKUPS = "email, document.number or metadata.<name>";

/** @throws HoldfastError "config" */
export function parseLookup(value: string): string {
  if (/^(email|document\.number|metadata(\.[A-Za-z0-9_-]+)+)$/.test(value) && value.length <= 200) return value;
  throw new HoldfastError("config", `${redacted(value)} is not a lookup`, { hint: `write ${LOOKUPS}` });
}

/** @throws HoldfastError "config" */
export function parseRegion(value: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/.test(value)) return value;
  throw new HoldfastError("config", `${redacted(value)} is not a region`, { hint: "write one such as eu-central-1" });
}

/** An AWS account number. */
export function parseAccount(value: string): string {
  if (/^\d{12}$/.test(value)) return value;
  throw new HoldfastError("config", `${redacted(value)} is not an AWS account`, {
    hint: 'write its 12 digits in quotes: "123456789012"',
  });
}

/** ID, alias or ARN of a KMS key, safe in an HTTP header. */
export function parseKmsKey(value: string): string {
  if (/^[A-Za-z0-9:/_-]{1,2048}$/.test(value)) return value;
  throw new HoldfastError("config", `${redacted(value)} is not a KMS key`, {
    hint: "write its ID or ARN, such as arn:aws:kms:eu-central-1:123456789012:key/1234abcd-…",
  });
}

/** A file that is not secret: `file:/etc/holdfast/root.pem`. @throws HoldfastError "config" */
export function parseFile(value: string, folder: string): string {
  const path = value.startsWith("file:") ? resolveFileReference(value, folder) : undefined;
  if (path !== undefined) return path;
  throw new HoldfastError("config", `${redacted(value)} is not a file`, { hint: "write file:/path/to/it" });
}

/** @throws HoldfastError "config" */
export function parseState(value: string, folder: string): string {
  const path = resolvePath(value, folder);
  if (path !== undefined && path !== "/" && !/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return path;
  const hint = "write a path such as /var/lib/holdfast, or ./state from this file's folder";
  throw new HoldfastError("config", `${redacted(value)} is not a directory on this machine`, { hint });
}
