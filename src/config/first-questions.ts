import { isAbsolute } from "node:path";
import { among, checkKeep, checkKeysFolder, checkPublicKeys, checkState, type Place } from "./first-checks.ts";
import { type AnswerName, type Answers, keyFile } from "./first-config.ts";
import { parseId, parseRegion, parseRule } from "./names.ts";
import { PRESET_NAMES, presetInWords, presetOf } from "./presets.ts";
import { SecretRef } from "./secret.ts";
import { SOURCE_KINDS } from "./sections.ts";
import { START_NAMES, STARTS } from "./starts.ts";
import { parseOrigin, parseServiceUrl, parseVaultUrl } from "./url.ts";

export interface Question {
  readonly name: AnswerName;
  /** As the command line has it. */
  readonly flag: string;
  readonly prompt: string;
  /** One line, or a line for each choice. */
  readonly says: readonly string[];
  readonly choices?: readonly string[];
  /** What it has a meaning for alone, and whether these answers are that; undefined while it cannot be told. */
  readonly onlyFor?: { readonly what: string; readonly are: (answers: Answers) => boolean | undefined };
  /** What is taken where nothing is answered; undefined where it has to be. */
  readonly byDefault?: (answers: Answers, place: Place) => string | undefined;
  /** Throws HoldfastError, which never repeats what may be a secret. */
  readonly check: (text: string, answers: Answers, place: Place) => unknown;
  /** Of a list: what is said before each further answer. */
  readonly again?: { readonly prompt: string; readonly says: readonly string[] };
}

const OWN_LAW = "own";
const LAWS = [...PRESET_NAMES, OWN_LAW];

const S3 = { what: "a vault in S3", are: ({ vault }: Answers) => vault?.startsWith("s3:") };
const OWN = { what: `--law ${OWN_LAW}`, are: ({ law }: Answers) => (law === undefined ? undefined : law === OWN_LAW) };

/** In the order in which they are asked: each may look at the answers before it. */
export const QUESTIONS: readonly Question[] = [
  {
    name: "client",
    flag: "--client <id>",
    prompt: "Client id",
    says: ["A short name of the organisation, such as acme-bank. It stands in every record: never change it."],
    check: parseId,
  },
  {
    name: "provider",
    flag: "--provider <kind>",
    prompt: "Provider",
    says: [`Where the identities come from: ${SOURCE_KINDS.join(", ")}.`],
    choices: SOURCE_KINDS,
    byDefault: () => (SOURCE_KINDS.length === 1 ? SOURCE_KINDS[0] : undefined),
    check: among(SOURCE_KINDS, "a provider that Holdfast knows"),
  },
  {
    name: "vault",
    flag: "--vault <url>",
    prompt: "Vault",
    says: [
      "Where sealed records are kept: s3://bucket/prefix, with Object Lock; or file:./vault, a folder to try it in.",
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
    says: ["The bucket's region, such as eu-central-1. Left out, the AWS SDK finds it (AWS_REGION, the profile)."],
    onlyFor: S3,
    byDefault: () => "",
    check: parseRegion,
  },
  {
    name: "recipients",
    flag: "--recipient <key>",
    prompt: "Public key",
    says: [
      "The public age key (age1…) of the officer who may open records. holdfast keygen makes a pair, on their machine.",
    ],
    check: (text) => checkPublicKeys(text),
    again: {
      prompt: "Another public key",
      says: ["A second one, in escrow, is advised: one lost key then loses nothing."],
    },
  },
  {
    name: "law",
    flag: "--law <law>",
    prompt: "Law",
    says: [
      "The law that requires the copies, and for how long. This is not legal advice.",
      ...PRESET_NAMES.flatMap((name) => {
        const [first, ...more] = presetInWords(presetOf(name)!);
        return [`  ${name.padEnd(10)} ${first}`, ...more.map((line) => `${" ".repeat(13)}${line}`)];
      }),
      `  ${OWN_LAW.padEnd(10)} a period of your own`,
    ],
    choices: LAWS,
    check: among(LAWS, "one of these laws"),
  },
  {
    name: "collect",
    flag: "--collect <what>",
    prompt: "Collect",
    says: ["full keeps everything, images of documents included; minimal keeps yes and no answers only."],
    choices: ["full", "minimal"],
    // Only a law is a reason to keep everything.
    byDefault: ({ law }) => (law === undefined || law === OWN_LAW ? "minimal" : "full"),
    check: among(["full", "minimal"], "one of the two"),
  },
  {
    name: "keep",
    flag: "--keep <duration>",
    prompt: "Keep for",
    says: ["For how long, as ISO 8601 writes it: P5Y is five years, P18M eighteen months. At least 90 days."],
    onlyFor: OWN,
    check: checkKeep,
  },
  {
    name: "from",
    flag: "--from <start>",
    prompt: "Counted from",
    says: ["What starts that time.", ...START_NAMES.map((name) => `  ${name.padEnd(17)} ${STARTS[name]}`)],
    choices: START_NAMES,
    onlyFor: OWN,
    byDefault: () => "relationship-end",
    check: among(START_NAMES, "one of these"),
  },
  {
    name: "legalBasis",
    flag: "--legal-basis <rule>",
    prompt: "Legal basis",
    says: ["The rule of law that requires the copies, in words: it is written into every record. full needs one."],
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
    says: ["For the journal and the catalog: on a local disk that survives a restart. init makes it."],
    byDefault: (_answers, { isRoot }) => (isRoot ? "/var/lib/holdfast" : "./state"),
    check: checkState,
  },
  {
    name: "keys",
    flag: "--keys <folder>",
    prompt: "Keys folder",
    says: ["For the lookup key and the log key. init makes them, and the folder."],
    byDefault: ({ state = "." }) => (isAbsolute(state) ? `${state.replace(/\/+$/, "")}/keys` : "./keys"),
    check: checkKeysFolder,
  },
  {
    name: "apiKey",
    flag: "--api-key <where>",
    prompt: "API key is at",
    says: ["Where the provider's API key will be, not the key: file:/path, env:NAME or aws-secretsmanager:name."],
    byDefault: (answers) => keyFile(answers, "api-key"),
    check: (text, _answers, { folder }) => SecretRef.parse(text, folder),
  },
];
