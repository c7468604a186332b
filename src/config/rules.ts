import { HoldfastError } from "../error.ts";
import { compareDurations, parseDuration } from "./duration.ts";
import { EXAMPLE_FILE, EXAMPLE_RECIPIENTS } from "./example.ts";
import type { Finding } from "./problem.ts";
import { type Raw, raw, rawClients, rawList } from "./raw.ts";
import { vaultsApart } from "./vaults-apart.ts";

/**
 * What fields say about each other. Rules read the raw document, and pass over whatever is not there or not of its
 * type (that is the schema's to say), so that all problems are told at once.
 */
export function brokenRules(document: unknown, file: string, folder: string): Finding[] {
  const clients = rawClients(document);
  const within = clients.flatMap((client, index) =>
    [
      ...fullNeedsLegalBasis(client),
      ...keysAreTwo(client),
      ...directoryTakesNoS3(client),
      ...locksFit(raw(client.retention)),
      ...(file.endsWith(EXAMPLE_FILE) ? [] : notTheExamples(client)),
    ].map(({ path, text }) => ({ path: ["clients", index, ...path], text })),
  );
  return [
    ...within,
    ...repeated(clients, ["id"], "it names the client's state and vault; rename one"),
    ...repeated(clients, ["log", "origin"], "a log has one writer and one history; give each client its own"),
    ...vaultsApart(document, folder),
  ];
}

function fullNeedsLegalBasis({ collect, legalBasis = [] }: Raw): Finding[] {
  if (collect !== "full" || !Array.isArray(legalBasis) || legalBasis.length > 0) return [];
  const text =
    "full copies whole identity documents, and no legalBasis names the law that asks for it (GDPR Art. 5(1)(c): no " +
    'more data than needed); write legalBasis: ["Regulation (EU) 2024/1624 Art. 77"] if that is your duty (UK: ' +
    "MLR 2017 reg. 40; US: 31 CFR 1020.220(a)(3)), or collect: minimal";
  return [{ path: ["collect"], text }];
}

/** One signs in public, the other keeps a secret. */
function keysAreTwo(client: Raw): Finding[] {
  const key = raw(client.log).key;
  if (typeof key !== "string" || key !== raw(client.lookups).key) return [];
  return [{ path: ["log", "key"], text: "the same as lookups.key; name another file or variable" }];
}

function directoryTakesNoS3(client: Raw): Finding[] {
  const vault = raw(client.vault);
  if (typeof vault.url !== "string" || !vault.url.startsWith("file:")) return [];
  return ["endpoint", "region", "forcePathStyle"]
    .filter((key) => vault[key] !== undefined)
    .map((key) => ({ path: ["vault", key], text: "means nothing for a directory; remove it" }));
}

function locksFit({ keep, initialLock = "P90D", extendWhenLessThan = "P30D" }: Raw): Finding[] {
  const [whole, first, left] = [keep, initialLock, extendWhenLessThan].map(duration);
  const broken: Finding[] = [];
  if (first !== undefined && left !== undefined && compareDurations(left, first) >= 0) {
    const text = `"${left}" is not shorter than initialLock (${first}), so every run would extend every lock; write less`;
    broken.push({ path: ["retention", "extendWhenLessThan"], text });
  }
  if (whole !== undefined && first !== undefined && compareDurations(first, whole) > 0) {
    const text = `"${first}" is longer than keep (${whole}), and what need not be kept must be deleted; write less`;
    broken.push({ path: ["retention", "initialLock"], text });
  }
  return broken;
}

/** Nobody has their private keys: whatever is sealed to them alone is lost, and under a lock cannot be sealed again. */
function notTheExamples(client: Raw): Finding[] {
  return rawList(client.recipients).flatMap((recipient, index) => {
    if (!EXAMPLE_RECIPIENTS.includes(String(recipient))) return [];
    const text = "the recipient of the example, whose private key nobody has; write your own, from age-keygen";
    return [{ path: ["recipients", index], text }];
  });
}

function repeated(clients: readonly Raw[], field: readonly string[], why: string): Finding[] {
  const values = clients.map((client) => field.reduce<unknown>((value, step) => raw(value)[step], client));
  return values.flatMap((value, index) => {
    const first = values.indexOf(value);
    if (typeof value !== "string" || first === index) return [];
    return [{ path: ["clients", index, ...field], text: `the same as clients[${first}].${field.join(".")}; ${why}` }];
  });
}

function duration(value: unknown): Temporal.Duration | undefined {
  try {
    return typeof value === "string" ? parseDuration(value) : undefined;
  } catch (error) {
    if (error instanceof HoldfastError) return undefined;
    throw error;
  }
}
