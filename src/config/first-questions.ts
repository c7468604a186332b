import { isAbsolute } from "node:path";
import { isKeyless, isProviderKind, PROVIDER_KINDS, PROVIDERS, type Provider } from "../provider/provider.ts";
import {
  type ConfigPlace,
  checkKeep,
  checkKeysFolder,
  checkPublicKeys,
  checkState,
  oneOfWords,
} from "./first-checks.ts";
import { type AnswerName, type ConfigAnswers, keyFile } from "./first-config.ts";
import { parseId, parseLine, parseRegion, parseRule } from "./names.ts";
import { PRESET_NAMES, presetInWords, presetOf, START_NAMES, STARTS } from "./presets.ts";
import { SecretRef } from "./secret.ts";
import { parseAppToken, parseIntegrationKey, parseVeriffUrl } from "./source-section.ts";
import { parseOrigin, parseServiceUrl, parseVaultUrl } from "./url.ts";

export interface Question {
  readonly name: AnswerName;
  /** As on the command line. */
  readonly flag: string;
  readonly prompt: string;
  /** One line, or one for each choice. */
  readonly says: readonly string[];
  readonly choices?: readonly string[];
  /** When the question applies: `what` names the case, `are` checks the answers; undefined if not known yet. */
  readonly onlyFor?: { readonly what: string; readonly are: (answers: ConfigAnswers) => boolean | undefined };
  /** The answer if none is given; undefined if an answer is required. */
  readonly byDefault?: (answers: ConfigAnswers, place: ConfigPlace) => string | undefined;
  /** Throws HoldfastError, which never repeats text that may be a secret. */
  readonly check: (text: string, answers: ConfigAnswers, place: ConfigPlace) => unknown;
  /** What is asked in other words after these answers. */
  readonly inWordsFor?: (answers: ConfigAnswers) => Pick<Question, "prompt" | "says">;
  /** For a list: the text shown before each further answer. */
  readonly again?: { readonly prompt: string; readonly says: readonly string[] };
}

const OWN_LAW = "own";
const LAWS = [...PRESET_NAMES, OWN_LAW];

const S3 = { what: "a vault in S3", are: ({ vault }: ConfigAnswers) => vault?.startsWith("s3:") };
const SUMSUB = {
  what: "--provider sumsub",
  are: ({ provider }: ConfigAnswers) => (provider === undefined ? undefined : provider === "sumsub"),
} as const;

/** Each of its integrations has an address and a key of its own. */
const VERIFF = {
  what: "--provider veriff",
  are: ({ provider }: ConfigAnswers) => (provider === undefined ? undefined : provider === "veriff"),
} as const;

const KEYED = {
  what: "a provider with an API",
  are: ({ provider }: ConfigAnswers) =>
    provider === undefined ? undefined : !(isProviderKind(provider) && isKeyless(provider)),
};
const OWN = {
  what: `--law ${OWN_LAW}`,
  are: ({ law }: ConfigAnswers) => (law === undefined ? undefined : law === OWN_LAW),
};

/** In the order they are asked: each one may use the answers before it. */
export const QUESTIONS: readonly Question[] = [
  {
    name: "client",
    flag: "--client <id>",
    prompt: "Client id",
    says: ["A short name for the organisation, such as acme-bank. Every record contains it: never change it."],
    check: parseId,
  },
  {
    name: "company",
    flag: "--company <name>",
    prompt: "Company name",
    says: ["Its legal name, such as Acme Bank AG, for reports, certificates and letters."],
    byDefault: () => "",
    check: parseLine,
  },
  {
    name: "provider",
    flag: "--provider <kind>",
    prompt: "Provider",
    says: [
      "Where the identities come from.",
      ...PROVIDER_KINDS.map((kind) => {
        const { name, url } = PROVIDERS[kind];
        return `  ${kind.padEnd(10)} ${name}${url === null ? "" : `, ${url}`}`;
      }),
    ],
    choices: PROVIDER_KINDS,
    check: oneOfWords(PROVIDER_KINDS, "a supported provider"),
  },
  {
    name: "appToken",
    flag: "--app-token <token>",
    prompt: "App token",
    says: ["The app token that Sumsub shows beside the secret key, such as prd:…. The secret key does not go here."],
    onlyFor: SUMSUB,
    check: parseAppToken,
  },
  {
    name: "url",
    flag: "--url <url>",
    prompt: "API address",
    says: ["The address of the provider's API for this integration, as its portal shows it: https://host/v1."],
    onlyFor: VERIFF,
    check: parseVeriffUrl,
  },
  {
    name: "integrationKey",
    flag: "--integration-key <key>",
    prompt: "Integration's API key",
    says: [
      "What Veriff calls the integration's API key. It is public. The shared secret key beside it is asked for last.",
    ],
    onlyFor: VERIFF,
    check: parseIntegrationKey,
  },
  {
    name: "vault",
    flag: "--vault <url>",
    prompt: "Vault",
    says: [
      "Where sealed records are kept: s3://bucket/prefix, with Object Lock; or, to try it out, a folder: file:./vault.",
    ],
    check: (text, _answers, { folder }) => parseVaultUrl(text, folder),
  },
  {
    name: "endpoint",
    flag: "--endpoint <url>",
    prompt: "S3 server",
    says: ["The address of an S3 server that is not AWS, such as https://s3.acme-bank.com."],
    onlyFor: S3,
    byDefault: () => "",
    check: parseServiceUrl,
  },
  {
    name: "region",
    flag: "--region <region>",
    prompt: "Region",
    says: ["The bucket's region, such as eu-central-1. By default the AWS SDK finds it (AWS_REGION, the profile)."],
    onlyFor: S3,
    byDefault: () => "",
    check: parseRegion,
  },
  {
    name: "recipients",
    flag: "--recipient <key>",
    prompt: "Public key",
    says: [
      "The public age key (age1…) of the officer who may open records. holdfast keygen, on their machine, creates a pair.",
    ],
    check: (text) => checkPublicKeys(text),
    again: {
      prompt: "Another public key",
      says: ["A second key in escrow is recommended: if one key is lost, no data is lost."],
    },
  },
  {
    name: "law",
    flag: "--law <law>",
    prompt: "Law",
    says: [
      "The law that requires the copies, and for how long. Not legal advice.",
      ...PRESET_NAMES.flatMap((name) => {
        const [first, ...more] = presetInWords(presetOf(name)!);
        return [`  ${name.padEnd(10)} ${first}`, ...more.map((line) => `${" ".repeat(13)}${line}`)];
      }),
      `  ${OWN_LAW.padEnd(10)} a period of your own`,
    ],
    choices: LAWS,
    check: oneOfWords(LAWS, "one of these laws"),
  },
  {
    name: "collect",
    flag: "--collect <what>",
    prompt: "Collect",
    says: ["full keeps everything, including document images; minimal keeps only yes and no answers."],
    choices: ["full", "minimal"],
    // Only a law is a reason to keep everything.
    byDefault: ({ law }) => (law === undefined || law === OWN_LAW ? "minimal" : "full"),
    check: oneOfWords(["full", "minimal"], "one of these"),
  },
  {
    name: "keep",
    flag: "--keep <duration>",
    prompt: "Keep for",
    says: ["How long to keep copies, in ISO 8601: P5Y is five years, P18M eighteen months. At least 90 days."],
    onlyFor: OWN,
    check: checkKeep,
  },
  {
    name: "from",
    flag: "--from <start>",
    prompt: "Counted from",
    says: ["What starts the retention period.", ...START_NAMES.map((name) => `  ${name.padEnd(17)} ${STARTS[name]}`)],
    choices: START_NAMES,
    onlyFor: OWN,
    byDefault: () => "relationship-end",
    check: oneOfWords(START_NAMES, "one of these"),
  },
  {
    name: "legalBasis",
    flag: "--legal-basis <rule>",
    prompt: "Legal basis",
    says: ["The law that requires the copies. It is written into every record. Required for full."],
    onlyFor: OWN,
    byDefault: ({ collect }) => (collect === "minimal" ? "" : undefined),
    check: parseRule,
  },
  {
    name: "origin",
    flag: "--origin <name>",
    prompt: "Log name",
    says: ["The audit log's name: a domain of yours and a path, such as acme-bank.com/holdfast. Never change it."],
    check: parseOrigin,
  },
  {
    name: "state",
    flag: "--state <folder>",
    prompt: "State folder",
    says: ["Holds the journal and the catalog: use a local disk that survives a restart. init creates the folder."],
    byDefault: (_answers, { isRoot }) => (isRoot ? "/var/lib/holdfast" : "./state"),
    check: checkState,
  },
  {
    name: "keys",
    flag: "--keys <folder>",
    prompt: "Keys folder",
    says: ["Holds the lookup key and the log key. init creates the folder and both keys."],
    byDefault: ({ state = "." }) => (isAbsolute(state) ? `${state.replace(/\/+$/, "")}/keys` : "./keys"),
    check: checkKeysFolder,
  },
  {
    name: "apiKey",
    flag: "--api-key <where>",
    prompt: "API key is at",
    says: ["Where the provider's API key is stored, not the key: file:/path, env:NAME or aws-secretsmanager:name."],
    onlyFor: KEYED,
    inWordsFor: ({ provider }) => {
      const { name, key = "API key" }: Provider = PROVIDERS[PROVIDER_KINDS.find((kind) => kind === provider)!];
      return {
        prompt: `${key.charAt(0).toUpperCase()}${key.slice(1)} is at`,
        says: [`Where ${name}'s ${key} is stored, not the key: file:/path, env:NAME or aws-secretsmanager:name.`],
      };
    },
    byDefault: (answers) => keyFile(answers, "api-key"),
    check: (text, _answers, { folder }) => SecretRef.parse(text, folder),
  },
];
