import { join } from "node:path";
import { HoldfastError } from "../core/error.ts";
import { redacted } from "../core/redacted.ts";
import { compareDurations, parseDuration } from "./duration.ts";
import { EXAMPLE_RECIPIENTS } from "./example.ts";
import { type ConfigAnswers, keyFile, publicKeys } from "./first-config.ts";
import { parseState } from "./names.ts";
import { pathsOverlap, resolvePath } from "./path.ts";
import { checkRecipients } from "./recipients.ts";
import { SecretRef } from "./secret.ts";
import { parseVaultUrl } from "./url.ts";
import { vaultsApart } from "./vaults-apart.ts";

/** Checks on the answers to `first-questions.ts` beyond those of the config fields. */

/** Where the config will be, and for whom. */
export interface ConfigPlace {
  /** Relative paths are resolved against it. */
  readonly folder: string;
  /** Root runs Holdfast as a system service; other users keep everything beside the config. */
  readonly isRoot: boolean;
}

/** The default lock; it must not outlast the retention period. */
const FIRST_LOCK = "P90D";

export function oneOfWords(words: readonly string[], what: string) {
  return (text: string): void => {
    if (words.includes(text)) return;
    throw new HoldfastError("config", `${redacted(text)} is not ${what}`, { hint: `write ${words.join(" or ")}` });
  };
}

export async function checkPublicKeys(text: string): Promise<void> {
  const keys = publicKeys(text);
  const result = await checkRecipients(keys);
  const example = keys.find((key) => EXAMPLE_RECIPIENTS.includes(key));
  const [problem] = "strings" in result ? [] : result;
  if (problem) throw new HoldfastError("recipients", problem.message, { hint: problem.hint });
  if (example !== undefined || keys.length > 50) {
    const wrong = example === undefined ? "there are more than 50 keys" : "this is the key of the example config";
    throw new HoldfastError("recipients", wrong, { hint: "give the public keys of the people who may open records" });
  }
}

export function checkKeep(text: string): void {
  if (compareDurations(parseDuration(text), FIRST_LOCK) >= 0) return;
  throw new HoldfastError("config", `${redacted(text)} is shorter than ${FIRST_LOCK}, the lock of a new record`, {
    hint: `write ${FIRST_LOCK} or more; for less, create the config first and set initialLock in it`,
  });
}

export function checkState(
  text: string,
  { client = "", vault, endpoint }: ConfigAnswers,
  { folder }: ConfigPlace,
): void {
  parseState(text, folder);
  const document = { state: text, clients: [{ id: client, vault: { url: vault, endpoint } }] };
  if (vaultsApart(document, folder).length > 0) throw inVault(text);
}

export function checkKeysFolder(text: string, answers: ConfigAnswers, { folder }: ConfigPlace): void {
  const path = resolvePath(text, folder);
  // A path that begins with // would be read as a URL.
  const read = path && SecretRef.parse(keyFile({ client: "x", keys: text }, "log-key"), folder).path;
  if (path === undefined || read !== join(path, "x.log-key")) {
    const hint = "write a path such as /etc/holdfast/keys, or ./keys from the config's folder";
    throw new HoldfastError("config", `${redacted(text)} is not a folder on this machine`, { hint });
  }
  const vault = answers.vault === undefined ? undefined : parseVaultUrl(answers.vault, folder);
  if (vault?.kind === "directory" && pathsOverlap(path, vault.path)) throw inVault(text);
}

function inVault(text: string): HoldfastError {
  return new HoldfastError("config", `${redacted(text)} overlaps with the vault`, {
    hint: "write a folder that is neither inside the vault nor around it",
  });
}
