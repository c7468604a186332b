import * as z from "zod";
import { HoldfastError } from "../core/error.ts";
import { redacted } from "../core/redacted.ts";
import { type ApiKind, PROVIDER_KINDS, PROVIDERS, type Provider, type ProviderKind } from "../provider/provider.ts";
import { compareDurations, parseDuration } from "./duration.ts";
import { choice, flag, read, section, unfit, whole } from "./fields.ts";
import { folderKeys } from "./folder-section.ts";
import { ID, parseId } from "./names.ts";
import { sourceScheduleSection, webhookSection } from "./operation.ts";
import { parseBudget, parseRate } from "./rate.ts";
import { raw } from "./raw.ts";
import type { SecretRef } from "./secret.ts";
import { parseServiceUrl } from "./url.ts";

const DOC = "Where identities come from.";
const SHORTEST = "P1D";

/**
 * A provider's project, as a section. The kind decides which keys it has.
 * @param folder that relative paths start from
 */
export function sourceSection(secretRef: (doc: string) => z.ZodType<SecretRef, string>, folder: () => string) {
  const passbase = section(commonKeys("passbase", secretRef), DOC);
  const persona = section(
    {
      ...commonKeys("persona", secretRef),
      completed: choice(
        ["undecided", "verified"],
        "What Persona's status completed says of a person: nothing yet, or that they are verified. Choose verified only if none of your templates decides later.",
      ).prefault("undecided"),
    },
    DOC,
  );
  const stripe = section(
    {
      ...commonKeys("stripe", secretRef),
      account: read(
        parseAccount,
        "acct_…",
        "The Stripe account whose sessions to read: a connected account, or the key's own if the key may not read it. Sent as Stripe-Account. Default: the key's own.",
      ).optional(),
    },
    DOC,
  );
  const onfido = section(
    {
      ...commonKeys("onfido", secretRef),
      clientId: read(
        parseClientId,
        "the id that Onfido shows beside the client's secret",
        "The id of an OAuth client. Then apiKey is that client's secret, not an API token.",
      ).optional(),
    },
    DOC,
  );
  const sumsub = section(
    {
      ...commonKeys("sumsub", secretRef),
      appToken: read(
        parseAppToken,
        "the app token that Sumsub shows beside the secret key, such as prd:…",
        "The app token, which names the key. Then apiKey is the secret key that belongs to it.",
      ),
      aml: flag(
        "Ask for AML cases. Sumsub answers ten of them a minute, so write false if the account does not use AML screening.",
      ).prefault(true),
    },
    DOC,
  );
  const veriff = section(
    {
      ...commonKeys("veriff", secretRef),
      url: read(
        parseVeriffUrl,
        "https://host/v1",
        "Address of the provider's API. Veriff's Customer Portal shows it for each integration.",
      ),
      apiKey: secretRef("The integration's shared secret key. Required, unless the source is retired.").optional(),
      integrationKey: read(
        parseIntegrationKey,
        "the API key that Veriff shows for the integration",
        "What Veriff calls the API key of the integration. It is public; apiKey is the shared secret key beside it.",
      ),
      horizon: read(
        parseHorizon,
        "a duration such as P90D",
        "How long Veriff lets a session be read. doctor and report count the sessions that are close to it and not yet stored in final form.",
      ).prefault("P90D"),
    },
    DOC,
  );
  const drops = section({ ...ownKeys("folder"), ...folderKeys(folder) }, DOC);
  return z
    .discriminatedUnion("kind", [passbase, persona, stripe, onfido, sumsub, veriff, drops], {
      error: ({ code, input }) =>
        code === "invalid_union"
          ? unfit(raw(input).kind, "one of the choices", `write ${PROVIDER_KINDS.join(" or ")}`)
          : unfit(input, "a section", `write a section with ${Object.keys(passbase.shape).join(", ")}`),
    })
    .meta({ description: DOC });
}

/** What every source has. */
function ownKeys<K extends ProviderKind>(kind: K) {
  return {
    kind: z.literal(kind).meta({ description: "The identity-verification provider." }),
    name: read(
      parseId,
      "a short name such as persona-eu",
      "What the source is called in logs and with --source. Default: its kind.",
      ID.source,
    ).optional(),
    resync: read(
      parseResync,
      "a duration such as P30D",
      "Everyone is looked at again within this time, so that a change that the provider did not announce is found.",
    ).prefault("P30D"),
    retired: flag(
      "The provider is not asked any more. Its records are kept, extended, retrieved and purged as before.",
    ).prefault(false),
    schedule: sourceScheduleSection().optional(),
  };
}

function commonKeys<K extends ApiKind>(kind: K, secretRef: (doc: string) => z.ZodType<SecretRef, string>) {
  const { url, rate }: Provider = PROVIDERS[kind];
  const address = read(parseServiceUrl, "https://host/path", "Address of the provider's API.");
  const { kind: literal, name, ...own } = ownKeys(kind);
  return {
    kind: literal,
    name,
    url: url === null ? address : address.prefault(url),
    apiKey: secretRef("The provider's secret API key. Required, unless the source is retired.").optional(),
    rate: read(parseRate, "10/s, 600/min or 1000/h", "Maximum requests per second, minute or hour.").prefault(rate),
    budget: read(
      parseBudget,
      "10000/month",
      "Maximum requests in a calendar month (UTC). When they are used up, runs end until the next month. Default: no limit.",
    ).optional(),
    concurrency: whole(1, 64, "Maximum parallel requests to the provider.").prefault(4),
    ...own,
    webhook: webhookSection(secretRef).optional(),
  };
}

/** Parses what a provider shows for copying. @throws HoldfastError "config" */
function matching(pattern: RegExp, what: string, hint: string): (text: string) => string {
  return (text) => {
    if (pattern.test(text)) return text;
    throw new HoldfastError("config", `${redacted(text)} is not ${what}`, { hint });
  };
}

export const parseAccount = matching(
  /^acct_[A-Za-z0-9]{1,100}$/,
  "the id of a Stripe account",
  "write it as Stripe's dashboard shows it: acct_…",
);

export const parseClientId = matching(
  /^[\x21-\x7e]{1,200}$/,
  "the id of an OAuth client",
  "write it as Onfido shows it, without white space",
);

export const parseAppToken = matching(
  /^[\x21-\x7e]{1,500}$/,
  "an app token",
  "write it as Sumsub shows it, without white space",
);

export const parseIntegrationKey = matching(
  /^[\x21-\x7e]{1,200}$/,
  "the API key of an integration",
  "write it as Veriff's Customer Portal shows it, without white space",
);

/** Without the path, every session would seem to be gone. @throws HoldfastError "config" */
export function parseVeriffUrl(text: string): string {
  const url = parseServiceUrl(text);
  if (url.endsWith("/v1")) return url;
  throw new HoldfastError("config", `${redacted(text)} is not the address of Veriff's API`, {
    hint: "write the API URL that Veriff's Customer Portal shows for the integration, with /v1 at its end",
  });
}

/** @throws HoldfastError "config" */
export function parseHorizon(text: string): Temporal.Duration {
  const duration = parseDuration(text);
  if (compareDurations(duration, SHORTEST) >= 0) return duration;
  throw new HoldfastError("config", `${redacted(text)} is shorter than a day`, {
    hint: "write how long Veriff keeps sessions readable by your contract; P90D is usual",
  });
}

/** @throws HoldfastError "config" */
export function parseResync(text: string): Temporal.Duration {
  const duration = parseDuration(text);
  if (compareDurations(duration, SHORTEST) >= 0) return duration;
  throw new HoldfastError("config", `${redacted(text)} is shorter than a day`, {
    hint: `write ${SHORTEST} or more; P30D is usual`,
  });
}
