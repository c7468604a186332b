import { HoldfastError } from "../core/error.ts";
import { isKeyless, isProviderKind, type ProviderKind } from "../provider/provider.ts";
import { compareDurations, parseDuration } from "./duration.ts";
import { EXAMPLE_FILE, EXAMPLE_RECIPIENTS } from "./example.ts";
import { presetOf } from "./presets.ts";
import type { ConfigFinding, Path } from "./problem.ts";
import { type Raw, raw, rawClients, rawList } from "./raw.ts";
import { REFERENCES } from "./secret.ts";
import { vaultsApart } from "./vaults-apart.ts";

/**
 * Rules between fields. They read the raw document and skip anything missing or of the wrong type (the schema reports
 * that), so that all problems are reported at once.
 */
export function brokenRules(document: unknown, file: string, folder: string): ConfigFinding[] {
  const clients = rawClients(document);
  const within = clients.flatMap((client, index) =>
    [
      ...fullNeedsLegalBasis(client),
      ...sourceIsSaidOnce(client),
      ...sourcesFit(client),
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
    ...repeated(clients, ["id"], "ids name the client's state and vault; rename one"),
    ...repeated(
      clients,
      ["log", "origin"],
      "a log has one writer and one history; use a different name for each client",
    ),
    ...vaultsApart(document, folder),
  ];
}

function fullNeedsLegalBasis({ collect, legalBasis = [], retention }: Raw): ConfigFinding[] {
  if (collect !== "full" || !Array.isArray(legalBasis) || legalBasis.length > 0) return [];
  if (presetOf(raw(retention).preset)) return [];
  const text =
    "full copies whole identity documents, but no legalBasis names the law that requires it (GDPR Art. 5(1)(c): no " +
    'more data than needed); write legalBasis: ["Regulation (EU) 2024/1624 Art. 77"] if that is your duty (UK: ' +
    "MLR 2017 reg. 40; US: 31 CFR 1020.220(a)(3)), or collect: minimal";
  return [{ path: ["collect"], text }];
}

function sourceIsSaidOnce(client: Raw): ConfigFinding[] {
  const has = (name: string) => Object.hasOwn(client, name);
  if (has("source") && has("sources"))
    return [{ path: ["sources"], text: "is written beside source; put that one into the list, and remove source" }];
  if (has("source") || has("sources")) return [];
  return [{ path: ["source"], text: `is missing; ${SOURCE_HINT}` }];
}

function sourcesFit(client: Raw): ConfigFinding[] {
  const single = client.source === undefined ? [] : [{ source: raw(client.source), path: ["source"] as Path }];
  const listed = rawList(client.sources).map((source, at) => ({ source: raw(source), path: ["sources", at] as Path }));
  const names = listed.map(({ source: { name, kind } }) => name ?? kind);
  const same = listed.flatMap(({ path }, at): ConfigFinding[] => {
    const first = names.indexOf(names[at]);
    if (typeof names[at] !== "string" || first === at) return [];
    const text = `the same as sources[${first}], "${names[at]}"; give each a name of its own`;
    return [{ path: [...path, "name"], text }];
  });
  // A retired source is never asked, so it needs no key.
  const keyless = [...single, ...listed].filter(
    ({ source: { kind, apiKey, retired } }) =>
      kind !== undefined &&
      apiKey === undefined &&
      retired !== true &&
      !(isProviderKind(String(kind)) && isKeyless(kind as ProviderKind)),
  );
  const text = `is missing; write ${REFERENCES}, or retired: true if the provider is not asked any more`;
  return [...same, ...keyless.map(({ path }) => ({ path: [...path, "apiKey"], text }))];
}

const SOURCE_HINT = "write a section with kind, url, apiKey, rate and more, or a list of them as sources";

function keyIsOfKms({ kmsKey, encryption }: Raw): ConfigFinding[] {
  if (kmsKey === undefined || String(encryption).startsWith("aws:kms")) return [];
  return [
    { path: ["vault", "kmsKey"], text: "has no effect without vault.encryption: aws:kms; add that, or remove this" },
  ];
}

/** Set by the client, or by a preset, which sets both. */
function clockIsSaid(client: Raw): ConfigFinding[] {
  const retention = raw(client.retention);
  if (retention !== client.retention || retention.preset !== undefined) return [];
  const hint = {
    keep: "is missing; write a duration such as P5Y, or use a preset",
    from: "is missing; write created or exported or relationship-end or account-closed, or use a preset",
  };
  return (["keep", "from"] as const)
    .filter((key) => retention[key] === undefined)
    .map((key) => ({ path: ["retention", key], text: hint[key] }));
}

function coolsOffToCompliance({ vault, retention }: Raw): ConfigFinding[] {
  if (raw(retention).coolingOff === undefined || raw(vault).lock === "compliance") return [];
  return [{ path: ["retention", "coolingOff"], text: "has no effect without vault.lock: compliance; remove it" }];
}

/** One signs in public, the other must stay secret. */
function keysAreTwo(client: Raw): ConfigFinding[] {
  const key = raw(client.log).key;
  if (typeof key !== "string" || key !== raw(client.lookups).key) return [];
  return [{ path: ["log", "key"], text: "the same as lookups.key; name another file or variable" }];
}

function directoryTakesNoS3(client: Raw): ConfigFinding[] {
  const vault = raw(client.vault);
  if (typeof vault.url !== "string" || !vault.url.startsWith("file:")) return [];
  return ["endpoint", "region", "forcePathStyle", "encryption", "kmsKey", "expectedOwner", "requesterPays"]
    .filter((key) => vault[key] !== undefined)
    .map((key) => ({ path: ["vault", key], text: "has no effect for a directory; remove it" }));
}

function locksFit(retention: Raw): ConfigFinding[] {
  const { initialLock = "P90D", extendWhenLessThan = "P30D", minimum, maximum, coolingOff } = retention;
  const [first, left] = [initialLock, extendWhenLessThan].map(duration);
  const broken: ConfigFinding[] = [];
  const refuse = (key: string, text: string): void => void broken.push({ path: ["retention", key], text });
  const exceeds = (one: Temporal.Duration | undefined, other: Temporal.Duration | undefined): boolean =>
    one !== undefined && other !== undefined && compareDurations(one, other) > 0;
  if (first !== undefined && left !== undefined && compareDurations(left, first) >= 0) {
    refuse(
      "extendWhenLessThan",
      `"${left}" is not shorter than initialLock (${first}), so every run would extend every lock; use a shorter time`,
    );
  }
  const [least, most, cooling] = [minimum, maximum, coolingOff].map(duration);
  for (const { name, value } of keeps(retention)) {
    const whole = duration(value);
    if (exceeds(first, whole))
      refuse(
        "initialLock",
        `"${first}" is longer than ${name} (${whole}), so records could not be deleted when they must be; use a shorter time`,
      );
    if (exceeds(least, whole)) refuse("minimum", `"${least}" is longer than ${name} (${whole}); use a shorter time`);
    if (exceeds(whole, most)) refuse("maximum", `"${most}" is shorter than ${name} (${whole}); use a longer time`);
  }
  if (exceeds(first, most)) refuse("maximum", `"${most}" is shorter than initialLock (${first}); use a longer time`);
  // Otherwise the lock would end before it is hardened.
  if (cooling !== undefined && first !== undefined && compareDurations(cooling, first) >= 0)
    refuse("coolingOff", `"${cooling}" is not shorter than initialLock (${first}); use a shorter time`);
  return broken;
}

/** Every retention period, named as in the config. */
function keeps(retention: Raw): { name: string; value: unknown }[] {
  const preset = presetOf(retention.preset);
  const own = Object.entries(raw(retention.classes)).map(([name, clock]) => ({
    name: `classes.${name}.keep`,
    value: raw(clock).keep,
  }));
  return [{ name: "keep", value: retention.keep ?? preset?.keep }, ...own];
}

/** No one has their private keys: data sealed only to them is lost, and Object Lock prevents sealing it again. */
function notTheExamples(client: Raw): ConfigFinding[] {
  return rawList(client.recipients).flatMap((recipient, index) => {
    if (!EXAMPLE_RECIPIENTS.includes(String(recipient))) return [];
    const text = "this is the example's recipient, and no one has its private key; write your own, from age-keygen";
    return [{ path: ["recipients", index], text }];
  });
}

function repeated(clients: readonly Raw[], field: readonly string[], why: string): ConfigFinding[] {
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
