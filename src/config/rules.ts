import { HoldfastError } from "../core/error.ts";
import { compareDurations, parseDuration } from "./duration.ts";
import { EXAMPLE_FILE, EXAMPLE_RECIPIENTS } from "./example.ts";
import { presetOf } from "./presets.ts";
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
      ...keyIsOfKms(raw(client.vault)),
      ...clockIsSaid(client),
      ...locksFit(raw(client.retention)),
      ...coolsOffToCompliance(client),
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

function fullNeedsLegalBasis({ collect, legalBasis = [], retention }: Raw): Finding[] {
  if (collect !== "full" || !Array.isArray(legalBasis) || legalBasis.length > 0) return [];
  if (presetOf(raw(retention).preset)) return [];
  const text =
    "full copies whole identity documents, and no legalBasis names the law that asks for it (GDPR Art. 5(1)(c): no " +
    'more data than needed); write legalBasis: ["Regulation (EU) 2024/1624 Art. 77"] if that is your duty (UK: ' +
    "MLR 2017 reg. 40; US: 31 CFR 1020.220(a)(3)), or collect: minimal";
  return [{ path: ["collect"], text }];
}

function keyIsOfKms({ kmsKey, encryption }: Raw): Finding[] {
  if (kmsKey === undefined || String(encryption).startsWith("aws:kms")) return [];
  return [
    { path: ["vault", "kmsKey"], text: "means nothing without vault.encryption: aws:kms; add it, or remove this" },
  ];
}

/** By the client or by a preset, which gives both. */
function clockIsSaid(client: Raw): Finding[] {
  const retention = raw(client.retention);
  if (retention !== client.retention || retention.preset !== undefined) return [];
  const hint = {
    keep: "is missing; write a duration such as P5Y, or take a preset",
    from: "is missing; write created or exported or relationship-end or account-closed, or take a preset",
  };
  return (["keep", "from"] as const)
    .filter((key) => retention[key] === undefined)
    .map((key) => ({ path: ["retention", key], text: hint[key] }));
}

function coolsOffToCompliance({ vault, retention }: Raw): Finding[] {
  if (raw(retention).coolingOff === undefined || raw(vault).lock === "compliance") return [];
  return [{ path: ["retention", "coolingOff"], text: "means nothing without vault.lock: compliance; remove it" }];
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
  return ["endpoint", "region", "forcePathStyle", "encryption", "kmsKey", "expectedOwner", "requesterPays"]
    .filter((key) => vault[key] !== undefined)
    .map((key) => ({ path: ["vault", key], text: "means nothing for a directory; remove it" }));
}

function locksFit(retention: Raw): Finding[] {
  const { initialLock = "P90D", extendWhenLessThan = "P30D", minimum, maximum, coolingOff } = retention;
  const [first, left] = [initialLock, extendWhenLessThan].map(duration);
  const broken: Finding[] = [];
  const refuse = (key: string, text: string): void => void broken.push({ path: ["retention", key], text });
  const exceeds = (one: Temporal.Duration | undefined, other: Temporal.Duration | undefined): boolean =>
    one !== undefined && other !== undefined && compareDurations(one, other) > 0;
  if (first !== undefined && left !== undefined && compareDurations(left, first) >= 0) {
    refuse(
      "extendWhenLessThan",
      `"${left}" is not shorter than initialLock (${first}), so every run would extend every lock; write less`,
    );
  }
  const [least, most, cooling] = [minimum, maximum, coolingOff].map(duration);
  for (const { name, value } of keeps(retention)) {
    const whole = duration(value);
    if (exceeds(first, whole))
      refuse(
        "initialLock",
        `"${first}" is longer than ${name} (${whole}), and what need not be kept must be deleted; write less`,
      );
    if (exceeds(least, whole)) refuse("minimum", `"${least}" is longer than ${name} (${whole}); write less`);
    if (exceeds(whole, most)) refuse("maximum", `"${most}" is shorter than ${name} (${whole}); write more`);
  }
  if (exceeds(first, most)) refuse("maximum", `"${most}" is shorter than initialLock (${first}); write more`);
  // The lock would end before it was ever hardened.
  if (cooling !== undefined && first !== undefined && compareDurations(cooling, first) >= 0)
    refuse("coolingOff", `"${cooling}" is not shorter than initialLock (${first}); write less`);
  return broken;
}

/** Every duration for which something is kept, by the name it has for who wrote it. */
function keeps(retention: Raw): { name: string; value: unknown }[] {
  const preset = presetOf(retention.preset);
  const own = Object.entries(raw(retention.classes)).map(([name, clock]) => ({
    name: `classes.${name}.keep`,
    value: raw(clock).keep,
  }));
  return [{ name: "keep", value: retention.keep ?? preset?.keep }, ...own];
}

/** No one has their private keys: whatever is sealed to them alone is lost, and under a lock cannot be sealed again. */
function notTheExamples(client: Raw): Finding[] {
  return rawList(client.recipients).flatMap((recipient, index) => {
    if (!EXAMPLE_RECIPIENTS.includes(String(recipient))) return [];
    const text = "the recipient of the example, whose private key no one has; write your own, from age-keygen";
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
