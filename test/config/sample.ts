import assert from "node:assert/strict";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { stringify } from "yaml";
import type { Config } from "../../src/config/config.ts";
import { parseConfig } from "../../src/config/load.ts";
import { type ErrorCode, HoldfastError } from "../../src/core/error.ts";

/** The path used for every sample. */
export const FILE = "conf/holdfast.yaml";

export const RECIPIENT = await identityToRecipient(await generateIdentity());
export const OTHER_RECIPIENT = await identityToRecipient(await generateIdentity());

/** A value that removes the key. */
export const ABSENT = Symbol("absent");

/** The smallest client, with changed values at paths such as `vault.lock`. */
export function client(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const id = typeof changes.id === "string" && /^[a-z]+$/.test(changes.id) ? changes.id : "acme";
  const sample = {
    id,
    source: { kind: "passbase", apiKey: "env:PASSBASE_KEY" },
    recipients: [RECIPIENT],
    vault: { url: `s3://acme-kyc/${id}` },
    lookups: { key: "file:./keys/lookup" },
    log: { origin: `acme.example/${id}`, key: "file:./keys/log" },
    retention: { keep: "P5Y", from: "relationship-end" },
  };
  for (const [path, value] of Object.entries(changes)) put(sample, path.split("."), value);
  return sample;
}

function put(section: Record<string, unknown>, [key = "", ...rest]: string[], value: unknown): void {
  if (rest.length > 0) {
    section[key] ??= {};
    put(section[key] as Record<string, unknown>, rest, value);
  } else if (value === ABSENT) delete section[key];
  else section[key] = value;
}

export function yaml(...clients: unknown[]): string {
  return stringify({ clients }, { aliasDuplicateObjects: false });
}

export async function accepted(text: string): Promise<Config> {
  return parseConfig(text, FILE);
}

/** The lines of the error; also checks its code, and that each line names the file. */
export async function refused(text: string, code: ErrorCode = "config"): Promise<string[]> {
  const error = await parseConfig(text, FILE).then(
    () => assert.fail(`accepted:\n${text}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HoldfastError, String(error));
  assert.equal(error.code, code, error.message);
  const lines = error.message.split("\n");
  for (const line of lines) assert.ok(line.startsWith(FILE), line);
  return lines;
}

/** A text refused for exactly one reason. */
export async function refusedOnce(text: string, pattern: RegExp, code: ErrorCode = "config"): Promise<void> {
  const lines = await refused(text, code);
  assert.equal(lines.length, 1, lines.join("\n"));
  assert.match(lines[0]!, pattern);
}
